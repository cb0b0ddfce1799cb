// Records chosen by filters from several sides: PlanSpec::filters, and Aggregation::Update with another plan.
#include "unit/testing.h"
#include "vpcflow/error/error.h"
#include "vpcflow/plan/aggregation.h"
#include "vpcflow/plan/plan.h"

namespace vpcflow {
namespace {

constexpr std::string_view kLog =
    "srcaddr bytes start\n10.0.0.1 40 100\n10.0.0.2 2 100\n10.0.0.1 50 200\n10.0.0.1 x 200\n";

Aggregation Counts(bool allow_missing = false) {
  return *Aggregation::Make(
      *Plan::Make({.by = {"srcaddr"}, .aggs = {{"n", "count()"}}, .allow_missing = allow_missing}));
}
Plan Chosen(const PlanSpec& spec) {
  PlanSpec own = spec;
  own.aggs = {{"n", "count()"}};
  return *Plan::Make(own);
}

TEST(ChosenRecords, EachFilterIsParsedAlone) {
  const auto position = [](const PlanSpec& spec) { return ErrorOf(Plan::Make(spec).status()).place.position; };
  EXPECT_EQ(position({.filters = {"bytes > 1", "actoin = 'x'"}}), 0u);
  EXPECT_EQ(position({.where = "bytes > 1", .filters = {"srcport = 2 and actoin = 'x'"}}), 16u);
  EXPECT_FALSE(Plan::Make({.filters = {"bytes > 100) or (bytes > 1", "bytes > 1"}}).ok());
  EXPECT_FALSE(Plan::Make({.filters = {""}}).ok());
  EXPECT_FALSE(Plan::Make({.where = "bytes > 1", .filters = {""}}).ok());
  const Plan plan = *Plan::Make({.filters = {"bytes > 10 or bytes < 1", "start < 150"}});
  EXPECT_THAT(plan.Explain(), testing::HasSubstr("filter    (bytes > 10 or bytes < 1) and (start < 150)\n"));
  EXPECT_EQ(plan.Run({Source::Bytes("a", kLog)}, {})->table.rows, 1u);
}

TEST(ChosenRecords, AnUpdateTakesThoseOfAnotherPlan) {
  Aggregation counts = Counts();
  Report report;
  const Plan chosen = Chosen({.where = "bytes > 10", .asked = TimeSpan{150, 250}});
  ASSERT_TRUE(counts.Update({Source::Bytes("a", kLog)}, {}, chosen, &report).ok());
  EXPECT_EQ(report.matched, 2u);
  EXPECT_EQ(report.rejected(), 1u);
  EXPECT_EQ(report.in_time, 2u);
  EXPECT_EQ(report.formats.size(), 1u);
  EXPECT_EQ(counts.groups(), 1u);
  // What it needs must be there, and what it allows to miss is its own.
  const std::vector<Source> sources = {Source::Bytes("a", kLog)};
  EXPECT_EQ(ErrorKindOf(counts.Update(sources, {}, Chosen({.where = "az_id = 'a'"}))), ErrorKind::kMissingField);
  EXPECT_EQ(report.matched, 2u);
  EXPECT_TRUE(counts.Update(sources, {}, Chosen({.where = "az_id is null", .allow_missing = true})).ok());
  EXPECT_EQ(counts.groups(), 2u);
}

TEST(ChosenRecords, ReportsOfPartsTellWhatTheWholeLacks) {
  const Plan plan = *Plan::Make({.by = {"az_id"}, .aggs = {{"n", "sum(bytes)"}}});
  Aggregation sums = *Aggregation::Make(plan);
  ScanOptions part;
  Report report;
  EXPECT_FALSE(sums.Update({Source::Bytes("a", kLog)}, part).ok());
  part.allow_missing = true;
  ASSERT_TRUE(sums.Update({Source::Bytes("a", kLog)}, part, &report).ok());
  EXPECT_EQ(ErrorKindOf(plan.CheckFields(report)), ErrorKind::kMissingField);
  EXPECT_TRUE(plan.CheckFields(Report()).ok());
  Report other;
  ASSERT_TRUE(sums.Update({Source::Bytes("b", "az-id\na\n")}, part, &other).ok());
  EXPECT_FALSE(plan.CheckFields(other).ok()) << "bytes";
  report.Merge(std::move(other));
  EXPECT_TRUE(plan.CheckFields(report).ok());
}

}  // namespace
}  // namespace vpcflow
