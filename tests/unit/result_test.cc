// Results: reports, conditions and columns made of columns.
#include <cmath>

#include "unit/testing.h"
#include "vpcflow/result/compose.h"
#include "vpcflow/result/wide.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;

// Sums of bytes by port, the mean of no bytes at port 443.
Table Sums() {
  const std::string log =
      kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.2", 80, 7) + Line("10.0.0.3", 443, 0) + Line("10.0.0.1", 22, 4);
  PlanSpec spec;
  spec.by = {"dstport"};
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"least", "min(bytes) where bytes > 0"}};
  return Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {})->table;
}

std::vector<int> PortsThat(const std::string& condition) {
  Table table = Sums();
  const absl::Status status = KeepHaving(condition, &table);
  EXPECT_TRUE(status.ok()) << condition << ": " << status;
  return {table.columns[0].i32.begin(), table.columns[0].i32.end()};
}

TEST(Having, EveryComparison) {
  EXPECT_THAT(PortsThat("bytes < 7"), ElementsAre(443));
  EXPECT_THAT(PortsThat("bytes <= 7"), ElementsAre(80, 443));
  EXPECT_THAT(PortsThat("bytes > 7"), ElementsAre(22));
  EXPECT_THAT(PortsThat("bytes >= 7"), ElementsAre(22, 80));
  EXPECT_THAT(PortsThat(" bytes = 7 "), ElementsAre(80));
  EXPECT_THAT(PortsThat("bytes==7"), ElementsAre(80));
  EXPECT_THAT(PortsThat("bytes != 7"), ElementsAre(22, 443));
  EXPECT_THAT(PortsThat("least != 7"), ElementsAre(22)) << "null passes none";
  EXPECT_THAT(PortsThat("least < 1e9"), ElementsAre(22, 80));
  Table sums = Sums();
  for (const char* none : {"", "bytes", "bytes <", "< 7", "bytes < x", "bytes < 7 8", "bytes ~ 7"})
    EXPECT_EQ(ErrorKindOf(KeepHaving(none, &sums)), ErrorKind::kPlan) << none;
}

// The example of compose.h.
TEST(Having, DerivedColumnsAndConditions) {
  const std::string three = kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.1", 22, 4) + Line("10.0.0.2", 80, 7);
  Table table = Plan::Make({.by = {"dstport"},
                            .aggs = {{"n", "count()"},
                                     {"rejected", "count() where action = 'REJECT'"},
                                     {"bytes", "sum(bytes)"},
                                     {"double", "(n + n) * 1 - -rejected"}}})
                    ->Run({Source::Bytes("log", std::string_view(three))}, {})
                    ->table;
  EXPECT_THAT(std::vector<double>(table.columns[4].f64.begin(), table.columns[4].f64.end()), ElementsAre(4, 2));
  const absl::Status derived = vpcflow::DeriveColumn({"rejected_share", "rejected / n"}, &table);
  ASSERT_TRUE(derived.ok()) << derived;
  EXPECT_EQ(table.columns.back().f64[0], 0);
  const absl::Status kept = vpcflow::KeepHaving("rejected_share < 0.5 and n >= 2 and bytes > n * 4", &table);
  ASSERT_TRUE(kept.ok()) << kept;
  EXPECT_EQ(table.rows, 1u);
  EXPECT_EQ(table.columns[0].i32[0], 22);
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"n", "count()"}, {"b", "sum(bytes)"}};
  spec.having = {"srcaddr in '10.0.0.0/31' or b / n > 100", "not n = 2"};
  const std::string log =
      kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.2", 22, 300) + Line("10.0.0.3", 22, 4) + Line("10.0.0.2", 22, 4);
  const Table groups = Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {})->table;
  ASSERT_EQ(groups.rows, 1u);
  EXPECT_EQ(groups.columns[0].ToText(0), "10.0.0.1");
}

// Whole numbers compare exactly where doubles cannot tell them apart.
TEST(Having, WholeNumbersCompareExactly) {
  Table all;
  all.rows = 4;
  TableColumn& wide = all.columns.emplace_back();
  wide.name = "w";
  wide.type = ColumnType::kInt128;
  for (const uint128 value : {(uint128{1} << 53) + 1, uint128{1} << 53, (uint128{1} << 100) + 1, -uint128{3}})
    wide.i128.push_back(value);
  const auto rows = [&](const char* condition) {
    Table table = all;
    EXPECT_TRUE(KeepHaving(condition, &table).ok()) << condition;
    return table.rows;
  };
  EXPECT_EQ(rows("w = 9007199254740993"), 1u);
  EXPECT_EQ(rows("w = 9007199254740992.0"), 1u);
  EXPECT_EQ(rows("w > 9007199254740992"), 2u);
  EXPECT_EQ(rows("w > 1267650600228229401496703205376"), 1u);
  EXPECT_EQ(rows("w < -2.5"), 1u);
  EXPECT_EQ(rows("w > -3"), 3u);
  EXPECT_EQ(rows("w < 1e39 and w > -1e39"), 4u);
}

TEST(Having, TruthValues) {
  Table all;
  all.rows = 3;
  for (const char* name : {"a", "b"}) {
    TableColumn& column = all.columns.emplace_back();
    column.name = name;
    column.type = ColumnType::kBool;
  }
  for (const int32_t value : {1, 0, kNullInt32}) all.columns[0].i32.push_back(value);
  for (const int32_t value : {1, 1, 0}) all.columns[1].i32.push_back(value);
  const auto rows = [&](const char* condition) {
    Table table = all;
    const absl::Status status = KeepHaving(condition, &table);
    EXPECT_TRUE(status.ok()) << status;
    return table.rows;
  };
  EXPECT_EQ(rows("a = true"), 1u);
  EXPECT_EQ(rows("a != TRUE"), 1u);
  EXPECT_EQ(rows("a is null"), 1u);
  EXPECT_EQ(rows("a = b"), 1u);
  EXPECT_EQ(rows("not a = b"), 1u);
  Table table = all;
  for (const char* wrong : {"a", "a > b", "a = 1", "a in (true)", "a + 1 > 1"})
    EXPECT_EQ(ErrorKindOf(KeepHaving(wrong, &table)), ErrorKind::kPlan) << wrong;
}

TEST(Having, ColumnsThatAreNotThereOrNoNumbers) {
  Table table = Sums();
  EXPECT_THAT(std::string(KeepHaving("buts < 1", &table).message()), HasSubstr("there are dstport, n, bytes"));
  PlanSpec spec;
  spec.select = {"srcaddr"};
  const std::string log = kHeader + Line("10.0.0.1", 22, 5);
  Table texts = Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {})->table;
  EXPECT_THAT(std::string(KeepHaving("srcaddr < 1", &texts).message()), HasSubstr("having: srcaddr is an address"));
  EXPECT_THAT(std::string(DeriveColumn({"x", "srcaddr / 2"}, &texts).message()),
              HasSubstr("derived column: 'srcaddr' is an address, neither a number nor a time\n  srcaddr / 2\n  ^"));
}

TEST(Table, WideNumbersHaveASignAndNull) {
  Table table;
  table.rows = 4;
  TableColumn& column = table.columns.emplace_back();
  column.name = "n";
  column.type = ColumnType::kInt128;
  for (const uint128 value : {uint128{5}, kNullInt128, -uint128{7}, uint128{1} << 100}) column.i128.push_back(value);
  SortTable(&table, {{"n", false}});
  EXPECT_EQ(table.columns[0].ToText(0), "-7");
  EXPECT_EQ(table.columns[0].ToText(1), "5");
  EXPECT_EQ(table.columns[0].ToText(2), "1267650600228229401496703205376");
  EXPECT_TRUE(table.columns[0].is_null(3));
  SortTable(&table, {{"n", true}});
  EXPECT_EQ(table.columns[0].ToText(2), "-7");
  EXPECT_TRUE(table.columns[0].is_null(3));
}

TEST(Derived, RatiosAndDifferences) {
  Table table = Sums();
  ASSERT_TRUE(DeriveColumn({"each", "bytes / n"}, &table).ok());
  ASSERT_TRUE(DeriveColumn({"more", "bytes - n"}, &table).ok());
  ASSERT_TRUE(DeriveColumn({"by_nothing", "n / bytes"}, &table).ok());
  ASSERT_TRUE(DeriveColumn({"of_null", "n - least"}, &table).ok());
  EXPECT_THAT(table.columns[4].f64, ElementsAre(4.5, 7, 0));
  EXPECT_THAT(table.columns[5].f64, ElementsAre(7, 6, -1));
  EXPECT_TRUE(table.columns[6].is_null(2)) << "a division by 0";
  EXPECT_TRUE(table.columns[7].is_null(2));
  EXPECT_FALSE(DeriveColumn({"x", "bytes / nothing"}, &table).ok());
  EXPECT_FALSE(DeriveColumn({"x", "nothing / bytes"}, &table).ok());
}

TEST(Report, PartsAddUpAndSamplesAreTheFirst) {
  Report all;
  for (uint32_t source : {1, 0, 2}) {
    Report part;
    part.sources = part.ok = part.nodata = part.skipdata = part.lines = 10;
    part.rejects_by_reason[static_cast<size_t>(Errc::kTooFewFields)] = 600;
    for (uint64_t i = 0; i < 600; ++i)
      part.rejects.push_back({source, "log", i, 1000 - i, 1, "", Errc::kTooFewFields, ""});
    part.formats["srcaddr bytes"] = 1;
    part.warnings = {"late", "odd"};
    all.Merge(std::move(part));
  }
  EXPECT_EQ(all.records(), 90u);
  EXPECT_EQ(all.rejected(), 1800u);
  ASSERT_EQ(all.rejects.size(), Report::kMaxRejectSamples);
  EXPECT_EQ(all.rejects[0].source, 0u);
  EXPECT_LT(all.rejects[0].byte_offset, all.rejects[1].byte_offset);
  EXPECT_EQ(all.rejects.back().source, 1u);
  EXPECT_EQ(all.formats["srcaddr bytes"], 3u);
  EXPECT_THAT(all.warnings, ElementsAre("late", "odd"));
}

TEST(Report, NotesHaveALimitAndNoOrder) {
  Report forth, back;
  for (int i = 0; i < 1000; ++i) {
    forth.Warn(std::to_string(1000 + i));
    forth.CountFormat(std::to_string(1000 + i % 500));
    Report part;
    for (int twice = 0; twice < 2; ++twice) part.Warn(std::to_string(1999 - i));
    part.CountFormat(std::to_string(1499 - i % 500));
    back.Merge(std::move(part));
  }
  EXPECT_EQ(forth.warnings.size(), Report::kMaxNotes);
  EXPECT_EQ(forth.warnings.back(), std::to_string(1000 + Report::kMaxNotes - 1));
  EXPECT_EQ(forth.formats.size(), Report::kMaxNotes);
  EXPECT_EQ(forth.formats["1000"], 2u);
  EXPECT_TRUE(forth.notes_left_out);
  EXPECT_EQ(back.warnings, forth.warnings);
  EXPECT_EQ(back.formats, forth.formats);
  Report few;
  few.Warn("one");
  few.CountFormat("srcaddr");
  EXPECT_FALSE(few.notes_left_out);
}

TEST(Report, OneStatusForAllErrors) {
  Report report;
  EXPECT_TRUE(report.status().ok());
  report.errors.push_back(absl::DataLossError("a: cut"));
  EXPECT_EQ(report.status(), report.errors[0]);
  report.errors.push_back(absl::NotFoundError("b: gone"));
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(report.status().message(), "2 sources could not be read to their end:\n  a: cut\n  b: gone");
  for (int i = 0; i < 11; ++i) report.errors.push_back(absl::DataLossError("c"));
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("\n  and 3 more"));
}

TEST(Reject, TellsThePlace) {
  Reject reject{0, "flow.log", 7, 612, 31, "dstport", Errc::kOutOfRange, "2 1 eni-1"};
  EXPECT_THAT(reject.ToString(), ::testing::StartsWith("flow.log:7:31: dstport: out-of-range: "));
  EXPECT_THAT(reject.ToString(), ::testing::EndsWith("(offset 612): 2 1 eni-1"));
  reject.field.clear();
  EXPECT_THAT(reject.ToString(), ::testing::StartsWith("flow.log:7:31: out-of-range: "));
}

}  // namespace
}  // namespace vpcflow
