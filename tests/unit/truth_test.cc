// No call concludes without records, and none swallows the error of a source.
#include <string>
#include <vector>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using vpcflow_testing::TempDir;

PlanSpec SumSpec() {
  PlanSpec spec;
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}};
  return spec;
}

constexpr char kRecord[] = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 40000 443 6 10 840 1000 1060 ACCEPT OK\n";
constexpr char kNoData[] = "2 123456789010 eni-1 - - - - - - - 1000 1060 - NODATA\n";

// What each kind of call that reads sources returns.
std::vector<absl::Status> EveryCall(const std::vector<Source>& sources, const ScanOptions& options) {
  std::vector<absl::Status> out;
  PlanSpec sums = SumSpec();
  const Plan grouping = *Plan::Make(sums), selection = *Plan::Make({});
  out.push_back(grouping.Run(sources, options).status());
  out.push_back(selection.Run(sources, options).status());
  out.push_back(Aggregation::Make(grouping)->Update(sources, options));
  Aggregate<Count> count;
  out.push_back(Scan(sources).Options(options).Into(&count));
  Reader reader(sources, options);
  while (reader.Next()) {
  }
  out.push_back(reader.status());
  BatchReader batches(selection, sources, options);
  absl::StatusOr<Table> table = batches.Next(10);
  while (table.ok() && table->rows > 0) table = batches.Next(10);
  out.push_back(table.status());
  return out;
}

TEST(Truth, EveryCallReturnsTheErrorOfASource) {
  TempDir dir;
  const std::string good = dir.Write("good.log", kRecord);
  for (const absl::Status& status : EveryCall({Source::File(good), Source::File(dir / "missing.log")}, {}))
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
  for (const absl::Status& status : EveryCall({Source::File(good)}, {})) EXPECT_TRUE(status.ok()) << status;
}

TEST(Truth, EveryCallReturnsThatNoRecordWasRead) {
  const std::string bad = "2 123456789010 eni-1\n", some = std::string(kNoData) + bad + kRecord;
  const std::string all_but_nodata = std::string(kNoData) + "2 1 eni-1 10.0.0.1 x 1 1 6 1 1 1 1 ACCEPT OK\n";
  ScanOptions options, empty;
  options.format = empty.format = Format::Default();
  empty.allow_empty = true;
  for (const std::string& text : {std::string(), bad + bad, std::string("\n\n")}) {
    for (const absl::Status& status : EveryCall({Source::Bytes("log", std::string_view(text))}, options)) {
      EXPECT_TRUE(absl::IsNotFound(status)) << text << status;
      EXPECT_EQ(status.message().substr(0, 9), "no record") << status;
    }
    for (const absl::Status& status : EveryCall({Source::Bytes("log", std::string_view(text))}, empty))
      EXPECT_TRUE(status.ok()) << status;
  }
  for (const std::string& text : {some, std::string(kNoData), std::string(kRecord)}) {
    for (const absl::Status& status : EveryCall({Source::Bytes("log", std::string_view(text))}, options))
      EXPECT_TRUE(status.ok()) << text << status;
  }
  Report report;
  PlanSpec all = SumSpec();
  all.check_all = true;
  EXPECT_TRUE(absl::IsNotFound(
      Plan::Make(all)->Run({Source::Bytes("log", std::string_view(all_but_nodata))}, options).status()));
}

TEST(Truth, WhatCouldBeReadIsThePartialResult) {
  TempDir dir;
  const std::vector<Source> sources{Source::File(dir.Write("good.log", kRecord)), Source::File(dir / "missing.log")};
  Result partial;
  const absl::StatusOr<Result> result = Plan::Make(SumSpec())->Run(sources, {}, &partial);
  EXPECT_TRUE(absl::IsNotFound(result.status()));
  EXPECT_EQ(partial.table.rows, 1u);
  EXPECT_EQ(partial.report.records(), 1u);
  EXPECT_EQ(partial.report.errors.size(), 1u);
  absl::StatusOr<Aggregation> aggregation = Aggregation::Make(*Plan::Make(SumSpec()));
  EXPECT_TRUE(absl::IsNotFound(aggregation->Update(sources, {})));
  EXPECT_EQ(aggregation->groups(), 1u);
}

TEST(Truth, TheTimeAskedForIsCounted) {
  std::string log;
  for (int i = 0; i < 1000; ++i)
    log +=
        "2 123456789010 eni-1 10.0.0.1 10.0.0.2 40000 443 6 10 840 " + std::to_string(1000 + i) + " 9000 ACCEPT OK\n";
  PlanSpec spec = SumSpec();
  spec.where = "start >= 1500 and start < 1600 and dstport = 1";
  spec.asked = TimeSpan{1500, 1600};
  for (const int threads : {1, 2}) {
    ScanOptions options;
    options.threads = threads;
    options.block_bytes = 4096;
    absl::StatusOr<Result> result = Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, options);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->report.in_time, 100u);
    EXPECT_EQ(result->report.matched, 0u);
    EXPECT_EQ(result->report.first_start, 1000);
    EXPECT_EQ(result->report.last_start, 1999);
    PlanSpec later = spec;
    later.asked = TimeSpan{5000, std::nullopt};
    const absl::Status status = Plan::Make(later)->Run({Source::Bytes("log", std::string_view(log))}, options).status();
    EXPECT_TRUE(absl::IsNotFound(status));
    EXPECT_EQ(status.message(),
              "no record in the time asked for, from 1970-01-01 01:23:20 UTC: the 1,000 records read start between "
              "1970-01-01 00:16:40 and 1970-01-01 00:33:19 UTC");
  }
}

}  // namespace
}  // namespace vpcflow
