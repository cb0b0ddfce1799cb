// Joining what workers computed into results; shared by scans of text and of Arrow tables.
#ifndef VPCFLOW_SRC_PLAN_RUN_H_
#define VPCFLOW_SRC_PLAN_RUN_H_

#include <span>
#include <vector>

#include "src/plan/worker.h"
#include "vpcflow/plan/plan.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

absl::StatusOr<std::vector<Result>> JoinWorkers(std::span<const Plan> plans, const SlotMap& map,
                                                const std::vector<Worker*>& workers, Report report);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_RUN_H_
