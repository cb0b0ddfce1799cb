// Several threads at one object: const use of what is shared, and use of what locks itself. Run under ThreadSanitizer,
// too (VPCFLOW_SANITIZE=thread).
#include <atomic>
#include <thread>

#include "unit/testing.h"

namespace vpcflow {
namespace {

constexpr int kThreads = 4;

// Calls work(0) to work(kThreads - 1) on threads of their own.
template <class Work>
void Together(const Work& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

// `lines` records of different sources, beginning with the address of number `first`.
std::string Log(int lines, int first = 0) {
  std::string log = "srcaddr dstaddr srcport dstport protocol bytes start end action interface-id log-status\n";
  for (int i = first; i < first + lines; ++i) {
    log += "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255) +
           " 10.200.0.1 4000 443 6 1500 1795413600 1795413660 " + (i % 2 == 0 ? "ACCEPT" : "REJECT") + " eni-" +
           std::to_string(i % 7) + " OK\n";
  }
  return log;
}

Plan MustPlan(const PlanSpec& spec) {
  absl::StatusOr<Plan> plan = Plan::Make(spec);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return *std::move(plan);
}

TEST(Threads, OnePlanRunByAll) {
  const std::string log = Log(2000);
  const std::vector<Source> sources = {Source::Bytes("log", log)};
  auto labels = std::make_shared<Labels>();
  Cidr cidr;
  ASSERT_TRUE(ParseCidr("10.0.0.0/25", &cidr));
  labels->AddPrefix(cidr, "lower");
  labels->Freeze();
  const Plan plan = MustPlan({.where = "action = 'accept' and interface_id matches '^eni-[0-5]'",
                              .labels = {{"part", "srcaddr", labels}},
                              .by = {"part", "interface_id"},
                              .aggs = {{"n", "count()"}, {"hosts", "n_unique(srcaddr)"}}});
  std::vector<std::string> results(kThreads);
  Together([&](int i) {
    const absl::StatusOr<Result> result = plan.Run(sources, {.threads = 1 + i % 2});
    if (result.ok()) results[static_cast<size_t>(i)] = ToJsonLines(result->table);
  });
  EXPECT_FALSE(results[0].empty());
  for (const std::string& result : results) EXPECT_EQ(result, results[0]);
}

TEST(Threads, OneFilterOfAll) {
  const absl::StatusOr<Filter> filter =
      Filter::Parse("srcaddr in ('10.0.1.0/24', '10.0.3.0/24') and action ~ 'rej' and interface_id like 'eni-_'");
  ASSERT_TRUE(filter.ok());
  const std::string log = Log(1500);
  std::atomic<int> passed = 0;
  Together([&](int) {
    Reader reader({Source::Bytes("log", log)}, {});
    for (const RecordView& record : reader) passed += filter->Matches(record);
  });
  EXPECT_EQ(passed, kThreads * (128 + 128));
}

TEST(Threads, LabelsTablesAndFormatsReadByAll) {
  Labels labels;
  Cidr cidr;
  ASSERT_TRUE(ParseCidr("10.0.0.0/8", &cidr));
  labels.AddPrefix(cidr, "ten");
  labels.AddText("eni-1", "first");
  labels.AddNumber(443, "https", {.from = 100});
  labels.Freeze();
  const std::string log = Log(500);
  const absl::StatusOr<Result> result = MustPlan({.by = {"srcaddr"}}).Run({Source::Bytes("log", log)}, {});
  ASSERT_TRUE(result.ok());
  const Format format = Format::UpToVersion(5);
  std::vector<std::string> texts(kThreads);
  Together([&](int i) {
    std::string& text = texts[static_cast<size_t>(i)];
    text += labels.label(labels.OfAddress(Ip::V4(0x0A000001), 0)) + labels.label(labels.OfText("eni-1", 0));
    text += std::to_string(labels.OfNumber(443, 99) == Labels::kNone) + format.ToString();
    text += std::to_string(format.IndexOf("dstport")) + ToCsv(result->table, true, true);
    Table own = result->table;
    SortTable(&own, {{.column = "srcaddr", .descending = true}});
    text += own.columns[0].ToText(0);
  });
  EXPECT_THAT(texts[0], ::testing::StartsWith("tenfirst1"));
  for (const std::string& text : texts) EXPECT_EQ(text, texts[0]);
}

TEST(Threads, OneAggregationUpdatedByAll) {
  constexpr int kLines = 3000, kParts = 5;
  const PlanSpec spec{.by = {"srcaddr"}, .aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}}};
  absl::StatusOr<Aggregation> together = Aggregation::Make(MustPlan(spec));
  absl::StatusOr<Aggregation> alone = Aggregation::Make(MustPlan(spec));
  ASSERT_TRUE(together.ok() && alone.ok());
  for (int part = 0; part < kThreads * kParts; ++part) {
    const std::string log = Log(kLines, part * kLines / 2);  // half of it is in the next one, too
    ASSERT_TRUE(alone->Update({Source::Bytes("log", log)}, {}).ok());
  }
  Together([&](int i) {
    for (int part = i * kParts; part < (i + 1) * kParts; ++part) {
      const std::string log = Log(kLines, part * kLines / 2);
      EXPECT_TRUE(together->Update({Source::Bytes("log", log)}, {.threads = 1}).ok());
      EXPECT_LE(together->groups(), size_t{kLines} * kThreads * kParts);
      EXPECT_GT(together->bytes(), 0u);
      EXPECT_FALSE(together->ToBytes().empty());
    }
  });
  EXPECT_EQ(ToJsonLines(together->Value()), ToJsonLines(alone->Value()));
}

// An update looks at its own aggregation while records are read, and adds to it.
TEST(Threads, AggregationUsedByItsOwnPoll) {
  absl::StatusOr<Aggregation> aggregation = Aggregation::Make(MustPlan({.aggs = {{"n", "count()"}}}));
  ASSERT_TRUE(aggregation.ok());
  const std::string inner = Log(10);
  std::string rest = Log(1000);
  bool added = false;
  const Source slow = Source::Stream("slow", [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    if (!std::exchange(added, true)) {
      if (absl::Status s = aggregation->Update({Source::Bytes("inner", inner)}, {.threads = 1}); !s.ok()) return s;
    }
    const size_t n = std::min(size, rest.size());
    std::copy_n(rest.data(), n, buffer);
    rest.erase(0, n);
    return n;
  });
  ASSERT_TRUE(aggregation->Update({slow}, {.threads = 2}).ok());
  EXPECT_EQ(ToJsonLines(aggregation->Value()), "{\"n\": 1010}\n");
}

TEST(Threads, MergesInEachOthersDirection) {
  const Plan plan = MustPlan({.by = {"interface_id"}});
  absl::StatusOr<Aggregation> a = Aggregation::Make(plan), b = Aggregation::Make(plan);
  ASSERT_TRUE(a.ok() && b.ok());
  const std::string log = Log(70);
  ASSERT_TRUE(a->Update({Source::Bytes("log", log)}, {}).ok());
  Together([&](int i) {
    for (int n = 0; n < 5; ++n) EXPECT_TRUE((i % 2 == 0 ? a->Merge(*b) : b->Merge(*a)).ok());
  });
  EXPECT_EQ(a->groups(), 7u);
  EXPECT_EQ(b->groups(), 7u);
  EXPECT_TRUE(a->Merge(*a).ok());
}

TEST(Threads, OneDetectionFilledByAll) {
  const std::string log = Log(400);
  const absl::StatusOr<Result> sessions = MustPlan({.sessions = SessionSpec{}}).Run({Source::Bytes("log", log)}, {});
  ASSERT_TRUE(sessions.ok());
  absl::StatusOr<Detection> together = Detection::Make({}), other = Detection::Make({});
  ASSERT_TRUE(together.ok() && other.ok());
  ASSERT_TRUE(other->Add(sessions->table).ok());
  Together([&](int i) {
    EXPECT_TRUE(together->Add(sessions->table).ok());
    EXPECT_TRUE(together->Find("port_scan")->empty());
    if (i < 2) {
      EXPECT_TRUE((i == 0 ? together->Merge(*other) : other->Merge(*together)).ok());
    }
  });
  EXPECT_GE(together->sessions(), size_t{400} * (kThreads + 1));
  EXPECT_EQ(together->Merge(*together).code(), absl::StatusCode::kInvalidArgument);
}

// Records hold their own bytes, and one may be looked at by all through views of their own.
TEST(Threads, OneRecordSeenByAll) {
  RecordParser parser(Format::Default());
  const std::string line = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 4242 22 6 20 4249 1418530010 1418530070 REJECT OK";
  RecordView view;
  ASSERT_EQ(parser.Parse(line, &view), Errc::kOk);
  const Record kept(view);
  std::atomic<uint64_t> sum = 0;
  Together([&](int) { sum += static_cast<uint64_t>(*kept->bytes()) + kept.view().text(Field::kAction).size(); });
  EXPECT_EQ(sum, uint64_t{kThreads} * (4249 + 6));
}

// What the caller's code throws leaves the call that scans, once its threads have ended; nothing was added.
TEST(Threads, ExceptionsOfTheCallersCodeLeaveTheCall) {
  struct Mine {};
  const std::string log = Log(20'000);
  const std::vector<Source> sources = {Source::Bytes("log", log)};
  const Plan plan = MustPlan({.aggs = {{"n", "count()"}}});
  absl::StatusOr<Aggregation> aggregation = Aggregation::Make(plan);
  ASSERT_TRUE(aggregation.ok());
  for (const int threads : {1, 3}) {
    const auto throwing = [] {  // another one each time: a stream is read once
      return std::vector<Source>{
          Source::Stream("throwing", [](char*, size_t) -> absl::StatusOr<size_t> { throw Mine(); })};
    };
    EXPECT_THROW((void)plan.Run(throwing(), {.threads = threads}), Mine);
    EXPECT_THROW((void)aggregation->Update(throwing(), {.threads = threads}), Mine);
    Aggregate<Count> n;
    EXPECT_THROW((void)Scan(sources).Where([](const RecordView&) -> bool { throw Mine(); }).Threads(threads).Into(&n),
                 Mine);
    EXPECT_EQ(n.Value<0>(), 0u);
    BatchReader batches(MustPlan({.select = {"srcaddr"}}), sources,
                        {.poll = [](const Progress&) -> bool { throw Mine(); }});
    EXPECT_THROW((void)batches.Next(10), Mine);
  }
  EXPECT_EQ(ToJsonLines(aggregation->Value()), "{\"n\": 0}\n");
}

TEST(Threads, SketchMergedWithItself) {
  KllSketch kll(50, 1);
  for (uint64_t i = 0; i < 5000; ++i) kll.Add(i);
  kll.Merge(kll);
  EXPECT_EQ(kll.count(), 10'000u);
}

}  // namespace
}  // namespace vpcflow
