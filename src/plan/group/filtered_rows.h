// FilteredRows: the rows of a batch that pass the filter of one aggregate ("count() where action = 'REJECT'").
#ifndef VPCFLOW_SRC_PLAN_GROUP_FILTERED_ROWS_H_
#define VPCFLOW_SRC_PLAN_GROUP_FILTERED_ROWS_H_

#include <cstdint>
#include <vector>

#include "src/plan/bind/plan_impl.h"
#include "src/plan/group/accumulate.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class FilteredRows {
 public:
  // Forgets what the filters found in the batch before.
  void Begin() { passes_of_ = nullptr; }
  // Keeps the rows that pass the filter of an aggregate of a plan, with the columns that the aggregate reads. Returns
  // true, and keeps nothing, if all pass. `slots[i]` is the batch column of the plan's i-th field.
  bool Select(const PlanImpl& plan, const std::vector<int>& slots, const PlannedAggregate& agg,
              const GroupedRows& rows);

  bool empty() const { return rows_.empty(); }
  const Batch& batch() const { return batch_; }
  // The kept rows as an update sees them.
  GroupedRows Grouped(const PlanImpl& plan, const std::vector<int>& slots) const;

 private:
  const Filter* passes_of_ = nullptr;  // the filter that passes_ is of
  std::vector<int> filter_columns_;
  std::vector<Tri> passes_;
  std::vector<uint32_t> rows_, group_;
  std::vector<uint8_t> spread_;
  std::vector<BinShare> shares_;
  Batch batch_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_FILTERED_ROWS_H_
