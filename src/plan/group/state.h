// GroupState: the groups of one grouping in one worker, and the cells of the plans that share it.
#ifndef VPCFLOW_SRC_PLAN_GROUP_STATE_H_
#define VPCFLOW_SRC_PLAN_GROUP_STATE_H_

#include <memory>
#include <span>
#include <vector>

#include "src/plan/bind/plan_impl.h"
#include "src/plan/group/accumulate.h"
#include "src/plan/group/bin_shares.h"
#include "src/plan/group/error_bounds.h"
#include "src/plan/group/filtered_rows.h"
#include "src/plan/group/group_table.h"
#include "src/plan/group/key_layout.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class GroupState {
 public:
  // `slots[i]` is the batch column of the plan's i-th field. Plans and slots must outlive it.
  GroupState(const PlanImpl& plan, const std::vector<int>& slots) : GroupState(plan, slots, plan.spec.every) {}
  GroupState(const GroupState&) = delete;
  GroupState& operator=(const GroupState&) = delete;

  // Whether a plan has the same rows, keys and time bins as the first; then it can Join, and gets its number.
  bool Shares(const PlanImpl& plan) const;
  size_t Join(const PlanImpl& plan, const std::vector<int>& slots);

  void Consume(const Batch& batch);
  void Merge(const GroupState& other) { MergeFinal(other, 0); }
  // Final merge, on up to `threads` threads. Only Finish may be called afterwards.
  void MergeFinal(const GroupState& other, size_t threads);
  // Of a plan with counters: whether there are so many groups that Pruned, a state of the heavier ones, is to take its
  // place.
  bool NeedsPruning() const { return table_.size() > most_groups_; }
  std::unique_ptr<GroupState> Pruned() const;
  // Saving and reading the groups and the cells of the first plan. The same bytes for the same groups, whatever the
  // order they came in. Read, into an empty state, is false for bytes that are no state of this plan.
  void Write(StateWriter* out);
  bool Read(StateReader* in);
  // The result of the n-th plan; sorted, cut to the top and with its rest, as the plan says.
  Table Finish(size_t n);
  // Records that span more time bins than are spread.
  uint64_t unspread() const { return bin_shares_.unspread(); }
  size_t groups() const { return table_.size(); }
  // Memory of the groups and cells.
  size_t bytes() const;

 private:
  using Place = KeyLayout::Place;
  // A plan, the batch columns of its fields, and its cells.
  struct Member {
    const PlanImpl* plan;
    const std::vector<int>* slots;
    std::vector<std::unique_ptr<Accumulators>> accumulators;
    // The column of a plan's slot; null for -1.
    const Column* column(const Batch& batch, int slot) const {
      return slot < 0 ? nullptr : &batch.columns[static_cast<size_t>((*slots)[static_cast<size_t>(slot)])];
    }
  };

  // `seconds`: what rates are over.
  GroupState(const PlanImpl& plan, const std::vector<int>& slots, int64_t seconds);
  uint64_t Code(uint32_t group, const Place& place) const { return place.Code(table_.key(group)); }
  const Interner& interner() const { return encoder_.interner(); }
  // The groups of the windows that a plan asks for, made of the time bins.
  std::unique_ptr<GroupState> Windows(const Member& member) const;
  // Merges the groups of another for which `keep` is not 0, all if it is empty. `last_threads`: for MergeFinal, else 0.
  void MergeGroups(const GroupState& other, const CodeMap& codes, std::span<const uint8_t> keep,
                   size_t last_threads = 0);
  Table Emit(const Member& member);
  std::string KeyName(const PlanSpec& spec, size_t place) const;
  TableColumn KeyColumn(const PlanSpec& spec, size_t place, const std::vector<uint32_t>& groups);
  // Keeps the groups, and the rows of their values, that pass: keys that no condition names are decoded and sorted for
  // those alone.
  void KeepGroups(const PlanImpl& plan, std::vector<uint32_t>* groups, Table* values);
  std::vector<uint32_t> TopGroups(const Member& member) const;
  // The groups that can be among the largest of each value of the keys that the top-k is made per: with them go those
  // that are as large as the last one. O(groups), expected.
  std::vector<uint32_t> TopGroupsPer(const Member& member, const Accumulators& values) const;
  void EmitOther(const Member& member, const std::vector<uint32_t>& top, Table* table) const;

  const PlanImpl& plan_;  // of the first member
  int64_t seconds_;
  const std::vector<int>& slots_;
  std::vector<Member> members_;
  KeyLayout layout_;
  GroupTable table_;
  Encoder encoder_;
  BinShares bin_shares_;
  size_t most_groups_;
  ErrorBounds bounds_;  // of plans with counters
  // Scratch, by row.
  std::vector<uint64_t> keys_;
  std::vector<uint64_t> codes_;
  std::vector<uint32_t> group_;
  FilteredRows filtered_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_STATE_H_
