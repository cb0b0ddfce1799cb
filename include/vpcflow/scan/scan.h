// Scan: sources through a filter into an accumulator, on several threads.
//
// Example:
//   vpcflow::Aggregate<vpcflow::Count, vpcflow::Sum<vpcflow::f::Bytes>> total;
//   absl::Status s = vpcflow::Scan(vpcflow::Source::File("flow.log")).Where("dstport = 443").Threads(4).Into(&total);
//
// NODATA and SKIPDATA records are left out, as in a grouping plan; AllRecords() takes them in.
#ifndef VPCFLOW_SCAN_SCAN_H_
#define VPCFLOW_SCAN_SCAN_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "vpcflow/aggregate/accumulator.h"
#include "vpcflow/filter/filter.h"
#include "vpcflow/result/report.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

namespace internal {

// Calls visit[i] for the records that thread i reads, after checking the fields in `check`. `reads` are the fields that
// visits look at; nothing for any.
absl::Status VisitRecords(const std::vector<Source>& sources, const ScanOptions& options,
                          const std::vector<Field>& check, const std::optional<std::vector<Field>>& reads,
                          const std::vector<std::function<void(const RecordView&)>>& visit, Report* report);

}  // namespace internal

// For one thread; the predicates and accumulators are called by the scan's threads, each accumulator by one.
class Scan {
 public:
  explicit Scan(Source source) : sources_{std::move(source)} {}
  explicit Scan(std::vector<Source> sources) : sources_(std::move(sources)) {}

  // Keeps only records that pass. An expression that does not parse is reported by Into.
  Scan& Where(std::string_view expression) & {
    absl::StatusOr<Filter> filter = Filter::Parse(expression);
    if (!filter.ok()) {
      status_ = filter.status();
      return *this;
    }
    return Where(*filter);
  }
  Scan& Where(Filter filter) & {
    warnings_.insert(warnings_.end(), filter.warnings().begin(), filter.warnings().end());
    for (const FieldRef& field : filter.fields()) check_.push_back(field.field);
    return Where([filter = std::move(filter)](const RecordView& record) { return filter.Matches(record); });
  }
  Scan& Where(std::function<bool(const RecordView&)> predicate) & {
    predicates_.push_back(std::move(predicate));
    return *this;
  }
  Scan& Threads(int n) & {
    options_.threads = n;
    return *this;
  }
  Scan& Options(ScanOptions options) & {
    options_ = std::move(options);
    return *this;
  }
  // Says that predicates and accumulators read no other fields than these and those of filters: of tables only their
  // columns are read, and other fields are null. By default all are read.
  Scan& Reads(std::vector<Field> fields) & {
    reads_ = std::move(fields);
    return *this;
  }
  Scan& AllRecords() & {
    all_records_ = true;
    return *this;
  }

  // Does the same to a temporary, by value: Scan(source).Where("...").Into(&out), and no reference dangles.
  Scan Where(std::string_view expression) && { return std::move(Where(expression)); }
  Scan Where(Filter filter) && { return std::move(Where(std::move(filter))); }
  Scan Where(std::function<bool(const RecordView&)> predicate) && { return std::move(Where(std::move(predicate))); }
  Scan Threads(int n) && { return std::move(Threads(n)); }
  Scan Options(ScanOptions options) && { return std::move(Options(std::move(options))); }
  Scan Reads(std::vector<Field> fields) && { return std::move(Reads(std::move(fields))); }
  Scan AllRecords() && { return std::move(AllRecords()); }

  // Runs, and merges what every thread found into `out`. `report`, if given, is filled in any case. Errors as
  // Plan::Run; what a predicate, an accumulator,
  // the poll or a source's callback throws, and std::bad_alloc, reaches the caller once all threads have ended; `out`
  // is then as it was.
  template <Accumulator A>
  absl::Status Into(A* out, Report* report = nullptr) {
    if (!status_.ok()) return status_;
    if (options_.threads <= 0) options_.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    std::vector<Field> check = check_;
    for (Field field : FieldsOf<A>()) check.push_back(field);
    std::vector<A> parts(static_cast<size_t>(options_.threads));
    std::vector<std::function<void(const RecordView&)>> visit;
    for (A& part : parts) {
      visit.push_back([this, &part](const RecordView& record) {
        if (!all_records_ && !record.is_traffic()) return;
        for (const auto& predicate : predicates_) {
          if (!predicate(record)) return;
        }
        part.Update(record);
      });
    }
    std::optional<std::vector<Field>> reads = reads_;
    if (reads) reads->insert(reads->end(), check.begin(), check.end());
    Report own;
    absl::Status status =
        internal::VisitRecords(sources_, options_, check, reads, visit, report != nullptr ? report : &own);
    for (const std::string& warning : warnings_) (report != nullptr ? report : &own)->Warn(warning);
    for (const A& part : parts) out->Merge(part);
    return status;
  }

 private:
  std::vector<Source> sources_;
  ScanOptions options_;
  std::vector<Field> check_;
  std::optional<std::vector<Field>> reads_;  // nothing for any
  std::vector<std::string> warnings_;        // of filters
  std::vector<std::function<bool(const RecordView&)>> predicates_;
  bool all_records_ = false;
  absl::Status status_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SCAN_SCAN_H_
