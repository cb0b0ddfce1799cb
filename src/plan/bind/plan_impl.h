// The checked form of a plan.
#ifndef VPCFLOW_SRC_PLAN_BIND_PLAN_IMPL_H_
#define VPCFLOW_SRC_PLAN_BIND_PLAN_IMPL_H_

#include <optional>
#include <string>
#include <vector>

#include "src/result/expression.h"
#include "vpcflow/plan/plan.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Of PlanSpec::located.
inline constexpr const char* kFileColumn = "file";
inline constexpr const char* kOffsetColumn = "offset";

struct PlannedAggregate {
  std::string name;
  AggKind kind = AggKind::kCount;
  FieldRef field;
  int slot = -1;  // index into PlanImpl::fields; -1 for count
  double q = 0;   // of quantiles
  std::optional<Filter> filter;
  std::vector<int> filter_slots;  // of the filter's fields
};

struct PlanImpl {
  PlanSpec spec;
  std::optional<Filter> filter;
  bool grouped = false;
  bool select_all = false;
  size_t promised = 0;            // of select_all: the first columns, which the formats known before have
  bool all_records = false;       // NODATA and SKIPDATA records too
  std::vector<FieldRef> fields;   // what it reads; the slots below are indices into it
  std::vector<int> filter_slots;  // of the filter's fields
  std::vector<int> select_slots;
  std::vector<int> key_slots;
  std::vector<PlannedAggregate> aggs;
  std::vector<ColumnExpression> derived;  // of spec.derived
  std::vector<ColumnExpression> having;   // of spec.having
  size_t required = SIZE_MAX;             // of fields: the first ones, which some source must have
  int start_slot = -1;
  int end_slot = -1;
  std::vector<std::string> warnings;  // of its filters

  uint64_t counters() const { return spec.top ? spec.top->counters : 0; }
};

// The type of an aggregate's column; sums that outgrow it are kInt128.
ColumnType TypeOf(const PlannedAggregate& agg);

// The name of a field's column: underscores.
std::string ColumnName(const FieldRef& field);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_BIND_PLAN_IMPL_H_
