#include "src/plan/group/filtered_rows.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

bool FilteredRows::Select(const PlanImpl& plan, const std::vector<int>& slots, const PlannedAggregate& agg,
                          const GroupedRows& rows) {
  const Batch& batch = rows.batch;
  if (passes_of_ == nullptr || passes_of_->text() != agg.filter->text()) {  // aggregates often have the same
    filter_columns_.clear();
    for (const int slot : agg.filter_slots) filter_columns_.push_back(slots[static_cast<size_t>(slot)]);
    passes_.resize(batch.rows);
    agg.filter->Evaluate(batch, filter_columns_, passes_);
    passes_of_ = &*agg.filter;
  }
  rows_.clear();
  std::vector<uint32_t> place(rows.shares.empty() ? 0 : batch.rows, kNoGroup);
  for (uint32_t i = 0; i < batch.rows; ++i) {
    if (passes_[i] != Tri::kTrue) continue;
    if (!place.empty()) place[i] = static_cast<uint32_t>(rows_.size());
    rows_.push_back(i);
  }
  if (rows_.size() == batch.rows) return true;
  const auto gather = [&](const auto& from, auto* to) {
    to->resize(rows_.size());
    for (size_t i = 0; i < rows_.size(); ++i) (*to)[i] = from[rows_[i]];
  };
  batch_.rows = rows_.size();
  batch_.source = batch.source;
  batch_.v6 = batch.v6;
  gather(batch.offsets, &batch_.offsets);
  gather(rows.group, &group_);
  gather(rows.spread, &spread_);
  shares_.clear();
  for (BinShare share : rows.shares) {
    share.row = place[share.row];
    if (share.row != kNoGroup) shares_.push_back(share);
  }
  batch_.columns.resize(batch.columns.size());
  const auto take = [&](int plan_slot) {
    if (plan_slot < 0) return;
    const auto at = static_cast<size_t>(slots[static_cast<size_t>(plan_slot)]);
    const Column& from = batch.columns[at];
    Column& to = batch_.columns[at];
    to.kind = from.kind;
    to.dictionary = from.dictionary;
    if (from.kind == Kind::kAddress) {
      gather(from.addresses, &to.addresses);
    } else if (from.kind == Kind::kText) {
      gather(from.texts, &to.texts);
    } else {
      gather(from.ints, &to.ints);
    }
  };
  take(agg.slot);
  take(plan.start_slot);
  take(plan.end_slot);
  return false;
}

GroupedRows FilteredRows::Grouped(const PlanImpl& plan, const std::vector<int>& slots) const {
  const auto column = [&](int slot) {
    return slot < 0 ? nullptr : &batch_.columns[static_cast<size_t>(slots[static_cast<size_t>(slot)])];
  };
  return {batch_, group_, spread_, shares_, column(plan.start_slot), column(plan.end_slot)};
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
