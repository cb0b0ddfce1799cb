#include "unit/testing.h"

namespace vpcflow {
namespace {

using vpcflow_testing::kHeader;
using vpcflow_testing::Line;

Table Everything() {
  const std::string log = kHeader + Line("10.0.0.1", 22, 5) + "2 - =1+1 2001:db8::1 - - - - - - 1000 1060 a\"b,c OK\n";
  return Plan::Make({})->Run({Source::Bytes("l", std::string_view(log))}, {})->table;
}

TEST(Csv, QuotesAndGuardsAgainstFormulas) {
  const std::string csv = ToCsv(Everything(), true);
  EXPECT_EQ(csv,
            "version,account_id,interface_id,srcaddr,dstaddr,srcport,dstport,protocol,packets,bytes,start,end,action,"
            "log_status\n"
            "2,123456789010,eni-1,10.0.0.1,10.0.0.9,40000,22,6,10,5,1000,1060,ACCEPT,OK\n"
            "2,,'=1+1,2001:db8::1,,,,,,,1000,1060,\"a\"\"b,c\",OK\n");
  EXPECT_NE(ToCsv(Everything(), false, false).find(",=1+1,"), std::string::npos);
}

TEST(LogLines, AreALogAgain) {
  Table table = Everything();
  EXPECT_EQ(ToLogLines(table),
            "2 123456789010 eni-1 10.0.0.1 10.0.0.9 40000 22 6 10 5 1000 1060 ACCEPT OK\n"
            "2 - =1+1 2001:db8::1 - - - - - - 1000 1060 a\"b,c OK\n");
  table.columns[*table.Find("action")].texts = {"a b\n", ""};
  EXPECT_EQ(ToLogLines(table),
            "2 123456789010 eni-1 10.0.0.1 10.0.0.9 40000 22 6 10 5 1000 1060 a%20b%0A OK\n"
            "2 - =1+1 2001:db8::1 - - - - - - 1000 1060 - OK\n");
}

TEST(Json, NamesAndNulls) {
  const std::string json = ToJsonLines(Everything());
  EXPECT_NE(json.find("\"interface_id\": \"=1+1\", \"srcaddr\": \"2001:db8::1\", \"dstaddr\": null"), std::string::npos)
      << json;
  EXPECT_NE(json.find("\"action\": \"a\\\"b,c\""), std::string::npos);
}

TEST(ValidUtf8, ReplacesWhatIsNone) {
  EXPECT_EQ(ValidUtf8("plain"), "plain");
  EXPECT_EQ(ValidUtf8("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  const std::string r = "\xEF\xBF\xBD";
  for (const char* bad : {"\xFF", "\x80", "\xC3", "\xC0", "\xF5"}) EXPECT_EQ(ValidUtf8(bad), r) << bad;
  EXPECT_EQ(ValidUtf8("\xED\xA0\x80"), r + r + r);  // a surrogate
  EXPECT_EQ(ValidUtf8("\xE2\x82x"), r + r + "x");
}

TEST(Arrow, ColumnsAndOwnership) {
  ArrowArrayStream stream;
  {
    auto table = std::make_shared<Table>(Everything());
    ExportTable(table, &stream);
  }
  ArrowSchema schema;
  ArrowArray array, end;
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
  ASSERT_EQ(stream.get_next(&stream, &array), 0);
  ASSERT_EQ(stream.get_next(&stream, &end), 0);
  EXPECT_EQ(end.release, nullptr);
  stream.release(&stream);  // what was taken stays
  EXPECT_EQ(array.length, 2);
  ASSERT_EQ(schema.n_children, 14);
  EXPECT_STREQ(schema.children[3]->name, "srcaddr");
  EXPECT_STREQ(schema.children[3]->dictionary->format, "U");
  EXPECT_STREQ(schema.children[10]->format, "tsu:UTC");
  const ArrowArray& dictionary = *array.children[3]->dictionary;
  EXPECT_EQ(std::string(static_cast<const char*>(dictionary.buffers[2]), 8), "10.0.0.1");
  EXPECT_EQ(static_cast<const int64_t*>(array.children[10]->buffers[1])[0], 1'000'000'000);
  EXPECT_EQ(array.children[9]->null_count, 1);
  // A child that was moved out is not released twice.
  ArrowArray moved = *array.children[0];
  array.children[0]->release = nullptr;
  array.release(&array);
  EXPECT_EQ(static_cast<const int32_t*>(moved.buffers[1])[1], 2);
  moved.release(&moved);
  schema.release(&schema);
}

TEST(Arrow, OutAndInAgainGivesTheSameAnswer) {
  std::string log = kHeader;
  for (int i = 0; i < 5000; ++i)
    log += Line(i % 3 ? "10.0.0." + std::to_string(i % 50) : "2001:db8::" + std::to_string(i % 9), i % 7, i);
  log += "2 1 eni-9 - - - - - - - 5 6 - NODATA\n";
  const std::vector<Source> sources = {Source::Bytes("l", std::string_view(log))};
  PlanSpec spec;
  spec.by = {"srcaddr", "action"};
  spec.every = 60;
  spec.where = "dstport != 3";
  spec.aggs = {
      {"n", "count()"}, {"bytes", "sum(bytes)"}, {"ports", "n_unique(dstport)"}, {"eni", "first(interface_id)"}};
  absl::StatusOr<Result> rows = Plan::Make({})->Run(sources, {});
  ArrowArrayStream stream;
  ExportTable(std::make_shared<const Table>(std::move(rows->table)), &stream);
  const std::vector<Plan> plans = {*Plan::Make(spec)};
  absl::StatusOr<std::vector<Result>> results = RunAll(plans, {Source::Arrow("<arrow>", &stream)}, {});
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ(stream.release, nullptr);  // consumed
  EXPECT_EQ(ToJsonLines((*results)[0].table), vpcflow_testing::RunToJson(spec, sources));
  EXPECT_EQ((*results)[0].report.nodata, 1u);
}

}  // namespace
}  // namespace vpcflow
