// T26: the N-th allocation fails, the N-th read fails, for every N until the scan gets through. Whatever fails, nothing
// crashes or leaks (the sanitizers look), the error is said, and the same objects work afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "faults/failing_new.h"
#include "unit/testing.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow {
namespace {

constexpr int kLines = 40;

std::string Log() {
  std::string log = vpcflow_testing::kHeader;
  for (int i = 0; i < kLines; ++i) log += vpcflow_testing::Line("10.0.0." + std::to_string(i % 9), i, 100 + i);
  return log + "2 1 2 3\n";
}

std::string Events() {
  std::string out;
  const std::string log = Log();
  for (size_t at = log.find('\n') + 1; at < log.size(); at = log.find('\n', at) + 1)
    out += "{\"message\": \"" + log.substr(at, log.find('\n', at) - at) + "\"}\n";
  return out;
}

std::string Objects() {
  std::string out;
  for (int i = 0; i < kLines; ++i)
    out += "{\"srcaddr\": \"10.0.0.1\", \"bytes\": " + std::to_string(i) + ", \"dstaddr\": \"2001:db8::1\"}\n";
  return out;
}

std::string Csv() {
  std::string out = "srcAddr,bytes,dstAddr\n";
  for (int i = 0; i < kLines; ++i) out += "10.0.0.1," + std::to_string(i) + ",10.0.0.2\n";
  return out;
}

std::map<std::string, std::string> Inputs() {
  return {{"text", Log()},      {"gzip", vpcflow_testing::Gzip(Log())},
          {"events", Events()}, {"objects", Objects()},
          {"csv", Csv()},       {"packed events", vpcflow_testing::Gzip(Events())}};
}

Plan MakePlan(bool grouped) {
  PlanSpec spec;
  spec.allow_missing = true;
  if (grouped) {
    spec.by = {"srcaddr"};
    spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"peers", "n_unique(dstaddr)"}};
    spec.where = "bytes > 3 and not srcaddr in '192.168.0.0/16'";
  } else {
    spec.select = {"srcaddr", "bytes", "dstaddr"};
  }
  return *Plan::Make(spec);
}

struct Outcome {
  std::string rows;  // empty if there is no result
  bool failed = false;
};

Outcome RunOnce(const Plan& plan, const Source& source, int threads) {
  ScanOptions options;
  options.threads = threads;
  options.block_bytes = 512;
  Report report;
  const absl::StatusOr<std::vector<Result>> results = RunAll({&plan, 1}, {source}, options, &report);
  Outcome out;
  out.failed = !results.ok() || !report.errors.empty();
  if (results.ok() && !out.failed) out.rows = ToJsonLines((*results)[0].table);
  return out;
}

// For every N the N-th allocation fails: with several threads, of whichever.
void FailEveryAllocation(const std::string& name, const Plan& plan, const Source& source, int threads) {
  const Outcome wanted = RunOnce(plan, source, 1);
  ASSERT_FALSE(wanted.rows.empty()) << name;
  long failures = 0;
  for (long n = 0;; ++n) {
    bool thrown = false;
    Outcome got;
    failing_new::AfterAllocations(n);
    try {
      got = RunOnce(plan, source, threads);
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    const bool reached = failing_new::Disarm();
    if (!reached) break;  // fewer allocations than n: the scan got through
    // A failed allocation is an exception, an error, or one that was got over; never another answer.
    if (!thrown && !got.failed) {
      ASSERT_EQ(got.rows, wanted.rows) << name << " " << n;
    }
    failures += thrown || got.failed;
  }
  EXPECT_GT(failures, 5) << name;
  EXPECT_EQ(RunOnce(plan, source, threads).rows, wanted.rows) << name;  // the same plan and source work
}

// 12 scenarios, six inputs, grouped and selected, with one thread and with three.
TEST(T26, EveryAllocationFails) {
  for (const auto& [name, bytes] : Inputs()) {
    for (const bool grouped : {true, false}) {
      const Plan plan = MakePlan(grouped);
      const Source source = Source::Bytes(name, std::string_view(bytes));
      for (const int threads : {1, 3}) FailEveryAllocation(name, plan, source, threads);
    }
  }
}

TEST(T26, EveryReadFails) {
  for (const auto& [name, bytes] : Inputs()) {
    for (const int threads : {1, 2}) {
      const Plan plan = MakePlan(true);
      const std::string wanted = RunOnce(plan, Source::Bytes(name, std::string_view(bytes)), threads).rows;
      for (const size_t step : {size_t{1}, size_t{100}}) {
        bool through = false;
        for (size_t fail_at = 0; !through; fail_at += step == 1 ? 97 : 1) {
          size_t calls = 0, at = 0;
          bool failed = false;
          const Source source = Source::Stream(name, [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
            if (calls++ == fail_at) {
              failed = true;
              return absl::UnavailableError("the read fails");
            }
            const size_t n = std::min({size, bytes.size() - at, step});
            bytes.copy(buffer, n, at);
            at += n;
            return n;
          });
          const Outcome got = RunOnce(plan, source, threads);
          ASSERT_EQ(got.failed, failed) << name << " " << fail_at;
          if (!failed) {
            EXPECT_EQ(got.rows, wanted) << name;
            through = true;
          }
        }
      }
    }
  }
}

// Through the C interface no exception may leave: ENOMEM, with a message, and the next call goes on.
TEST(T26, ExportedStreamsRunOutOfMemory) {
  const std::string log = Log();
  absl::StatusOr<Result> result = Plan::Make({})->Run({Source::Bytes("l", std::string_view(log))}, {});
  ASSERT_TRUE(result.ok());
  const auto table = std::make_shared<const Table>(std::move(result->table));
  long failures = 0;
  for (long n = 0;; ++n) {
    ArrowArrayStream stream;
    ExportTable(table, &stream);
    ArrowSchema schema{};
    ArrowArray array{};
    failing_new::AfterAllocations(n);
    const int first = stream.get_schema(&stream, &schema);
    const int second = first == 0 ? stream.get_next(&stream, &array) : 0;
    const bool reached = failing_new::Disarm();
    if (first != 0 || second != 0) {
      ++failures;
      EXPECT_EQ(first + second, ENOMEM);
      EXPECT_STREQ(stream.get_last_error(&stream), "out of memory");
      EXPECT_EQ(second == 0 ? schema.release == nullptr : array.release == nullptr, true);
    }
    if (first != 0) {
      ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
    }
    if (array.release == nullptr) {
      ASSERT_EQ(stream.get_next(&stream, &array), 0);
    }
    EXPECT_EQ(stream.get_last_error(&stream), nullptr);
    EXPECT_EQ(array.length, static_cast<int64_t>(table->rows));
    array.release(&array);
    schema.release(&schema);
    stream.release(&stream);
    if (!reached) break;
  }
  EXPECT_GT(failures, 20);
}

}  // namespace
}  // namespace vpcflow
