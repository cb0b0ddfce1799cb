// MeasureCoverage: which minutes of which interfaces logs speak of.
//
// Example:
//   vpcflow::PlanSpec spec = vpcflow::CoverageSpec();
//   spec.where = "vpc_id = 'vpc-1'";
//   absl::StatusOr<vpcflow::Result> result = vpcflow::MeasureCoverage(*vpcflow::Plan::Make(spec), sources, {});
//   // a row an interval: interface_id, seen, start, end, minutes
#ifndef VPCFLOW_PLAN_COVERAGE_H_
#define VPCFLOW_PLAN_COVERAGE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/plan/plan.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Returns the selection that MeasureCoverage reads; `where`, `labels` and `asked` may be added.
PlanSpec CoverageSpec();

// Measures the coverage of the records that pass a plan's filter (CoverageTable). kInvalidArgument for a plan that is
// not made of a CoverageSpec; other errors and `partial`, also of OnError::kStop, as of Plan::Run. Memory: hours of
// interfaces.
absl::StatusOr<Result> MeasureCoverage(const Plan& plan, const std::vector<Source>& sources, const ScanOptions& options,
                                       Result* partial = nullptr);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_PLAN_COVERAGE_H_
