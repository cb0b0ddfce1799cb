// GroupState: the groups of one grouping in one worker, and the cells of the plans that share it.
#ifndef VPCFLOW_SRC_PLAN_GROUP_STATE_H_
#define VPCFLOW_SRC_PLAN_GROUP_STATE_H_

#include <map>
#include <memory>
#include <vector>

#include "src/plan/bind/plan_impl.h"
#include "src/plan/group/accumulate.h"
#include "src/plan/group/group_table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class GroupState {
 public:
  // `slots[i]` is the batch column of the plan's i-th field.
  GroupState(const PlanImpl& plan, const std::vector<int>& slots) : GroupState(plan, slots, plan.spec.every) {}

  // Whether a plan has the same rows, keys and time bins as the first; then it can Join, and gets its number.
  bool Shares(const PlanImpl& plan) const;
  size_t Join(const PlanImpl& plan, const std::vector<int>& slots);

  void Consume(const Batch& batch);
  void Merge(const GroupState& other);
  // Merge for results: afterwards only Finish is right. With `threads` for what they can share.
  void MergeLast(const GroupState& other, size_t threads);
  // Of a plan with counters: whether there are so many groups that Pruned, a state of the heavier ones, is to take its
  // place.
  bool crowded() const { return table_.size() > most_groups_; }
  std::unique_ptr<GroupState> Pruned() const;
  // Saving and reading the groups and the cells of the first plan. The same bytes for the same groups, whatever the
  // order they came in. Read, into an empty state, is false for bytes that are no state of this plan.
  void Write(StateWriter* out);
  bool Read(StateReader* in);
  // The result of the n-th plan; sorted, cut to the top and with its rest, as the plan says.
  Table Finish(size_t n);
  // Records that span more time bins than are spread.
  uint64_t unspread() const { return unspread_; }
  size_t groups() const { return table_.size(); }
  // Memory of the groups and cells.
  size_t bytes() const;

 private:
  // `seconds`: what rates are over.
  GroupState(const PlanImpl& plan, const std::vector<int>& slots, int64_t seconds);
  // Where a key's code stands in the key words.
  struct Place {
    FieldRef field;
    int slot;
    size_t word;
    int shift;
    uint64_t mask;
  };

  static std::vector<Place> MakeLayout(const PlanImpl& plan, const std::vector<int>& slots);
  const Column* column(const Batch& batch, int plan_slot) const;
  void MakeKeys(const Batch& batch);
  void MakePieces(const Batch& batch);
  uint64_t Code(uint32_t group, const Place& place) const {
    return table_.key(group)[place.word] >> place.shift & place.mask;
  }
  const Interner& interner() const { return encoder_.interner(); }
  int CompareKeys(uint32_t a, uint32_t b) const;
  // A plan, the batch columns of its fields, and its cells.
  struct Member {
    const PlanImpl* plan;
    const std::vector<int>* slots;
    std::vector<std::unique_ptr<Accumulators>> accumulators;
  };
  bool SelectPart(const Member& member, const PlannedAggregate& agg, const GroupedRows& rows);
  // The groups of the windows that a plan asks for, made of the time bins.
  std::unique_ptr<GroupState> Windows(const Member& member) const;
  // Merges the groups of another for which `keep` is not 0, all if it is empty. `last_threads`: for MergeLast, else 0.
  void MergeGroups(const GroupState& other, const CodeMap& codes, std::span<const uint8_t> keep,
                   size_t last_threads = 0);
  // Of plans with counters. The part of a key that `per` names; what the groups behind each such part may have lost.
  std::vector<uint64_t> PartPer(const uint64_t* key) const;
  void Lose(std::vector<uint64_t> part, uint64_t weight);
  void EmitErrors(const std::vector<uint32_t>& groups, Table* table) const;
  void WriteLost(const CodeMap& codes, StateWriter* out) const;
  bool ReadLost(StateReader* in);
  Table Emit(const Member& member);
  std::string KeyName(const PlanSpec& spec, size_t place) const;
  TableColumn KeyColumn(const PlanSpec& spec, size_t place, const std::vector<uint32_t>& groups);
  // Keeps the groups, and the rows of their values, that pass: keys that no condition names are decoded and sorted for
  // those alone.
  void KeepGroups(const PlanImpl& plan, std::vector<uint32_t>* groups, Table* values);
  std::vector<uint32_t> TopGroups(const Member& member) const;
  void EmitOther(const Member& member, const std::vector<uint32_t>& top, Table* table) const;

  const PlanImpl& plan_;  // of the first member
  int64_t seconds_;
  const std::vector<int>& slots_;
  std::vector<Member> members_;
  std::vector<Place> places_;  // of the time bin, if any, then of the keys
  size_t words_;
  GroupTable table_;
  Encoder encoder_;
  uint64_t unspread_ = 0;
  size_t most_groups_;
  std::map<std::vector<uint64_t>, uint64_t> lost_;  // by the part of the key words
  // Scratch, by row.
  std::vector<uint64_t> keys_;
  std::vector<uint64_t> codes_;
  std::vector<uint32_t> group_;
  std::vector<uint8_t> spread_;
  std::vector<Piece> pieces_;
  // Scratch: the rows that pass an aggregate's own filter.
  const Filter* passes_of_ = nullptr;  // what passes_ are of, in the batch in hand
  std::vector<int> filter_columns_;
  std::vector<Tri> passes_;
  std::vector<uint32_t> part_rows_, part_group_;
  std::vector<uint8_t> part_spread_;
  std::vector<Piece> part_pieces_;
  Batch part_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_STATE_H_
