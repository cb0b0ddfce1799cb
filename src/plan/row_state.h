// RowState: the selected rows of one worker, and their joining into one table in the order of the input.
#ifndef VPCFLOW_SRC_PLAN_ROW_STATE_H_
#define VPCFLOW_SRC_PLAN_ROW_STATE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "src/plan/codes.h"
#include "src/plan/plan_impl.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class RowState {
 public:
  // `slots[i]` is the batch column of the plan's i-th field.
  RowState(const PlanImpl& plan, const std::vector<int>& slots);

  // Keeps the selected columns of a batch; `has(slot)` tells whether its source has the field of a batch column.
  template <class Has>
  void Consume(const Batch& batch, Has has) {
    Chunk& chunk = Begin(batch);
    for (size_t c = 0; c < chunk.columns.size(); ++c) {
      if (has(static_cast<size_t>(columns_[c]))) Append(batch, c, &chunk.columns[c]);
    }
  }
  uint64_t rows() const { return rows_; }

  // Joins the states of all workers into one table and empties them.
  static Table Finish(const PlanImpl& plan, const std::vector<RowState*>& states);

 private:
  struct ChunkColumn {
    std::vector<int32_t> i32;  // both empty: the source lacks the field
    std::vector<int64_t> i64;
  };
  struct Chunk {
    Position first;
    size_t rows = 0;
    std::vector<ChunkColumn> columns;
  };

  Chunk& Begin(const Batch& batch);
  void Append(const Batch& batch, size_t c, ChunkColumn* out);
  static void Join(const std::vector<RowState*>& states, const std::vector<std::pair<size_t, const Chunk*>>& chunks,
                   size_t c, const FieldRef& field, TableColumn* out);

  std::vector<int> columns_;  // batch column of each selected column
  std::vector<Chunk> chunks_;
  uint64_t rows_ = 0;
  // Dictionaries of this worker: texts by the interner's numbers, addresses by these.
  Encoder encoder_;
  absl::flat_hash_map<uint64_t, int32_t> address_ids_;
  std::vector<uint64_t> address_codes_;
  std::vector<uint64_t> codes_;  // scratch
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_ROW_STATE_H_
