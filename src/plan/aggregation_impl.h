// What an Aggregation holds.
#ifndef VPCFLOW_SRC_PLAN_AGGREGATION_IMPL_H_
#define VPCFLOW_SRC_PLAN_AGGREGATION_IMPL_H_

#include "src/plan/run.h"
#include "vpcflow/plan/aggregation.h"

VPCFLOW_NAMESPACE_BEGIN

struct Aggregation::Impl {
  explicit Impl(const Plan& p) : plan(p), map({&plan, 1}), state(plan.impl(), map.slots[0]) {}

  // Adds what workers found.
  absl::Status Join(const internal::ScannedWorkers& scanned, const Report& report);

  Plan plan;
  internal::SlotMap map;
  internal::GroupState state;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_AGGREGATION_IMPL_H_
