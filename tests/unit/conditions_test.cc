// Conditions that no record can pass, or that each passes: errors with the nearest value, or warnings.
#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string ErrorOf(const std::string& text, const FilterOptions& options = {}) {
  const absl::StatusOr<Filter> filter = Filter::Parse(text, {"own-column"}, options);
  EXPECT_FALSE(filter.ok()) << text;
  return filter.ok() ? "" : std::string(filter.status().message());
}

std::vector<std::string> WarningsOf(const std::string& text, const FilterOptions& options = {}) {
  const absl::StatusOr<Filter> filter = Filter::Parse(text, {"own-column"}, options);
  EXPECT_TRUE(filter.ok()) << text << ": " << filter.status().message();
  return filter.ok() ? filter->warnings() : std::vector<std::string>();
}

// How many records of a log pass, counted by batches and record by record.
size_t Passing(const std::string& where, const std::string& log) {
  const std::vector<Source> sources = {Source::Bytes("log", log)};
  const absl::StatusOr<Plan> plan = Plan::Make({.where = where, .allow_missing = true});
  EXPECT_TRUE(plan.ok()) << where << ": " << plan.status().message();
  const absl::StatusOr<Filter> filter = Filter::Parse(where);
  if (!plan.ok() || !filter.ok()) return SIZE_MAX;
  const absl::StatusOr<Result> result = plan->Run(sources, {});
  EXPECT_TRUE(result.ok()) << result.status().message();
  size_t passed = 0;
  Reader reader(sources, {});
  for (const RecordView& record : reader) passed += filter->Matches(record) ? 1 : 0;
  if (result.ok()) {
    EXPECT_EQ(result->table.rows, passed) << where;
  }
  return passed;
}

TEST(Conditions, KnownWordsAreComparedWithoutCase) {
  const std::string log =
      "action log-status flow-direction type interface-type pkt-dst-aws-service region account-id\n"
      "ACCEPT OK ingress IPv4 nat_gateway S3 eu-west-1 123456789012\n"
      "REJECT OK egress IPv6 - - eu-west-1 001234567890\n"
      "- NODATA - - - - eu-west-1 123456789012\n";
  for (const auto& [where, n] :
       std::vector<std::pair<std::string, size_t>>{{"action = 'accept'", 1},
                                                   {"action = 'Reject'", 1},
                                                   {"action != 'accept'", 1},
                                                   {"action in ('reject', 'ACCEPT')", 2},
                                                   {"action not in ('reject')", 1},
                                                   {"action like 'rej%'", 1},
                                                   {"action matches '^acc'", 1},
                                                   {"log_status = 'ok'", 2},
                                                   {"log_status = 'NoData'", 1},
                                                   {"flow_direction = 'EGRESS'", 1},
                                                   {"flow_direction != 'Egress'", 1},
                                                   {"type = 'ipv4' or type = 'IPV6'", 2},
                                                   {"interface_type = 'NAT_GATEWAY'", 1},
                                                   {"pkt_dst_aws_service = 's3'", 1},
                                                   {"account_id = 123456789012", 2},
                                                   {"account_id = 1234567890", 1},  // a number has lost its zeros
                                                   {"account_id = '001234567890'", 1},
                                                   {"not account_id in (1234567890)", 2}}) {
    EXPECT_EQ(Passing(where, log), n) << where;
  }
  // The log may have them in another case, too.
  EXPECT_EQ(Passing("action = 'REJECT'", "srcaddr action\n10.0.0.1 reject\n10.0.0.1 REJECT\n"), 2u);
}

TEST(Conditions, OtherWordsNameTheNearest) {
  for (const auto& [where, meant] :
       std::vector<std::pair<std::string, std::string>>{{"action = 'DENY'", "REJECT"},
                                                        {"action = 'dropped'", "REJECT"},
                                                        {"action != 'Blocked'", "REJECT"},
                                                        {"action in ('ACCEPT', 'REFUSED')", "REJECT"},
                                                        {"action = 'allow'", "ACCEPT"},
                                                        {"action = 'ACEPT'", "ACCEPT"},
                                                        {"log_status = 'NO DATA'", "NODATA"},
                                                        {"log_status = 'skip-data'", "SKIPDATA"},
                                                        {"log_status = 'success'", "OK"},
                                                        {"flow_direction = 'outbound'", "egress"},
                                                        {"flow_direction = 'IN'", "ingress"},
                                                        {"type = 'v6'", "IPv6"},
                                                        {"type = 4", "IPv4"}}) {
    EXPECT_THAT(ErrorOf(where), HasSubstr("did you mean '" + meant + "'?")) << where;
  }
  EXPECT_THAT(ErrorOf("bytes > 1 and action = 'DENY'"),
              HasSubstr("action is ACCEPT or REJECT, never 'DENY'; did you mean 'REJECT'?\n"
                        "  bytes > 1 and action = 'DENY'\n"
                        "                         ^"));
  EXPECT_THAT(ErrorOf("action = 'purple'"), HasSubstr("action is ACCEPT or REJECT, never 'purple'\n"));
  EXPECT_THAT(ErrorOf("action like 'deny%'"), HasSubstr("none of these is like 'deny%'"));
  EXPECT_THAT(ErrorOf("flow_direction ~ '^out'"), HasSubstr("ingress or egress"));
}

TEST(Conditions, NullHasTestsOfItsOwn) {
  for (const char* where : {"srcaddr = '-'", "srcaddr != '-'", "bytes = '-'", "bytes != 'NaN'", "dstport = ''",
                            "start > 'null'", "instance_id = '-'", "instance_id != ''", "instance_id like '-'",
                            "action = '-'", "action = 'None'", "own_column = '-'", "vpc_id in ('vpc-1', '-')",
                            "action = null", "bytes != NULL", "srcaddr in ('10.0.0.1', '-')"}) {
    EXPECT_THAT(ErrorOf(where), HasSubstr(" is null'")) << where;
  }
}

TEST(Conditions, AddressesHavePrefixesInPlaceOfPatterns) {
  for (const auto& [where, meant] : std::vector<std::pair<std::string, std::string>>{
           {"srcaddr like '10.%'", "10.0.0.0/8"},
           {"srcaddr not like '192.168.1.%'", "192.168.1.0/24"},
           {"dstaddr matches '^172\\.16\\.'", "172.16.0.0/16"},
           {"dstaddr ~ '^10[.]1[.].*'", "10.1.0.0/16"},
           {"dstaddr like '%.10.%'", "10.0.0.0/8"},  // no prefix: an example
           {"pkt_srcaddr like '2001:db8:%'", "2001:db8::/32"},
           {"srcaddr = '10.*'", "10.0.0.0/8"},
           {"srcaddr in ('10.1.2.x')", "10.1.2.0/24"},
           {"srcaddr in '10.0.0.5/8'", "10.0.0.0/8"},
           {"srcaddr in ('2001:db8::1/32')", "2001:db8::/32"}}) {
    EXPECT_THAT(ErrorOf(where), HasSubstr("'" + meant + "'")) << where;
  }
  EXPECT_THAT(ErrorOf("dstport like '80%'"), HasSubstr("dstport is a number, not text; write dstport = 443"));
  EXPECT_THAT(ErrorOf("start like '2026%'"), HasSubstr("start is a time, not text"));
}

TEST(Conditions, NumbersOutsideOfTheirRange) {
  for (const char* where : {"dstport = 65536", "dstport != 70000", "dstport > 65535", "dstport >= 65536",
                            "dstport in (22, 65536)", "dstport between 70000 and 80000"}) {
    EXPECT_THAT(ErrorOf(where), HasSubstr("dstport is at most 65535")) << where;
  }
  EXPECT_THAT(ErrorOf("protocol = 256"), HasSubstr("protocol is at most 255"));
  EXPECT_THAT(ErrorOf("bytes < 0"), HasSubstr("bytes is never below 0"));
  EXPECT_THAT(ErrorOf("bytes = '-5'"), HasSubstr("never negative"));
  EXPECT_THAT(ErrorOf("bytes = 99999999999999999999"), HasSubstr("bytes is at most 9223372036854775807"));
  EXPECT_THAT(ErrorOf("bytes between 10 and 5"), HasSubstr("between 5 and 10"));
  EXPECT_THAT(ErrorOf("bytes in ()"), HasSubstr("this list is empty"));
  EXPECT_THAT(ErrorOf("tcp_flags & 18 = 1"), HasSubstr("tcp-flags & 18 is never 1"));
  EXPECT_THAT(ErrorOf("tcp_flags & 2 > 2"), HasSubstr("tcp-flags & 2 is at most 2"));
  EXPECT_THAT(ErrorOf("start > 1795413600000"), HasSubstr("did you mean 1795413600?"));
  EXPECT_THAT(ErrorOf("start = '2026-13-01'"), HasSubstr("'2026-13-01' is none"));
  for (const char* where : {"dstport >= 0", "dstport <= 65535", "bytes > 0", "dstport between 0 and 65535",
                            "tcp_flags & 2 = 0", "tcp_flags & 2 != 0", "start < '2030-01-01'", "dstport = 22.0"}) {
    EXPECT_THAT(WarningsOf(where), IsEmpty()) << where;
  }
  EXPECT_THAT(WarningsOf("dstport < 65536"), ElementsAre(HasSubstr("always holds")));
  EXPECT_THAT(WarningsOf("start < '9999-12-31'"), ElementsAre(HasSubstr("always holds")));
}

TEST(Conditions, NamesForNumbers) {
  EXPECT_THAT(ErrorOf("dstport = 'ssh'"), HasSubstr("did you mean 22?"));
  EXPECT_THAT(ErrorOf("dstport in ('https')"), HasSubstr("did you mean 443?"));
  EXPECT_THAT(ErrorOf("tcp_flags = 'SYN'"), HasSubstr("did you mean tcp_flags & 2 = 2?"));
  EXPECT_THAT(ErrorOf("protocol = 'tpc'"), HasSubstr("did you mean 'tcp'?"));
  EXPECT_THAT(ErrorOf("protocol = tcp"), HasSubstr("quotes"));
  const std::string log = "srcaddr protocol\n10.0.0.1 6\n10.0.0.1 58\n10.0.0.1 -\n";
  EXPECT_EQ(Passing("protocol = 'TCP'", log), 1u);
  EXPECT_EQ(Passing("protocol in ('Tcp', 'ipv6-icmp')", log), 2u);
  EXPECT_EQ(Passing("protocol != 'tcp'", log), 1u);
}

TEST(Conditions, OpenListsOnlyWarn) {
  EXPECT_THAT(WarningsOf("interface_type = 'nat'"), ElementsAre(HasSubstr("did you mean 'nat_gateway'?")));
  EXPECT_THAT(WarningsOf("pkt_src_aws_service = 'DYNAMO'"), ElementsAre(HasSubstr("'DYNAMODB'")));
  EXPECT_THAT(WarningsOf("region = 'us-east'"), ElementsAre(HasSubstr("'us-east-1'")));
  EXPECT_THAT(WarningsOf("traffic_path = 9"), ElementsAre(HasSubstr("the largest that AWS documents is 8")));
  EXPECT_THAT(WarningsOf("account_id = 'prod'"), ElementsAre(HasSubstr("12 digits")));
  EXPECT_THAT(ErrorOf("account_id = '1234-5678-9012'"), HasSubstr("did you mean '123456789012'?"));
  for (const char* where : {"region = 'ap-southeast-2'", "region like 'us-east%'", "interface_id = 'anything'",
                            "interface_type = 'vpc_endpoint'", "reject_reason = 'bpa'", "account_id = 'unknown'",
                            "own_column = 'DENY'", "own_column = ''", "vpc_id = 'null'"}) {
    EXPECT_THAT(WarningsOf(where), IsEmpty()) << where;
  }
}

TEST(Conditions, TestsThatExcludeEachOther) {
  for (const char* where :
       {"bytes > 10 and bytes < 5", "dstport = 22 and dstport = 23",
        "dstport = 22 and packets > 1 and dstport in (23, 24)", "dstport = 22 and not dstport = 22",
        "not (dstport != 22 or dstport = 22)", "start > 100 and start <= 100",
        "action = 'ACCEPT' and action = 'reject'", "action = 'ACCEPT' and action != 'ACCEPT'",
        "srcaddr in '10.0.0.0/8' and srcaddr in '192.168.0.0/16'",
        "srcaddr in '10.1.0.0/16' and not srcaddr in '10.0.0.0/8'", "dstaddr is null and dstaddr = '10.0.0.1'",
        "vpc_id is null and vpc_id is not null", "bytes > 1 or (dstport = 22 and dstport = 23)"}) {
    EXPECT_THAT(WarningsOf(where), ElementsAre(HasSubstr("no record passes both"))) << where;
  }
  for (const char* where : {"dstport != 22 or dstport != 23", "action != 'ACCEPT' or action != 'REJECT'",
                            "not (dstport = 22 and dstport = 23)", "bytes >= 10 or bytes < 20"}) {
    EXPECT_THAT(WarningsOf(where), ElementsAre(HasSubstr("one of them always holds"))) << where;
  }
  for (const char* where :
       {"bytes > 5 and bytes < 10", "dstport = 22 or dstport = 23", "dstport != 22 and dstport != 23",
        "srcaddr in '10.0.0.0/8' and not srcaddr in '10.1.0.0/16'", "tcp_flags & 2 = 2 and tcp_flags & 16 = 0",
        "tcp_flags = 2 and tcp_flags & 2 = 2", "log_status is null or log_status is not null",
        "srcaddr in '10.0.0.0/8' and dstaddr in '192.168.0.0/16'", "dstport between 20 and 30 and dstport in (25, 80)",
        "action like 'A%' and action = 'ACCEPT'", "srcport = dstport and dstport = 22", "true", "not false"}) {
    EXPECT_THAT(WarningsOf(where), IsEmpty()) << where;
  }
  EXPECT_THAT(WarningsOf("false"), ElementsAre(HasSubstr("holds of no record")));
  EXPECT_THAT(WarningsOf("bytes > 1 and false"), ElementsAre(HasSubstr("holds of no record")));
  EXPECT_THAT(WarningsOf("dstport = 22 and dstport != 22"), ElementsAre("filter: dstport = 22 and dstport != 22: no "
                                                                        "record passes both"));
}

// A hundred thousand pairs are not looked at, nor many warnings kept.
TEST(Conditions, ManyTestsAreCheap) {
  std::string where = "dstport = 0";
  for (int i = 1; i < 3000; ++i) where += " and dstport = " + std::to_string(i);
  EXPECT_LE(WarningsOf(where).size(), 16u);
}

TEST(Conditions, SessionsHaveStatesAsActions) {
  constexpr std::string_view kStates[] = {"rejected", "established"};
  EXPECT_THAT(WarningsOf("action = 'Rejected'", {.actions = kStates}), IsEmpty());
  EXPECT_THAT(ErrorOf("action = 'REJECT'", {.actions = kStates}), HasSubstr("did you mean 'rejected'?"));
  EXPECT_THAT(ErrorOf("action = 'rejected'"), HasSubstr("did you mean 'REJECT'?"));
}

// States that earlier releases saved are read, whatever their filters.
TEST(Conditions, LenientOnesOnlyWarn) {
  for (const char* where :
       {"action = 'DENY'", "instance_id = '-'", "bytes < 0", "dstport > 70000", "bytes between 9 and 5",
        "action like 'x%'", "dstport = 70000", "start > 1795413600000", "tcp_flags & 2 = 4"}) {
    EXPECT_THAT(WarningsOf(where, {.lenient = true}), ::testing::SizeIs(1)) << where;
  }
}

TEST(Conditions, PlansTellTheWarnings) {
  const std::string log = "srcaddr dstport bytes action\n10.0.0.1 22 40 ACCEPT\n";
  const std::vector<Source> sources = {Source::Bytes("log", log)};
  for (const PlanSpec& spec : {PlanSpec{.where = "dstport = 22 and dstport = 23"},
                               PlanSpec{.aggs = {{"n", "count() where dstport = 22 and dstport = 23"}}}}) {
    const absl::StatusOr<Plan> plan = Plan::Make(spec);
    ASSERT_TRUE(plan.ok());
    const absl::StatusOr<Result> result = plan->Run(sources, {});
    ASSERT_TRUE(result.ok());
    EXPECT_THAT(result->report.warnings, ::testing::Contains(HasSubstr("no record passes both")));
  }
  EXPECT_THAT(Plan::Make({.aggs = {{"n", "count() where action = 'DENY'"}}}).status().message(), HasSubstr("'REJECT'"));
  Report report;
  Aggregate<Count> n;
  ASSERT_TRUE(Scan(sources).Where("dstport = 22 and dstport = 23").Into(&n, &report).ok());
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("no record passes both")));
}

}  // namespace
}  // namespace vpcflow
