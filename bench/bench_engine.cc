// The engine against its yardstick, on a file given as VPCFLOW_BENCH_LOG (text) and VPCFLOW_BENCH_GZ (gzip).
//
// Every benchmark reports bytes of text a second and records a second; bench/run.py adds the ratios. The yardstick is
// read(2) and a memchr walk over the lines: what reading text costs at the least.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "src/scan/rows.h"
#include "src/simd/kernels.h"
#include "vpcflow/vpcflow.h"

namespace {

using vpcflow::PlanSpec;
using vpcflow::Source;

std::string Path(const char* variable) {
  const char* path = std::getenv(variable);
  return path == nullptr ? "" : path;
}

void Rates(benchmark::State& state, uint64_t bytes, uint64_t records) {
  const auto n = static_cast<double>(state.iterations());
  state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(bytes) * n, benchmark::Counter::kIsRate);
  state.counters["records/s"] = benchmark::Counter(static_cast<double>(records) * n, benchmark::Counter::kIsRate);
}

void YardstickText(benchmark::State& state) {
  const std::string path = Path("VPCFLOW_BENCH_LOG");
  std::vector<char> buffer(256 * 1024);
  uint64_t bytes = 0, lines = 0;
  for (auto _ : state) {
    bytes = lines = 0;
    const int fd = open(path.c_str(), O_RDONLY);
    for (ssize_t n; (n = read(fd, buffer.data(), buffer.size())) > 0;) {
      bytes += static_cast<uint64_t>(n);
      const char *p = buffer.data(), *end = p + n;
      while ((p = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)))) != nullptr) {
        ++lines;
        ++p;
      }
    }
    close(fd);
  }
  Rates(state, bytes, lines);
}

void YardstickInflate(benchmark::State& state) {
  std::vector<char> buffer(256 * 1024);
  uint64_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    auto stream = vpcflow::OpenText(Source::File(Path("VPCFLOW_BENCH_GZ")), nullptr);
    while (true) {
      absl::StatusOr<size_t> n = (*stream)->Read(buffer.data(), buffer.size());
      if (!n.ok() || *n == 0) break;
      bytes += *n;
    }
  }
  Rates(state, bytes, 0);
}

void IndexTokens(benchmark::State& state) {
  std::string text(1 << 20, '\0');
  const int fd = open(Path("VPCFLOW_BENCH_LOG").c_str(), O_RDONLY);
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(fd, text.data(), text.size()))));
  close(fd);
  vpcflow::TokenIndex index;
  for (auto _ : state) {
    for (size_t at = 0; at < text.size(); at += 128 * 1024) {
      const size_t size = std::min<size_t>(128 * 1024, text.size() - at);
      vpcflow::internal::ActiveKernels().index(text.data() + at, size, index.Reserve(size));
      benchmark::DoNotOptimize(index.token_count());
    }
  }
  Rates(state, text.size(), 0);
}

// Every field typed into columns, batch by batch; the batches are dropped.
void ParseBatches(benchmark::State& state) {
  const Source source = Source::File(Path("VPCFLOW_BENCH_LOG"));
  vpcflow::ScanOptions options;
  vpcflow::Report report;
  for (auto _ : state) {
    report = {};
    std::vector<vpcflow::FieldRef> fields;
    const vpcflow::Format format = vpcflow::Format::Default();
    for (const vpcflow::FormatColumn& c : format.columns()) fields.push_back({c.field, c.name});
    vpcflow::internal::TextRows rows(fields, options, &report);
    vpcflow::internal::ScannedSource scanned(source, 0, options, nullptr);
    vpcflow::internal::ResolvedBlock block;
    while (*scanned.Next(&block, &report)) {
      rows.Start(block);
      while (rows.Next()) {
        for (size_t slot = 0; slot < fields.size(); ++slot) rows.Load(slot);
        rows.DropBad();
      }
    }
  }
  Rates(state, report.text_bytes, report.records());
}

// A walk over record views that reads five fields.
void WalkFiveFields(benchmark::State& state) {
  uint64_t bytes = 0, records = 0;
  for (auto _ : state) {
    auto reader = vpcflow::Reader::Open(Path("VPCFLOW_BENCH_LOG"));
    int64_t sum = 0;
    for (const vpcflow::RecordView& r : *reader) {
      if (r.action() == vpcflow::Action::kReject) ++sum;
      if (const auto src = r.srcaddr()) sum += static_cast<int64_t>(src->lo & 1);
      sum += r.dstport().value_or(0) + r.bytes().value_or(0) + r.start().value_or(0);
    }
    benchmark::DoNotOptimize(sum);
    bytes = reader->report().text_bytes;
    records = reader->report().records();
  }
  Rates(state, bytes, records);
}

std::vector<vpcflow::Plan> AggPlans() {
  PlanSpec talkers, rejects, minutes, fanout;
  talkers.by = {"srcaddr"};
  talkers.aggs = {{"bytes", "sum(bytes)"}};
  talkers.top = vpcflow::TopSpec{20, "bytes", false};
  rejects.where = "action = 'REJECT'";
  rejects.by = {"dstport"};
  rejects.aggs = {{"n", "count()"}};
  rejects.top = vpcflow::TopSpec{20, "n", false};
  minutes.every = 60;
  minutes.bin_by = vpcflow::BinBy::kStart;
  minutes.aggs = {{"bytes", "sum(bytes)"}};
  fanout.by = {"srcaddr"};
  fanout.aggs = {{"peers", "n_unique(dstaddr)"}};
  fanout.top = vpcflow::TopSpec{20, "peers", false};
  std::vector<vpcflow::Plan> plans;
  for (const PlanSpec& spec : {talkers, rejects, minutes, fanout}) plans.push_back(*vpcflow::Plan::Make(spec));
  return plans;
}

void RunPlans(benchmark::State& state, const char* variable, const std::vector<vpcflow::Plan>& plans) {
  const std::vector<Source> sources = *Source::Expand(Path(variable));
  vpcflow::ScanOptions options;
  options.threads = static_cast<int>(state.range(0));
  vpcflow::Report report;
  for (auto _ : state) {
    auto results = vpcflow::RunAll(plans, sources, options);
    report = (*results)[0].report;
  }
  Rates(state, report.text_bytes, report.records());
}

void JobAggText(benchmark::State& state) { RunPlans(state, "VPCFLOW_BENCH_LOG", AggPlans()); }
void JobAggGzip(benchmark::State& state) { RunPlans(state, "VPCFLOW_BENCH_GZ", AggPlans()); }
void TopTalkers(benchmark::State& state) { RunPlans(state, "VPCFLOW_BENCH_LOG", {AggPlans()[0]}); }
void WholeTable(benchmark::State& state) { RunPlans(state, "VPCFLOW_BENCH_LOG", {*vpcflow::Plan::Make({})}); }

BENCHMARK(YardstickText)->Unit(benchmark::kMillisecond);
BENCHMARK(YardstickInflate)->Unit(benchmark::kMillisecond);
BENCHMARK(IndexTokens)->Unit(benchmark::kMillisecond);
BENCHMARK(ParseBatches)->Unit(benchmark::kMillisecond);
BENCHMARK(WalkFiveFields)->Unit(benchmark::kMillisecond);
BENCHMARK(TopTalkers)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(JobAggText)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(JobAggGzip)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(WholeTable)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
