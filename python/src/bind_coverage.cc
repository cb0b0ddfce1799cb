// Coverage of interfaces by logs.
#include <utility>

#include "convert.h"
#include "vpcflow/plan/coverage.h"

namespace vpcflow_python {
namespace {

// The coverage of sources as a table: interface_id, seen, start, end, minutes; and the report. Damage of sources is in
// the report, as of plans.
py::object Measure(const vpcflow::Plan& plan, const std::vector<std::shared_ptr<PySource>>& sources,
                   const vpcflow::ScanOptions& own, const py::object& progress) {
  const vpcflow::ScanOptions options = ForRunning(own, progress);
  const std::vector<vpcflow::Source> native = SourcesOf(sources);
  absl::StatusOr<vpcflow::Result> result = absl::UnknownError("");
  vpcflow::Result partial;
  {
    const py::gil_scoped_release release;
    result = vpcflow::MeasureCoverage(plan, native, options, &partial);
  }
  if (result.ok()) return ResultToPython(*std::move(result));
  RaiseUnlessDamage(result.status(), partial.report);
  return ResultToPython(std::move(partial));
}

}  // namespace

void BindCoverage(py::module_& m) {
  m.def("coverage_fields", [] { return vpcflow::CoverageSpec().select; });
  m.def("coverage", &Measure, py::arg("plan"), py::arg("sources"), py::arg("options"), py::arg("progress"));
}

}  // namespace vpcflow_python
