// Coverage of interfaces by logs.
#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "convert.h"

namespace vpcflow_python {
namespace {

// Coverage, and how many records it is of.
struct CountedCoverage {
  static constexpr auto kFields = vpcflow::Coverage::kFields;
  void Update(const vpcflow::RecordView& record) {
    ++records;
    coverage.Update(record);
  }
  void Merge(const CountedCoverage& other) {
    records += other.records;
    coverage.Merge(other.coverage);
  }
  uint64_t Value() const { return records; }
  vpcflow::Coverage coverage;
  uint64_t records = 0;
};

// What PlanSpec::asked counts of a plan, for a scan: a predicate that lets every record pass.
struct Asked {
  explicit Asked(vpcflow::TimeSpan time) : span(time) {}
  bool operator()(const vpcflow::RecordView& record) {
    const std::optional<int64_t> start = record.start();
    if (!start) return true;
    const std::lock_guard lock(mutex);
    in_time += *start >= span.start.value_or(*start) && (!span.end || *start < *span.end);
    first = std::min(first.value_or(*start), *start);
    last = std::max(last.value_or(*start), *start);
    return true;
  }
  vpcflow::TimeSpan span;
  std::mutex mutex;
  uint64_t in_time = 0;
  std::optional<int64_t> first, last;
};

// The coverage of sources as a table: interface_id, seen, start, end, minutes; and the report.
py::object MeasureCoverage(const std::vector<std::shared_ptr<PySource>>& sources, const std::string& where,
                           const std::optional<TimePair>& time, const py::dict& options_dict) {
  const vpcflow::ScanOptions options = OptionsFrom(options_dict);
  vpcflow::Scan scan(SourcesOf(sources));
  scan.Options(options).AllRecords();
  std::optional<Asked> asked;
  if (time) {
    asked.emplace(vpcflow::TimeSpan{time->first, time->second});
    scan.Where([&](const vpcflow::RecordView& record) { return (*asked)(record); });
  }
  if (!where.empty()) scan.Where(where);
  vpcflow::Result result;
  absl::Status status;
  {
    const py::gil_scoped_release release;
    CountedCoverage counted;
    status = scan.Into(&counted, &result.report);
    result.report.matched = counted.records;
    if (asked) {
      result.report.asked = asked->span;
      result.report.in_time = asked->in_time;
      result.report.first_start = asked->first;
      result.report.last_start = asked->last;
    }
    result.table = vpcflow::CoverageTable(counted.coverage);
  }
  RaiseUnlessDamage(status, result.report);
  return ResultToPython(std::move(result));
}

}  // namespace

void BindCoverage(py::module_& m) {
  m.def(
      "coverage_of",
      [](const vpcflow::Table& records) {
        return std::make_shared<vpcflow::Table>(vpcflow::CoverageTable(vpcflow::CoverageOf(records)));
      },
      py::arg("records"));
  m.def("coverage", &MeasureCoverage, py::arg("sources"), py::arg("where"), py::arg("asked"), py::arg("options"));
}

}  // namespace vpcflow_python
