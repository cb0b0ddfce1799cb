#include "vpcflow/plan/coverage.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/plan/run/run.h"
#include "src/plan/run/worker.h"
#include "src/scan/driver.h"
#include "vpcflow/aggregate/coverage.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int64_t kMicros = 1'000'000;

// Minutes without a gap that were added of an interface, in the same way: of the many records of a minute one is enough,
// unless it tells the window.
struct Added {
  int64_t first = -2, last = -2;
  LogStatus status = LogStatus::kOk;
};
using AddedByInterface = std::unordered_map<std::string, Added>;

// Adds the rows of a selection, in the columns of CoverageSpec.
void AddRows(const Table& rows, AddedByInterface* added, Coverage* coverage) {
  const auto text = [](const TableColumn& column, size_t row) {
    return column.is_null(row) ? std::string_view()
                               : std::string_view(column.texts[static_cast<size_t>(column.i32[row])]);
  };
  const TableColumn &interface = rows.columns[0], &start = rows.columns[3], &end = rows.columns[4],
                    &status = rows.columns[5];
  std::vector<Added*> before(interface.texts.size(), nullptr);  // by code
  std::vector<LogStatus> statuses;
  for (const auto& name : status.texts) statuses.push_back(ParseLogStatus(name));
  for (size_t row = 0; row < rows.rows; ++row) {
    if (start.is_null(row)) continue;
    const int64_t from = start.i64[row] / kMicros, to = end.is_null(row) ? from : end.i64[row] / kMicros;
    const LogStatus seen =
        status.is_null(row) ? ParseLogStatus(std::string_view()) : statuses[static_cast<size_t>(status.i32[row])];
    if (!interface.is_null(row) && to - from <= 60) {
      Added*& last = before[static_cast<size_t>(interface.i32[row])];
      if (last == nullptr) last = &(*added)[std::string(text(interface, row))];
      const int64_t first = from / 60, until = std::max(from, to - 1) / 60;
      if (seen == last->status && first >= last->first && until <= last->last) continue;
      const bool joins = seen == last->status && first <= last->last + 1 && until + 1 >= last->first;
      *last =
          joins ? Added{std::min(first, last->first), std::max(until, last->last), seen} : Added{first, until, seen};
    }
    std::string_view name;
    for (size_t column = 0; column < 3 && name.empty(); ++column) name = text(rows.columns[column], row);
    coverage->Add(name, from, to, seen);
  }
}

class CoverageHandler final : public BlockHandler {
 public:
  CoverageHandler(const Plan& plan, const SlotMap& map, const ScanOptions& options, Report* report)
      : worker_({&plan, 1}, map), rows_(map.fields, options, report), columns_(plan.impl().spec.select.size()) {
    std::iota(columns_.begin(), columns_.end(), size_t{0});
  }

  bool OnBlock(const ResolvedBlock& block) override {
    Rows* const rows = rows_.Start(block);
    while (rows->Next()) worker_.Process(rows);
    if (++blocks_ % kBlocks == 0) AddHeld();
    return !rows->stopped();
  }
  // Adds the rows that are held. Many blocks at once, as each time the texts are put together.
  void AddHeld() { AddRows(RowState::Finish({worker_.rows(0)}, columns_), &added_, &coverage_); }
  Worker& worker() { return worker_; }
  const Coverage& coverage() const { return coverage_; }

 private:
  static constexpr size_t kBlocks = 32;

  Worker worker_;
  BlockRows rows_;
  size_t blocks_ = 0;
  std::vector<size_t> columns_;
  AddedByInterface added_;
  Coverage coverage_;
};

}  // namespace
}  // namespace internal

PlanSpec CoverageSpec() {
  PlanSpec spec;
  spec.select = {"interface-id", "tgw-attachment-id", "resource-id", "start", "end", "log-status"};
  spec.allow_missing = true;
  return spec;
}

absl::StatusOr<Result> MeasureCoverage(const Plan& plan, const std::vector<Source>& sources, const ScanOptions& options,
                                       Result* partial) {
  using namespace internal;
  if (plan.impl().spec.select != CoverageSpec().select)
    return MakeError(ErrorKind::kPlan, "MeasureCoverage: the plan is not made of CoverageSpec()");
  const SlotMap map({&plan, 1});
  const TableReads reads = ReadsOf(map.fields);
  Result result;
  for (const std::string& warning : plan.impl().warnings) result.report.Warn(warning);
  const auto handlers = RunScan(
      sources, options, reads, /*in_order=*/false,
      [&](Report* part) { return std::make_unique<CoverageHandler>(plan, map, options, part); }, &result.report);
  if (!handlers.ok()) return handlers.status();
  Coverage all;
  std::vector<Worker*> workers;
  for (const auto& handler : *handlers) {
    auto* own = static_cast<CoverageHandler*>(handler.get());
    own->AddHeld();
    all.Merge(own->coverage());
    workers.push_back(&own->worker());
  }
  AddCounts(workers, 0, &result.report);
  result.table = CoverageTable(all);
  const bool stopped = options.on_error == OnError::kStop && !result.report.rejects.empty();
  if (absl::Status s = stopped ? result.report.rejects[0].ToStatus() : result.report.Outcome(options.allow_empty);
      !s.ok()) {
    if (partial != nullptr) *partial = std::move(result);
    return s;
  }
  return result;
}

VPCFLOW_NAMESPACE_END
