// GroupState: the groups and cells of one grouping in one worker.
#ifndef VPCFLOW_SRC_PLAN_GROUP_STATE_H_
#define VPCFLOW_SRC_PLAN_GROUP_STATE_H_

#include <memory>
#include <vector>

#include "src/plan/accumulate.h"
#include "src/plan/group_table.h"
#include "src/plan/plan_impl.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class GroupState {
 public:
  // `slots[i]` is the batch column of the plan's i-th field.
  GroupState(const PlanImpl& plan, const std::vector<int>& slots);

  void Consume(const Batch& batch);
  void Merge(const GroupState& other);
  // The result; sorted, cut to the top and with its rest, as the plan says.
  Table Finish();
  // Records that span more time bins than are spread.
  uint64_t unspread() const { return unspread_; }

 private:
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
  std::vector<uint32_t> TopGroups(size_t agg) const;
  void EmitOther(const std::vector<uint32_t>& top, Table* table) const;

  const PlanImpl& plan_;
  std::vector<int> slots_;
  std::vector<Place> places_;  // of the time bin, if any, then of the keys
  size_t words_;
  GroupTable table_;
  Encoder encoder_;
  std::vector<std::unique_ptr<Accumulators>> accumulators_;
  uint64_t unspread_ = 0;
  // Scratch, by row.
  std::vector<uint64_t> keys_;
  std::vector<uint64_t> codes_;
  std::vector<uint32_t> group_;
  std::vector<uint8_t> spread_;
  std::vector<Piece> pieces_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_STATE_H_
