// What an Aggregation holds.
#ifndef VPCFLOW_SRC_PLAN_RUN_AGGREGATION_IMPL_H_
#define VPCFLOW_SRC_PLAN_RUN_AGGREGATION_IMPL_H_

#include <memory>
#include <mutex>

#include "src/plan/run/run.h"
#include "vpcflow/plan/aggregation.h"

VPCFLOW_NAMESPACE_BEGIN

struct Aggregation::Impl {
  explicit Impl(const Plan& p) : plan(p), map({&plan, 1}) {
    if (plan.impl().spec.sessions) {
      sessions = std::make_unique<internal::SessionState>(
          internal::MakeSessionState(plan.impl(), map.slots[0], plan.impl().filter.has_value()));
    } else {
      groups = std::make_unique<internal::GroupState>(plan.impl(), map.slots[0]);
    }
  }

  // Adds the records of sources, those alone that pass the filter of `chosen` if there is one. Locks at the end.
  absl::Status Update(const std::vector<Source>& sources, const ScanOptions& options, const Plan* chosen,
                      Report* report);
  // Adds what workers found, and to the report what only they know. Locks.
  void Join(const internal::ScannedWorkers& scanned, Report* report);
  // Adds what a worker found for one of its plans. For one who has the lock.
  void Add(internal::Worker* worker, size_t number);
  // For one who has both locks.
  void Merge(const Impl& other);

  const Plan plan;
  const internal::SlotMap map;
  std::mutex mutex;  // of what follows; never held while records are read
  // One of them.
  std::unique_ptr<internal::GroupState> groups;
  std::unique_ptr<internal::SessionState> sessions;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_RUN_AGGREGATION_IMPL_H_
