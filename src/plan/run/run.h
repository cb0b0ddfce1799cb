// Joining what workers computed into results; shared by plans and aggregations.
#ifndef VPCFLOW_SRC_PLAN_RUN_RUN_H_
#define VPCFLOW_SRC_PLAN_RUN_RUN_H_

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "src/plan/run/worker.h"
#include "src/scan/driver.h"
#include "vpcflow/plan/plan.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What a scan for some plans reads of tables; `options` must stay as long as the plans.
TableReads ReadsOf(std::span<const Plan> plans, const SlotMap& map, const ScanOptions& options);

// What a scan left: a worker for each thread.
struct ScannedWorkers {
  std::vector<std::unique_ptr<BlockHandler>> handlers;  // own the workers
  std::vector<Worker*> workers;
};
// With OnError::kStop the first reject is an error. `chosen`: of Worker.
absl::StatusOr<ScannedWorkers> ScanSources(std::span<const Plan> plans, const SlotMap& map,
                                           const std::vector<Source>& sources, const ScanOptions& options,
                                           Report* report, const Plan* chosen = nullptr);

// By slot whether any source had the field; nothing if no source had a format.
std::optional<std::vector<uint8_t>> SeenBy(const std::vector<Worker*>& workers);
// A field that a plan names and no source has is a mistake in the plan.
absl::Status CheckFields(const Plan& plan, const std::vector<int>& slots, const std::vector<uint8_t>& seen,
                         const Report& report);

// Puts rows in the order of the plan and keeps as many as it asks for.
void SortAndSlice(const PlanSpec& spec, Table* table);

// Adds to a report what the workers counted for a plan.
void AddCounts(const std::vector<Worker*>& workers, size_t plan, Report* report);

// The results, or the error of their report (Report::Outcome) with the results in `partial`.
absl::StatusOr<std::vector<Result>> Concluded(std::span<const Plan> plans, absl::StatusOr<std::vector<Result>> results,
                                              const ScanOptions& options, std::vector<Result>* partial);

absl::StatusOr<std::vector<Result>> JoinWorkers(std::span<const Plan> plans, const SlotMap& map,
                                                const std::vector<Worker*>& workers, Report report);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_RUN_RUN_H_
