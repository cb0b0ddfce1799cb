// A user's program under strict warnings: all public headers, their templates in use, and parts of each specification.
#include <cstdio>
#include <string>
#include <vector>

#include "vpcflow/filter/cidr_set.h"
#include "vpcflow/vpcflow.h"

namespace {

using Peers = vpcflow::GroupBy<
    vpcflow::Keys<vpcflow::f::SrcAddr, vpcflow::f::DstPort, vpcflow::f::Action, vpcflow::f::InterfaceId>,
    vpcflow::Aggregate<vpcflow::Count, vpcflow::Sum<vpcflow::f::Bytes>, vpcflow::Mean<vpcflow::f::Packets>,
                       vpcflow::Min<vpcflow::f::Start>, vpcflow::Max<vpcflow::f::DstAddr>,
                       vpcflow::First<vpcflow::f::InterfaceId>, vpcflow::Last<vpcflow::f::Protocol>,
                       vpcflow::Distinct<vpcflow::f::DstAddr>, vpcflow::ApproxDistinct<vpcflow::f::DstAddr>,
                       vpcflow::ApproxQuantile<vpcflow::f::Bytes>,
                       vpcflow::TopKeys<vpcflow::f::DstAddr, vpcflow::f::Bytes, 100>>>;
constexpr auto kSsh = [](const vpcflow::RecordView& record) { return record.dstport() == 22; };
using Hourly = vpcflow::Windows<3600, vpcflow::Where<kSsh, vpcflow::Count>>;

template <class A>
size_t SavedAndRead(const A& a) {
  A read;
  const std::string bytes = vpcflow::ToBytes(a);
  return vpcflow::FromBytes(bytes, &read) == vpcflow::StateError::kNone ? bytes.size() : 0;
}

size_t Sketches() {
  vpcflow::DistinctSketch distinct;
  vpcflow::KllSketch kll(200, 1);
  vpcflow::LogHistogram histogram;
  vpcflow::HeavyHitters<std::string> hitters(10);
  for (uint64_t i = 0; i < 1000; ++i) {
    distinct.Add(vpcflow::SketchHash(i));
    kll.Add(i);
    histogram.Add(i);
    hitters.Add(std::to_string(i % 20), 1);
  }
  return distinct.Estimate() + kll.Quantile(0.5).value_or(0) + histogram.Quantile(0.5).value_or(0) +
         hitters.Top(3).size();
}

}  // namespace

int main(int argc, char** argv) {
  const vpcflow::PlanSpec groups{.where = "action = 'REJECT'", .by = {"srcaddr"}};
  const vpcflow::PlanSpec top{.aggs = {{"n", "count()"}}, .top = vpcflow::TopSpec{.n = 3, .by = "n"}};
  const vpcflow::PlanSpec sessions{.sessions = vpcflow::SessionSpec{.idle = 60}};
  const vpcflow::PlanSpec rows{.select = {"srcaddr"}, .limit = 5, .sort = {{.column = "srcaddr"}}};
  const vpcflow::ScanOptions options{.threads = 2};
  const vpcflow::ScanOptions polled{.poll = [](const vpcflow::Progress&) { return true; }};
  const vpcflow::DetectSettings settings{.values = {{"scan_ports", 50}, {"bad", vpcflow::Prefixes{"10.0.0.0/8"}}}};
  const vpcflow::SynthOptions synth{.records = 1000, .seed = 7};
  const vpcflow::ObjectSelection selection{.accounts = {"123456789012"}};
  const vpcflow::FilterOptions lenient{.lenient = true};
  const vpcflow::LabelColumn labels{.name = "net", .field = "srcaddr"};
  const vpcflow::DerivedColumn derived{.name = "share", .expression = "n / n"};
  const vpcflow::PlanSpec having{.having = {"n > 1 or share is null"}};
  const vpcflow::SessionSpec session{.vantage = vpcflow::Vantage::kAll};
  const vpcflow::Progress progress{.bytes = 1};
  const vpcflow::PlanSpec asked{.asked = vpcflow::TimeSpan{.end = 2'000'000'000}};
  const vpcflow::ScanOptions empty{.allow_empty = true};
  const vpcflow::Report report{.sources = 1, .asked = vpcflow::TimeSpan{.start = 0}};
  const vpcflow::ArrowColumns columns{.names = {"srcaddr"}};
  const vpcflow::ObjectPath path{.region = "eu-west-1", .later = 60};

  vpcflow::SynthSummary summary;
  const absl::StatusOr<std::string> log = vpcflow::SynthesizeText(synth, &summary);
  if (!log.ok()) return 1;
  Peers peers;
  Hourly hourly;
  vpcflow::Coverage coverage;
  const vpcflow::Source source = argc > 1 ? vpcflow::Source::File(argv[1]) : vpcflow::Source::Bytes("log", *log);
  if (!vpcflow::Scan(source).Where("bytes > 0").Threads(2).Into(&peers).ok()) return 1;
  if (!vpcflow::Scan(source).AllRecords().Into(&coverage).ok() || !vpcflow::Scan(source).Into(&hourly).ok()) return 1;
  size_t rows_read = 0;
  vpcflow::Reader reader({source}, options);
  for (const vpcflow::RecordView& record : reader) rows_read += record.srcaddr().has_value() ? size_t{1} : size_t{0};
  for (const vpcflow::PlanSpec& spec : {groups, top, sessions, rows, asked}) {
    const absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
    if (!plan.ok()) return 1;
    absl::StatusOr<vpcflow::Result> result = plan->Run({source}, polled);
    if (!result.ok()) return 1;
    rows_read += result->table.rows + vpcflow::ToCsv(result->table, true, true).size();
  }
  const absl::StatusOr<vpcflow::Filter> filter = vpcflow::Filter::Parse("dstport < 1024", {}, lenient);
  const absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make(settings);
  if (!filter.ok() || !detection.ok() || !empty.allow_empty || report.records() != 0 || columns.names.empty()) return 1;
  const size_t names =
      labels.name.size() + derived.name.size() + having.having.size() + selection.accounts.size() + path.region.size();
  std::printf("%zu rows, %zu groups by %s, %zu intervals, %zu bytes of state, %zu, %zu, %d\n", rows_read, peers.Value(),
              Peers::Name().c_str(), coverage.Value().size(), SavedAndRead(peers) + SavedAndRead(hourly), Sketches(),
              names + progress.bytes, static_cast<int>(session.vantage));
  for (const auto& row : peers.Top<0>(3))
    std::printf("%s %llu\n", row.key<0>() ? vpcflow::ToString(*row.key<0>()).c_str() : "-",
                static_cast<unsigned long long>(row.value<0>()));
  return 0;
}
