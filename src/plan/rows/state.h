// RowState: the selected rows of one worker, and their joining into one table in the order of the input.
#ifndef VPCFLOW_SRC_PLAN_ROWS_STATE_H_
#define VPCFLOW_SRC_PLAN_ROWS_STATE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "src/keys/codes.h"
#include "src/plan/bind/plan_impl.h"
#include "src/plan/group/group_table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class RowState {
 public:
  // `slots[i]` is the batch column of the plan's i-th field.
  RowState(const PlanImpl& plan, const std::vector<int>& slots);

  // Keeps the selected columns of a batch; `has(slot)` tells whether its source has the field of a batch column.
  template <class Has>
  void Consume(const Batch& batch, Has has) {
    runs_.push_back({{batch.source, batch.offsets[0]}, rows_, batch.rows});
    rows_ += batch.rows;
    for (Kept& column : columns_) Append(batch, has(column.slot), &column);
  }
  // Keeps where the records of a batch that was consumed are; for plans that ask for it.
  void NotePlaces(const Batch& batch, const std::string& source, bool placed);
  uint64_t rows() const { return rows_; }
  // Memory of the rows and dictionaries.
  size_t bytes() const;

  // Joins some of the selected columns of all workers' states into one table, and empties the states. With several,
  // dictionaries are renumbered in order of appearance, so that they do not depend on threads.
  static Table Finish(const std::vector<RowState*>& states, const std::vector<size_t>& columns);
  size_t columns() const { return columns_.size(); }

 private:
  // One selected column. Addresses and texts are numbers of its dictionary, in order of appearance.
  struct Kept {
    Kept(FieldRef f, size_t s) : field(std::move(f)), slot(s), address_ids(1, kAddressBits) {}
    static constexpr int kAddressBits = 34;
    FieldRef field;
    size_t slot;  // batch column
    Array<int32_t> i32;
    Array<int64_t> i64;
    size_t absent = 0;   // rows of sources that lack the field, before the first that has it; nothing is kept of them
    bool seen = false;   // a source had the field
    bool nulls = false;  // some value is null
    Encoder encoder;     // texts, IPv6 addresses
    GroupTable address_ids;  // of their codes
  };
  // Rows that stand together in the input.
  struct Run {
    Position first;
    size_t begin;
    size_t rows;
  };

  void Append(const Batch& batch, bool present, Kept* out);
  static void AppendNulls(size_t n, Kept* out);
  void Reset();
  static TableColumn Move(Kept* kept);
  static void JoinCodes(const std::vector<TableColumn>& parts, const std::vector<std::pair<size_t, Run>>& runs,
                        TableColumn* out);
  static void AddPlaces(const std::vector<RowState*>& states, const std::vector<std::pair<size_t, Run>>& runs,
                        Table* table);
  static TableColumn Join(const std::vector<RowState*>& states, const std::vector<std::pair<size_t, Run>>& runs,
                          size_t c, SpareStorage* spare);

  const PlanImpl& plan_;
  const std::vector<int>& slots_;
  std::deque<Kept> columns_;
  std::vector<Run> runs_;
  Array<int64_t> offsets_;                 // of NotePlaces
  std::map<uint32_t, std::string> files_;  // by number of the source
  uint64_t rows_ = 0;
  std::vector<uint64_t> codes_;  // scratch
  std::vector<uint32_t> ids_;    // scratch
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_ROWS_STATE_H_
