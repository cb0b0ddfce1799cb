#include <map>
#include <random>

#include "src/plan/group/group_table.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using vpcflow_testing::Line;

// Several records, each its own line.
std::string RandomLog(int n, uint32_t seed) {
  std::mt19937 random(seed);
  std::string log = vpcflow_testing::kHeader;
  for (int i = 0; i < n; ++i) {
    const auto start = static_cast<int64_t>(random() % 5000);
    log += Line("10.0.0." + std::to_string(random() % 20), static_cast<int>(random() % 5), random() % 100'000, start,
                start + random() % 90, random() % 3 == 0 ? "REJECT" : "ACCEPT");
  }
  return log;
}

using All = Aggregate<Count, Sum<f::Bytes>, Min<f::Bytes>, Max<f::Start>, Mean<f::Bytes>, Distinct<f::SrcAddr>,
                      First<f::SrcAddr>, Last<f::DstPort>, Rate<f::Bytes>, Distinct<f::Action>>;

TEST(Total, T19NeverWraps) {
  Total total(~uint64_t{0});
  total += Total(1);
  EXPECT_FALSE(total.fits_u64());
  EXPECT_EQ(total.ToString(), "18446744073709551616");
  EXPECT_EQ(total.u64(), ~uint64_t{0});
  EXPECT_EQ(total.as_double(), 18446744073709551616.0);
  EXPECT_EQ(Total().ToString(), "0");
}

// However the records are split and the parts merged, the values are those of one pass.
TEST(Accumulators, AnySplitMergesToTheSame) {
  const std::string log = RandomLog(2000, 1);
  std::vector<Record> records;
  Reader reader({Source::Bytes("log", std::string_view(log))}, {});
  for (const RecordView& record : reader) records.emplace_back(record);
  ASSERT_EQ(records.size(), 2000u);
  All whole;
  for (const Record& record : records) whole.Update(record.view());
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    std::vector<All> parts(1 + random() % 7);
    for (const Record& record : records) parts[random() % parts.size()].Update(record.view());
    while (parts.size() > 1) {  // a random merge tree
      const size_t a = random() % parts.size();
      size_t b = random() % (parts.size() - 1);
      b += b >= a;
      parts[a].Merge(parts[b]);
      parts.erase(parts.begin() + static_cast<long>(b));
    }
    ASSERT_EQ(parts[0].Value(), whole.Value());
  }
}

TEST(GroupBy, TopAndRows) {
  const std::string log = vpcflow_testing::kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.2", 22, 7) +
                          Line("10.0.0.1", 443, 1) + Line("10.0.0.1", 22, 2) + Line("-", 22, 7);
  GroupBy<Keys<f::SrcAddr, f::InterfaceId>, Aggregate<Count, Sum<f::Bytes>>> groups;
  Reader reader({Source::Bytes("log", std::string_view(log))}, {});
  for (const RecordView& record : reader) groups.Update(record);
  ASSERT_EQ(groups.Value(), 3u);
  const auto top = groups.Top<1>(2);
  EXPECT_EQ(top[0].value<1>().u64(), 8u);
  EXPECT_EQ(*top[0].key<1>(), "eni-1");
  EXPECT_FALSE(top[1].key<0>().has_value());  // 7 bytes each: null comes first
}

// A group of the user's own accumulator, nested, on several threads, equals the plan's answer.
TEST(Scan, AgreesWithPlan) {
  const std::string log = RandomLog(5000, 3);
  const Source source = Source::Bytes("log", std::string_view(log));
  GroupBy<Keys<f::DstPort>, Aggregate<Count, Sum<f::Bytes>, Distinct<f::SrcAddr>, Mean<f::Bytes>, First<f::SrcAddr>>>
      groups;
  ScanOptions options;
  options.threads = 3;
  options.block_bytes = 4096;
  Report report;
  ASSERT_TRUE(Scan(source).Options(options).Where("action = 'REJECT'").Into(&groups, &report).ok());
  EXPECT_EQ(report.records(), 5000u);
  PlanSpec spec;
  spec.where = "action = 'REJECT'";
  spec.by = {"dstport"};
  spec.aggs = {{"n", "count()"},
               {"bytes", "sum(bytes)"},
               {"peers", "n_unique(srcaddr)"},
               {"mean", "mean(bytes)"},
               {"first", "first(srcaddr)"}};
  absl::StatusOr<Result> result = Plan::Make(spec)->Run({source}, options);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->table.rows, groups.Value());
  size_t i = 0;
  for (const auto& row : groups.Rows()) {
    const auto& columns = result->table.columns;
    EXPECT_EQ(columns[0].i32[i], *row.key<0>());
    EXPECT_EQ(columns[1].i64[i], static_cast<int64_t>(row.value<0>()));
    EXPECT_EQ(columns[2].i64[i], static_cast<int64_t>(row.value<1>().u64()));
    EXPECT_EQ(columns[3].i64[i], static_cast<int64_t>(row.value<2>()));
    EXPECT_EQ(columns[4].f64[i], *row.value<3>());
    EXPECT_EQ(columns[5].ToText(i), ToString(*row.value<4>()));
    ++i;
  }
}

TEST(Scan, RejectsAreNeverHalfCounted) {
  const std::string log =
      vpcflow_testing::kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.1", 70000, 7) + Line("10.0.0.1", 22, 9);
  Aggregate<Count, Sum<f::Bytes>, Max<f::DstPort>> all;
  Report report;
  ASSERT_TRUE(Scan(Source::Bytes("log", std::string_view(log))).Into(&all, &report).ok());
  EXPECT_EQ(all.Value<0>(), 2u);
  EXPECT_EQ(all.Value<1>().u64(), 14u);
  EXPECT_EQ(report.rejected(), 1u);
  EXPECT_EQ(report.rejects[0].field, "dstport");
  EXPECT_EQ(report.rejects[0].line, 3u);
}

static_assert(Accumulator<Coverage>);

TEST(Coverage, MinutesOfInterfaces) {
  const auto line = [](const char* interface, int64_t start, int64_t end, const char* status) {
    return std::string("2 1 ") + interface + (status[0] == 'O' ? " 10.0.0.1 10.0.0.2 1 2 6 1 40 " : " - - - - - - - ") +
           std::to_string(start) + " " + std::to_string(end) + (status[0] == 'O' ? " ACCEPT " : " - ") + status + "\n";
  };
  const std::string log = line("eni-a", 6000, 6060, "OK") + line("eni-a", 6060, 6120, "NODATA") +
                          line("eni-a", 6180, 6240, "OK") + line("eni-a", 6180, 6240, "SKIPDATA") +
                          line("eni-b", 6060, 6061, "OK");
  Coverage coverage;
  ASSERT_TRUE(Scan(Source::Bytes("log", std::string_view(log))).AllRecords().Threads(1).Into(&coverage).ok());
  EXPECT_EQ(coverage.window_seconds(), 60);
  using I = Coverage::Interval;
  EXPECT_EQ(coverage.Value(), (std::vector<I>{{"eni-a", Seen::kOk, 6000, 6060},
                                              {"eni-a", Seen::kNoData, 6060, 6120},
                                              {"eni-a", Seen::kAbsent, 6120, 6180},
                                              {"eni-a", Seen::kSkipData, 6180, 6240},
                                              {"eni-b", Seen::kAbsent, 6000, 6060},
                                              {"eni-b", Seen::kOk, 6060, 6120},
                                              {"eni-b", Seen::kAbsent, 6120, 6240}}));
}

TEST(Coverage, QuietIsNotAbsentInLongWindows) {
  std::string log = vpcflow_testing::kHeader;
  for (const int64_t start : {0, 590, 1150, 2400}) log += Line("10.0.0.1", 1, 1, start, start + 1);
  log += "2 1 eni-1 - - - - - - - 3000 3600 - NODATA\n";
  Coverage coverage;
  ASSERT_TRUE(Scan(Source::Bytes("log", std::string_view(log))).AllRecords().Threads(1).Into(&coverage).ok());
  EXPECT_EQ(coverage.window_seconds(), 600);
  const std::vector<Coverage::Interval> all = coverage.Value();
  const std::string name = all[0].interface;
  using I = Coverage::Interval;
  EXPECT_EQ(all, (std::vector<I>{{name, Seen::kOk, 0, 1200},
                                 {name, Seen::kAbsent, 1200, 2400},
                                 {name, Seen::kOk, 2400, 3000},
                                 {name, Seen::kNoData, 3000, 3600}}));
}

TEST(Coverage, AnySplitMergesToTheSame) {
  SynthOptions made;
  made.records = 3000;
  made.nodata_share = 0.3;
  made.skipdata_share = 0.05;
  SynthSummary summary;
  const std::string log = *SynthesizeText(made, &summary);
  std::vector<Record> records;
  Reader reader({Source::Bytes("log", std::string_view(log))}, {});
  for (const RecordView& record : reader) records.emplace_back(record);
  Coverage whole;
  for (const Record& record : records) whole.Update(record.view());
  std::mt19937 random(4);
  for (int round = 0; round < 20; ++round) {
    std::vector<Coverage> parts(1 + random() % 5);
    for (const Record& record : records) parts[random() % parts.size()].Update(record.view());
    std::shuffle(parts.begin(), parts.end(), random);
    for (size_t i = 1; i < parts.size(); ++i) parts[0].Merge(parts[i]);
    ASSERT_EQ(parts[0].Value(), whole.Value());
  }
}

// Time bins: steps near the first key, far from it on both sides, no whole steps away, and null, which is 0.
TEST(GroupTable, StepsAreNumberedAsAMapDoes) {
  std::mt19937_64 random(1);
  for (const uint64_t step :
       {1ull, 2ull, 7ull, 60ull, 300ull, 3600ull, 86'400ull, 1ull << 44, (1ull << 44) + 1, 1ull << 60}) {
    for (const uint64_t begin : {1ull, 1'700'000'000ull, 9'999'999'999'999ull}) {
      internal::GroupTable table(1, 44, step);
      std::map<uint64_t, uint32_t> want;
      for (int batch = 0; batch < 100; ++batch) {
        std::vector<uint64_t> keys;
        for (int i = 0; i < 50; ++i) {
          const uint64_t sort = random() % 16, near = begin / step * step + 1;
          keys.push_back(sort == 0   ? 0
                         : sort == 1 ? random() % (uint64_t{1} << 44)
                         : sort == 2 ? near + random() % 100
                         : sort == 3 ? near + random() % 100'000 * step
                         : sort == 4 ? near - std::min(near / step, random() % 20'000) * step
                                     : near + random() % 30 * step);
        }
        std::vector<uint32_t> groups(keys.size());
        table.FindAll(keys.data(), keys.size(), groups.data());
        for (size_t i = 0; i < keys.size(); ++i) {
          const auto [it, added] = want.emplace(keys[i], static_cast<uint32_t>(want.size()));
          ASSERT_EQ(groups[i], it->second) << step << " " << keys[i];
          ASSERT_EQ(*table.key(groups[i]), keys[i]);
        }
      }
      EXPECT_EQ(table.size(), want.size());
    }
  }
}

}  // namespace
}  // namespace vpcflow
