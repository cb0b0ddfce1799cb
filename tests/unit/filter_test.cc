#include <random>

#include "unit/testing.h"
#include "vpcflow/filter/cidr_set.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;

const char kFields5[] =
    "version interface-id srcaddr dstaddr srcport dstport protocol bytes start action tcp-flags log-status";
const char kLine[] = "5 eni-7 10.1.2.3 2001:db8::5 40000 443 6 1500 1795413600 ACCEPT 18 OK";
const char kNulls[] = "5 - - - - - - - - - - NODATA";

bool Passes(const std::string& filter, const std::string& line = kLine) {
  absl::StatusOr<Filter> f = Filter::Parse(filter);
  EXPECT_TRUE(f.ok()) << filter << ": " << f.status().message();
  Format format;
  FormatError error;
  EXPECT_TRUE(Format::Parse(kFields5, &format, &error));
  RecordParser parser(format);
  RecordView record;
  EXPECT_EQ(parser.Parse(line, &record), Errc::kOk);
  return f.ok() && f->Matches(record);
}

std::string ErrorOf(const std::string& filter) {
  absl::StatusOr<Filter> f = Filter::Parse(filter);
  EXPECT_FALSE(f.ok()) << filter;
  return f.ok() ? "" : std::string(f.status().message());
}

TEST(Filter, TestsThatPass) {
  for (const char* filter : {"dstport = 443",
                             "dstport == 443",
                             "dstport != 22",
                             "dstport <> 22",
                             "bytes > 1499",
                             "bytes >= 1500",
                             "bytes < 1501",
                             "bytes <= 1500",
                             "dstport in (22, 443)",
                             "dstport not in (22, 23)",
                             "srcaddr = '10.1.2.3'",
                             "srcaddr in '10.0.0.0/8'",
                             "srcaddr in (192.168.0.0/16, 10.1.2.3)",
                             "not srcaddr in '192.168.0.0/16'",
                             "dstaddr in '2001:db8::/32'",
                             "action = 'ACCEPT'",
                             "action in ('ACCEPT', 'REJECT')",
                             "interface_id like 'eni-%'",
                             "interface-id like 'eni-_'",
                             "interface_id matches '^eni-[0-9]$'",
                             "interface_id ~ 'ni'",
                             "tcp_flags & 18 = 18",
                             "tcp_flags & 1 = 0",
                             "srcport > dstport",
                             "bytes between 1500 and 1500",
                             "start >= '2026-11-23'",
                             "start < 2026-11-24T00:00Z",
                             "protocol = 'tcp'",
                             "action is not null",
                             "not (action is null)",
                             "true",
                             "not false",
                             "(dstport = 1 or bytes = 1500) and true",
                             "DSTPORT = 443 AND Action = 'ACCEPT'",
                             "pkt_srcaddr is null",
                             "dstport = 22 or dstport = 80 or dstport = 443",
                             "not dstport = 22 and not dstport = 23"}) {
    EXPECT_TRUE(Passes(filter)) << filter;
    EXPECT_FALSE(Passes("not (" + std::string(filter) + ")")) << filter;
  }
}

TEST(Filter, SizesHaveUnits) {
  for (const char* filter : {"bytes = 1.5kB", "bytes = 1500B", "bytes < 1.5KiB", "bytes between 1kb and 1MiB",
                             "bytes in (2GB, 1.500KB)", "bytes < 8000000tb", "bytes > 0.5kib"}) {
    EXPECT_TRUE(Passes(filter)) << filter;
    EXPECT_FALSE(Passes("not (" + std::string(filter) + ")")) << filter;
  }
  for (const char* bad : {"bytes > 1M", "bytes > 1.2.3MB", "bytes > 10000000TiB", "bytes > MB", "bytes > .MB",
                          "bytes > 1e3MB", "bytes > 99999999999999999999B"})
    EXPECT_THAT(ErrorOf(bad), HasSubstr("^")) << bad;
  EXPECT_THAT(ErrorOf("dstport = 1MB"), HasSubstr("at most 65535"));
}

TEST(Filter, ShortNamesAreFields) {
  EXPECT_TRUE(Passes("src_port = 40000 or dst_port = 443 and DST-PORT = 443 and proto = 'tcp' and dport = 443"));
  EXPECT_TRUE(Passes("src is not null and dst is not null"));
  EXPECT_THAT(ErrorOf("srcs = 1"), HasSubstr("^"));
}

TEST(Filter, NullIsNeitherTrueNorFalse) {
  for (const char* filter :
       {"dstport = 443", "dstport != 443", "not dstport = 443", "srcaddr in '10.0.0.0/8'",
        "not srcaddr in '10.0.0.0/8'", "action != 'ACCEPT'", "interface_id like '%'", "srcport = dstport",
        "dstport = 1 and true", "dstport = 1 or false", "pkt_srcaddr = '1.1.1.1'"}) {
    EXPECT_FALSE(Passes(filter, kNulls)) << filter;
  }
  for (const char* filter :
       {"dstport is null", "dstport = 1 or true", "not (dstport = 1 and false)", "log_status = 'NODATA'"})
    EXPECT_TRUE(Passes(filter, kNulls)) << filter;
}

TEST(Filter, ErrorsShowThePlace) {
  EXPECT_THAT(ErrorOf("actoin = 'x'"), HasSubstr("did you mean 'action'?\n  actoin = 'x'\n  ^"));
  EXPECT_THAT(ErrorOf("bytes > 1 and dstport = 70000"),
              HasSubstr("dstport is at most 65535\n  bytes > 1 and dstport = 70000\n                          ^"));
  EXPECT_THAT(ErrorOf("action = REJECT"), HasSubstr("quotes"));
  EXPECT_THAT(ErrorOf("srcaddr in '10.1.0.0/8'"), HasSubstr("did you mean '10.0.0.0/8'?"));
  EXPECT_THAT(ErrorOf("srcaddr < '10.0.0.0'"), HasSubstr("is an address"));
  EXPECT_THAT(ErrorOf("action < 'B'"), HasSubstr("is text"));
  EXPECT_THAT(ErrorOf("bytes like 'x'"), HasSubstr("not text"));
  EXPECT_THAT(ErrorOf("bytes = -1"), HasSubstr("negative"));
  EXPECT_THAT(ErrorOf("(bytes = 1"), HasSubstr("never closed"));
  EXPECT_THAT(ErrorOf("bytes = 1)"), HasSubstr("not expected"));
  EXPECT_THAT(ErrorOf("bytes = 1 bytes = 2"), HasSubstr("not expected"));
  EXPECT_THAT(ErrorOf("action = 'x"), HasSubstr("never closed"));
  EXPECT_THAT(ErrorOf("action ~ '('"), HasSubstr("regular expression"));
  EXPECT_THAT(ErrorOf("start > 'tomorrow'"), HasSubstr("Unix seconds"));
  EXPECT_THAT(ErrorOf("bytes between 1"), HasSubstr("'and'"));
  EXPECT_THAT(ErrorOf("srcaddr = bytes"), HasSubstr("cannot be compared"));
  for (const char* bad : {"", "and", "not", "bytes", "bytes =", "= 1", "bytes in", "bytes in ()", "bytes in (1,",
                          "bytes is", "bytes is not", "dstport not 5", "bytes & = 1", "\x01", "a\xff"}) {
    EXPECT_THAT(ErrorOf(bad), HasSubstr("^")) << bad;
  }
}

TEST(Filter, T11HostileSizesAreRefusedQuickly) {
  EXPECT_THAT(ErrorOf(std::string(1000, '(') + "bytes = 1" + std::string(1000, ')')), HasSubstr("nested deeper"));
  EXPECT_THAT(ErrorOf("action ~ '" + std::string(5000, 'a') + "'"), HasSubstr("at most 4096"));
  std::string terms = "bytes = 1";
  while (terms.size() < 70'000) terms += " or bytes = 1";
  EXPECT_THAT(ErrorOf(terms), HasSubstr("longer than"));
  EXPECT_TRUE(Passes("true" + [] {
    std::string s;
    for (int i = 0; i < 4000; ++i) s += " and true";
    return s;
  }()));
}

TEST(Filter, T10ClassicalBombIsLinear) {
  EXPECT_FALSE(
      Passes("interface_id ~ '(a*)*b(a|a)*$'", "5 " + std::string(200'000, 'a') + " 10.1.2.3 - 1 1 6 1 1 ACCEPT - OK"));
}

TEST(Filter, RandomTextsNeverCrash) {
  std::mt19937 random(5);
  const std::vector<std::string> words = {
      "bytes", "srcaddr", "action", "=",       "!=", "<",    "in",    "(",         ")",
      ",",     "not",     "and",    "or",      "is", "null", "like",  "'x'",       "'10.0.0.0/8'",
      "5",     "&",       "~",      "between", "\"", "'",    "start", "2026-01-01"};
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += words[random() % words.size()] + " ";
    (void)Filter::Parse(text);
  }
}

// A batch gives what single records give.
TEST(Filter, BatchAndRecordAgree) {
  std::string log = std::string(kFields5) + "\n";
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    const auto pick = [&](std::vector<std::string> v) { return v[random() % v.size()] + " "; };
    log += "5 " + pick({"eni-1", "eni-22", "-"}) + pick({"10.0.0.1", "192.168.1.1", "2001:db8::9", "-"}) +
           pick({"10.0.0.1", "8.8.8.8", "-"}) + pick({"1", "40000", "-"}) + pick({"22", "443", "-"}) +
           pick({"6", "17", "-"}) + pick({"0", "1500", "999999", "-"}) + pick({"1795413600", "-"}) +
           pick({"ACCEPT", "REJECT", "-"}) + pick({"2", "18", "-"}) + "OK\n";
  }
  for (const char* text :
       {"srcaddr = dstaddr or bytes > 1000", "not (action = 'REJECT' and dstport in (22, 23))",
        "tcp_flags & 2 = 2 and srcaddr in ('10.0.0.0/8', '2001:db8::/32')",
        "interface_id like 'eni-_' or protocol = 'udp'", "bytes is null or not dstport = 22", "dstport = 22",
        "dstport != 22", "dstport < 443", "dstport <= 22", "dstport > 22", "dstport >= 443", "bytes between 1 and 2000",
        "dstport in (22, 443, 80)", "srcport = dstport", "srcport != dstport", "srcport < dstport",
        "srcport <= dstport", "srcport > dstport", "srcport >= dstport", "srcaddr != dstaddr", "interface_id = action",
        "interface_id != action", "interface_id is null", "srcaddr is not null", "true", "false or dstport = 22",
        // the log has no such fields
        "pkt_srcaddr = srcaddr", "srcaddr = pkt_srcaddr", "vpc_id = interface_id", "interface_id != vpc_id",
        "traffic_path = dstport", "dstport < traffic_path", "vpc_id is null", "pkt_srcaddr is null",
        "traffic_path is null", "vpc_id like 'vpc%'", "vpc_id in ('vpc-1')", "traffic_path = 1",
        "pkt_srcaddr in ('10.0.0.0/8')", "dstport in (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,22)",
        "srcaddr in ('0.0.0.0/0')", "srcaddr in ('::/0')", "srcaddr in ('2001:db8::9')",
        "dstaddr in ('8.8.8.8', '1.0.0.0/9', '2.0.0.0/9', '3.0.0.0/9', '4.0.0.0/9', '5.0.0.0/9', "
        "'6.0.0.0/9', '7.0.0.0/9', '9.0.0.0/9', '11.0.0.0/9')"}) {
    PlanSpec spec;
    spec.where = text;
    spec.aggs = {{"n", "count()"}};
    spec.allow_missing = true;
    uint64_t n = 0;
    absl::StatusOr<Filter> filter = Filter::Parse(text);
    ASSERT_TRUE(filter.ok());
    Reader reader({Source::Bytes("log", std::string_view(log))}, {});
    for (const RecordView& record : reader) n += filter->Matches(record);
    EXPECT_EQ(vpcflow_testing::RunToJson(spec, {Source::Bytes("log", std::string_view(log))}),
              "{\"n\": " + std::to_string(n) + "}\n")
        << text;
  }
}

TEST(CidrSet, SetsOfAnySizeAgainstLookingAtEachPrefix) {
  std::mt19937_64 random(11);
  for (const size_t size : {0, 1, 7, 8, 9, 60}) {
    CidrSet set;
    std::vector<Cidr> all;
    for (size_t i = 0; i < size; ++i) {
      const Ip at = i % 3 == 2 ? Ip{0x20010DB800000000, random() % 256} : Ip::V4(static_cast<uint32_t>(random()));
      Cidr cidr;
      const std::string text =
          ToString(at) + "/" + std::to_string(at.is_v4() ? 1 + random() % 32 : 100 + random() % 29);
      std::string meant;  // with the bits behind the prefix zero
      if (!ParseCidr(text, &cidr, &meant)) {
        ASSERT_TRUE(ParseCidr(meant, &cidr)) << text;
      }
      all.push_back(cidr);
      set.Add(cidr);
    }
    set.Build();
    for (int i = 0; i < 20'000; ++i) {
      const bool v4 = i % 2 == 0;
      Ip ip = v4 ? Ip::V4(static_cast<uint32_t>(random())) : Ip{0x20010DB800000000, random() % 512};
      if (i % 5 == 0 && size > 0) ip = i % 10 == 0 ? all[random() % size].first : all[random() % size].last;
      const bool in = std::any_of(all.begin(), all.end(), [&](const Cidr& c) { return c.first <= ip && ip <= c.last; });
      ASSERT_EQ(set.Contains(ip), in) << ToString(ip);
      if (!ip.is_v4()) continue;
      ASSERT_EQ(set.ContainsV4(ip.v4()), in) << ToString(ip);
    }
  }
}

TEST(CidrSet, PrefixesOfIpv6HoldNoIpv4) {
  for (const char* text : {"::/0", "::/1", "::/40", "::/79"}) {
    CidrSet set;
    Cidr cidr;
    ASSERT_TRUE(ParseCidr(text, &cidr));
    set.Add(cidr);
    set.Build();
    for (const Ip& four : {Ip::V4(0), Ip::V4(0x0A000001), Ip::V4(~uint32_t{0})}) {
      EXPECT_FALSE(set.Contains(four)) << text;
      EXPECT_FALSE(set.ContainsV4(four.v4())) << text;
    }
    for (const Ip& six : {Ip{0, 0}, Ip{0, 1}, Ip{0, 0xFFFE'FFFF'FFFF}, Ip{0, 0x1'0000'0000'0000}})
      EXPECT_TRUE(set.Contains(six)) << text;
  }
  CidrSet both;
  for (const char* text : {"::/0", "10.0.0.0/8"}) {
    Cidr cidr;
    ASSERT_TRUE(ParseCidr(text, &cidr));
    both.Add(cidr);
  }
  both.Build();
  EXPECT_TRUE(both.ContainsV4(0x0A000001));
  EXPECT_FALSE(both.ContainsV4(0x0B000001));
}

}  // namespace
}  // namespace vpcflow
