// Entries of containers as lines: names of columns, what is no record, and what it seems to be.
#include "src/container/record_lines.h"

#include <string>
#include <utility>
#include <vector>

#include "src/container/column_names.h"
#include "src/container/foreign.h"
#include "src/container/inner_text.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using internal::NameColumns;
using internal::NamedColumns;
using internal::RecordLines;
using internal::SeemsToBe;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> NamesOf(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const internal::NamedColumn& column : NameColumns(names).columns)
    out.push_back(column.name + "=" + names[column.position]);
  return out;
}

TEST(NamesAFlow, NeedsWhoAndWhat) {
  using Names = std::vector<std::string>;
  for (const Names& names :
       {Names{"srcaddr", "dstaddr"}, Names{"SrcAddr", "bytes"}, Names{"interface_id", "log-status"},
        Names{"sourceaddress", "starttime"}, Names{"tgw-attachment-id", "packets"}})
    EXPECT_TRUE(NamesAFlow(names)) << names[0];
  for (const Names& names :
       {Names{}, Names{"srcaddr"}, Names{"sourceaddress", "destinationaddress"}, Names{"vpc-id", "account", "region"},
        Names{"start", "end", "bytes"}, Names{"srcaddr", "srcport", "vpc_id", "account_id", "region", "version"}})
    EXPECT_FALSE(NamesAFlow(names));
}

TEST(ColumnNames, FieldsFirstAndEachNameOnce) {
  EXPECT_THAT(NamesOf({"team", "Log Status", "srcAddr", "my tag", "my-tag"}),
              ElementsAre("log-status=Log Status", "srcaddr=srcAddr", "team=team", "my-tag=my tag", "my-tag-2=my-tag"));
  EXPECT_THAT(NamesOf({"start_time", "start", "End [UTC]"}),
              ElementsAre("start=start", "end=End [UTC]", "start-time=start_time"));
  EXPECT_THAT(NamesOf({"start_time"}), ElementsAre("start=start_time"));
  EXPECT_THAT(NamesOf({"1", "", "@timestamp", "\xFF"}), ElementsAre("x-1=1", "x-=", "x--=\xFF"));
  const std::string long_name(500, 'y');
  const NamedColumns columns = NameColumns(std::vector<std::string>{long_name, long_name, "srcaddr", "bytes"});
  EXPECT_EQ(columns.columns[2].name, std::string(128, 'y'));
  EXPECT_EQ(columns.columns[3].name, std::string(126, 'y') + "-2");
  EXPECT_EQ(NameColumns(std::vector<std::string>{"start", "START"}).clash,
            "two columns are the field start: 'start' and 'START'");
  EXPECT_EQ(NameColumns(std::vector<std::string>{"start", "starttime", "start_time"}).clash, "");
}

TEST(ColumnNames, LogAnalytics) {
  EXPECT_THAT(NamesOf({"Type", "SrcAddr"}), ElementsAre("type=Type", "srcaddr=SrcAddr"));
  EXPECT_THAT(NamesOf({"Type", "TrafficType"}), ElementsAre("type=TrafficType"));
  EXPECT_THAT(NamesOf({"Type", "TimeGenerated [UTC]", "_ResourceId"}), ElementsAre("start=TimeGenerated [UTC]"));
  EXPECT_THAT(NamesOf({"TimeGenerated", "StartTime"}), ElementsAre("start=StartTime", "timegenerated=TimeGenerated"));
}

std::string LinesOf(const std::vector<std::vector<std::pair<std::string, std::string>>>& records) {
  RecordLines lines;
  for (const auto& record : records) {
    lines.Begin();
    for (const auto& [name, value] : record) lines.Add(name, value);
    if (!lines.End()) lines.NoRecord("it");
  }
  std::string out;
  size_t at = 0;
  for (const LineKind kind : lines.kinds()) {
    const size_t end = lines.out().find('\n', at) + 1;
    out += kind == LineKind::kNoRecord ? "!" : kind == LineKind::kHeader ? "#" : "";
    out += lines.out().substr(at, end - at);
    at = end;
  }
  EXPECT_EQ(at, lines.out().size());
  return out;
}

TEST(RecordLines, NamesThatComeAndGo) {
  EXPECT_EQ(LinesOf({{{"srcaddr", "::1"}, {"bytes", "5.0"}}, {{"bytes", ""}, {"srcaddr", "::2"}}}),
            "#srcaddr bytes\n::1 5\n::2 -\n");
  // What is no record adds no columns, and the names after it are found again.
  EXPECT_EQ(LinesOf({{{"srcaddr", "::1"}, {"bytes", "5"}},
                     {{"srcaddr", "::1"}, {"a", "5"}},
                     {{"srcaddr", "::1"}, {"bytes", "6"}},
                     {{"bytes", "7"}, {"Bytes", "7"}, {"srcaddr", "::1"}, {"b", "5"}},
                     {{"bytes", "8"}, {"srcaddr", "::1"}, {"b", "x y"}}}),
            "#srcaddr bytes\n::1 5\n!it\n::1 6\n!two columns are the field bytes: 'bytes' and 'Bytes': it\n"
            "#srcaddr bytes b\n::1 8 x\xFF`y\n");
  std::vector<std::pair<std::string, std::string>> wide = {{"srcaddr", "::1"}, {"bytes", "5"}};
  for (int i = 0; i < 2000; ++i) wide.emplace_back("c" + std::to_string(i), "1");
  EXPECT_EQ(LinesOf({wide, {{"srcaddr", "::1"}, {"bytes", "5"}}}),
            "!more than 256 columns: it\n#srcaddr bytes\n::1 5\n");
  EXPECT_EQ(LinesOf({{}, {{"", ""}}}), "!it\n!it\n");
}

TEST(InnerText, EveryByteComesBack) {
  std::string all, inner, scratch;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& text :
       {all, all + all, std::string("\xFF"), std::string("a b"), std::string("%20"), std::string()}) {
    for (const bool blanks_too : {false, true}) {
      inner.clear();
      internal::AppendInner(text, blanks_too, &inner);
      EXPECT_EQ(internal::OuterText(inner, &scratch), text);
      for (const char c : inner) EXPECT_TRUE(static_cast<unsigned char>(c) > 0x20 || (c == ' ' && !blanks_too));
      EXPECT_EQ(inner.find('\x7F'), std::string::npos);
    }
  }
  EXPECT_EQ(internal::OuterText("a\xFF", &scratch), "a\xFF");  // cut
}

TEST(InnerText, ReadersAndScansSeeTextsAsTheyWere) {
  std::string json;
  for (int i = 0; i < 400; ++i) {
    json += "{\"srcaddr\": \"10.0.0.1\", \"bytes\": " + std::to_string(i) + ", \"instance-tag\": \"" +
            (i % 3 == 0   ? "a b"
             : i % 3 == 1 ? "a%20b"
                          : "plain") +
            "\", \"dstport\": \"" + (i == 7 ? "x y" : "22") + "\"}\n";
  }
  ScanOptions options;
  options.block_bytes = 512;
  Reader reader({Source::Bytes("log", json)}, options);
  int i = 0;
  for (const RecordView& record : reader) {
    EXPECT_EQ(record.instance_tag(), i % 3 == 0 ? "a b" : i % 3 == 1 ? "a%20b" : "plain");
    EXPECT_EQ(record.bytes(), i);
    EXPECT_EQ(record.dstport().has_value(), i != 7);
    ++i;
  }
  EXPECT_EQ(i, 400);
  ASSERT_EQ(reader.report().rejected(), 1u);
  EXPECT_EQ(reader.report().rejects[0].field, "dstport");
  EXPECT_THAT(reader.report().rejects[0].excerpt, HasSubstr("a%20b x y"));
  vpcflow::Aggregate<vpcflow::Count> count;
  ASSERT_TRUE(
      vpcflow::Scan(Source::Bytes("log", json)).Where("instance_tag = 'a b'").Options(options).Into(&count).ok());
  EXPECT_EQ(count.Value<0>(), 134u);
}

TEST(Foreign, LinesOfOthers) {
  const std::pair<std::string_view, std::string_view> lines[] = {
      {"h2 2026-02-25T06:13:20.1Z app/web/50dc 192.0.2.9:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 34 366 \"GET / "
       "HTTP/2.0\"",
       "a load balancer access log"},
      {"tls 2.0 2026-02-25T06:13:20 net/lb/c6e7 g3d4 72.21.0.9:51341 172.100.0.1:443 5 2 98 246",
       "a load balancer access log"},
      {"my-lb 192.0.2.9:2817 10.0.0.1:80 0.1 0.2 0.3 200 200 0 29 \"GET http://x/ HTTP/1.1\"", "an HTTP access log"},
      {"79a5 bucket [25/Feb/2026:06:13:20 +0000] 192.0.2.3 79a5 3E57 REST.GET.OBJECT k \"GET /k HTTP/1.1\" 200",
       "an S3 server access log"},
      {"192.0.2.3 - - [25/Feb/2026:06:13:20 +0000] \"GET / HTTP/1.0\" 200 5", "a web server access log"},
      {"#Version: 1.0\n#Fields: date time x-edge-location", "a W3C access log"},
      {"#separator \\x09", "a Zeek log"},
      {"<134>1 2026-02-25T06:13:20Z host app - - - text", "a syslog line"},
      {"Feb  5 06:13:20 host sshd[1]: Accepted", "a syslog line"},
      {"CEF:0|Vendor|Product|1|100|name|5|src=10.0.0.1", "a CEF event"},
      {"<?xml version=\"1.0\"?><Error/>", "an XML document"},
      {"02/25/2026-06:13:20.1 [**] [1:2000:1] ET SCAN [**] {TCP} 10.0.0.1:5 -> 10.0.0.2:22", "a Suricata alert"},
      {"lineItem/UsageAccountId,lineItem/UnblendedCost", "a Cost and Usage Report"},
      {"[{\"BilledCost\":1,\"BillingAccountId\":\"1\"}]", "a bill in the FOCUS format"},
      {"{\"class_uid\":3002,\"metadata\":{}}", "an OCSF event of another class"},
      {"{\"ResultsByTime\":[]}", "a Cost Explorer answer"},
      {"", ""},
      {" \n", ""},
      {"2 012345678901 eni-0b 10.1.0.7 192.0.2.44 50123 8443 6 12 9000 1772000000 1772000060 ACCEPT OK", ""},
      {"version account-id interface-id srcaddr", ""},
      {"[", ""},
      {"<x>", ""},
      {"Feb", ""},
  };
  for (const auto& [line, kind] : lines) EXPECT_EQ(SeemsToBe(line), kind) << line;
  // What stands far behind is not looked at.
  EXPECT_EQ(SeemsToBe("{" + std::string(5000, ' ') + "\"ResultsByTime\":[]}"), "");
}

}  // namespace
}  // namespace vpcflow
