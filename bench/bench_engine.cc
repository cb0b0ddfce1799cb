// The engine against its yardsticks, on a file given as VPCFLOW_BENCH_LOG (text), files given as VPCFLOW_BENCH_GZ (a
// folder of gzip), VPCFLOW_BENCH_SMALL (a folder of many small gzip objects) and VPCFLOW_BENCH_VARIANTS (a folder of
// text in other formats and mixtures).
//
// Every benchmark reports bytes of text a second and records a second; bench/run.py adds the ratios. The text yardstick
// is read(2) and a memchr walk over the lines: what reading text costs at the least. The gzip yardstick is the build's
// decoder alone.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "src/scan/driver.h"
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
  // At the beginning of a page: 16 bytes behind it, where malloc puts it, Zen 4 copies a page of the file at 0.75 to
  // 0.85 of the rate.
  constexpr size_t kPage = 4096, kSize = 256 * 1024;
  const std::unique_ptr<char, decltype(&std::free)> buffer(static_cast<char*>(std::aligned_alloc(kPage, kSize)),
                                                           &std::free);
  uint64_t bytes = 0, lines = 0;
  for (auto _ : state) {
    bytes = lines = 0;
    const int fd = open(path.c_str(), O_RDONLY);
    for (ssize_t n; (n = read(fd, buffer.get(), kSize)) > 0;) {
      bytes += static_cast<uint64_t>(n);
      const char *p = buffer.get(), *end = p + n;
      while ((p = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)))) != nullptr) {
        ++lines;
        ++p;
      }
    }
    close(fd);
  }
  Rates(state, bytes, lines);
}

void InflateAll(benchmark::State& state, const std::string& path) {
  std::vector<char> buffer(256 * 1024);
  const std::vector<Source> sources = *Source::Expand(path);
  uint64_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    for (const Source& source : sources) {
      auto stream = vpcflow::OpenText(source, nullptr);
      while (true) {
        absl::StatusOr<size_t> n = (*stream)->Read(buffer.data(), buffer.size());
        if (!n.ok() || *n == 0) break;
        bytes += *n;
      }
    }
  }
  Rates(state, bytes, 0);
}

void YardstickInflate(benchmark::State& state) { InflateAll(state, Path("VPCFLOW_BENCH_GZ")); }
void YardstickInflateSmall(benchmark::State& state) { InflateAll(state, Path("VPCFLOW_BENCH_SMALL")); }

void IndexTokens(benchmark::State& state) {
  std::string text(1 << 20, '\0');
  const int fd = open(Path("VPCFLOW_BENCH_LOG").c_str(), O_RDONLY);
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(fd, text.data(), text.size()))));
  close(fd);
  text.resize(text.rfind('\n') + 1);
  std::vector<std::string_view> blocks;  // whole lines, as a scan cuts them
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(blocks.back().size()))
    blocks.push_back(rest.substr(0, rest.rfind('\n', 128 * 1024) + 1));
  vpcflow::TokenIndex index;
  for (auto _ : state) {
    for (const std::string_view block : blocks) {
      vpcflow::internal::ActiveKernels().index(block.data(), block.size(), index.Reserve(block.size()));
      benchmark::DoNotOptimize(index.token_count());
    }
  }
  Rates(state, text.size(), 0);
}

// Every field of the file's format typed into columns, batch by batch; the batches are dropped.
class ParseHandler final : public vpcflow::internal::BlockHandler {
 public:
  ParseHandler(const std::vector<vpcflow::FieldRef>& fields, const vpcflow::ScanOptions& options,
               vpcflow::Report* report)
      : slots_(fields.size()), rows_(fields, options, report) {
    std::iota(slots_.begin(), slots_.end(), size_t{0});
  }
  bool OnBlock(const vpcflow::internal::ResolvedBlock& block) override {
    rows_.Start(block);
    while (rows_.Next()) {
      rows_.Load(slots_);
      rows_.DropBad();
    }
    return true;
  }

 private:
  std::vector<size_t> slots_;
  vpcflow::internal::TextRows rows_;
};

void ParseFile(benchmark::State& state, const std::string& path, int threads) {
  std::vector<Source> sources = {Source::File(path)};
  vpcflow::ScanOptions options;
  options.threads = threads;
  const vpcflow::Format format = vpcflow::PeekFormats(sources[0], options)->at(0);
  std::vector<vpcflow::FieldRef> fields;
  for (const vpcflow::FormatColumn& c : format.columns()) fields.push_back({c.field, c.name});
  vpcflow::Report report;
  for (auto _ : state) {
    report = {};
    const auto handlers = vpcflow::internal::RunScan(
        sources, options, vpcflow::internal::TableReads(), /*in_order=*/false,
        [&](vpcflow::Report* part) { return std::make_unique<ParseHandler>(fields, options, part); }, &report);
    if (!handlers.ok()) state.SkipWithError("the scan failed");
  }
  Rates(state, report.text_bytes, report.records());
}
void ParseBatches(benchmark::State& state) {
  ParseFile(state, Path("VPCFLOW_BENCH_LOG"), static_cast<int>(state.range(0)));
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

void RunPlans(benchmark::State& state, const std::string& path, const std::vector<vpcflow::Plan>& plans, int threads) {
  const std::vector<Source> sources = *Source::Expand(path);
  vpcflow::ScanOptions options;
  options.threads = threads;
  vpcflow::Report report;
  for (auto _ : state) {
    auto results = vpcflow::RunAll(plans, sources, options);
    report = (*results)[0].report;
  }
  Rates(state, report.text_bytes, report.records());
}

void JobAggText(benchmark::State& state) {
  RunPlans(state, Path("VPCFLOW_BENCH_LOG"), AggPlans(), static_cast<int>(state.range(0)));
}
void JobAggGzip(benchmark::State& state) {
  RunPlans(state, Path("VPCFLOW_BENCH_GZ"), AggPlans(), static_cast<int>(state.range(0)));
}
void JobAggSmallObjects(benchmark::State& state) {
  RunPlans(state, Path("VPCFLOW_BENCH_SMALL"), AggPlans(), static_cast<int>(state.range(0)));
}
void TopTalkers(benchmark::State& state) {
  RunPlans(state, Path("VPCFLOW_BENCH_LOG"), {AggPlans()[0]}, static_cast<int>(state.range(0)));
}

// The same plans, fed in pieces of as many bytes as a datagram or segment has.
void FeedPlans(benchmark::State& state, const std::vector<vpcflow::Plan>& plans) {
  constexpr size_t kPiece = 1400;
  std::ifstream file(Path("VPCFLOW_BENCH_LOG"), std::ios::binary);
  std::string text(size_t{32} << 20, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  vpcflow::Report report;
  for (auto _ : state) {
    std::vector<vpcflow::Aggregation> held;
    for (const vpcflow::Plan& plan : plans) held.push_back(*vpcflow::Aggregation::Make(plan));
    std::vector<vpcflow::Aggregation*> into;
    for (vpcflow::Aggregation& one : held) into.push_back(&one);
    vpcflow::Feeder feeder = vpcflow::Feeder::Into(std::move(into));
    bool fine = true;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(kPiece, rest.size())))
      fine = feeder.Feed(rest.substr(0, kPiece)).ok() && fine;
    if (!feeder.Finish().ok() || !fine) state.SkipWithError("the feeding failed");
    report = feeder.report();
  }
  Rates(state, report.text_bytes, report.records());
}
void FeedAgg(benchmark::State& state) { FeedPlans(state, AggPlans()); }
void FeedTopTalkers(benchmark::State& state) { FeedPlans(state, {AggPlans()[0]}); }

void WholeTable(benchmark::State& state) {
  RunPlans(state, Path("VPCFLOW_BENCH_LOG"), {*vpcflow::Plan::Make({})}, static_cast<int>(state.range(0)));
}

// Each behind the yardstick that it is measured by, so that both see the same load of the machine.
BENCHMARK(YardstickText)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(ParseBatches)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(JobAggText)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(TopTalkers)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(FeedAgg)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(FeedTopTalkers)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(WholeTable)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(WalkFiveFields)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(IndexTokens)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(YardstickInflate)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(JobAggGzip)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(YardstickInflateSmall)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(JobAggSmallObjects)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

// One benchmark for each file of the variants.
void RegisterVariants() {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(Path("VPCFLOW_BENCH_VARIANTS"), none)) {
    if (entry.path().extension() != ".log") continue;
    const std::string path = entry.path().native(), name = entry.path().stem().native();
    benchmark::RegisterBenchmark(("Parse:" + name).c_str(),
                                 [path](benchmark::State& state) { ParseFile(state, path, 1); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("Agg:" + name).c_str(),
                                 [path](benchmark::State& state) { RunPlans(state, path, AggPlans(), 1); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  RegisterVariants();
  benchmark::RunSpecifiedBenchmarks();
}
