// RowState: the selected rows of one worker. Those of several come together on a RowBoard.
#ifndef VPCFLOW_SRC_PLAN_ROW_STATE_H_
#define VPCFLOW_SRC_PLAN_ROW_STATE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/plan/codes.h"
#include "src/plan/group_table.h"
#include "src/plan/plan_impl.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class RowBoard;

// Where a block stands in the input: its source, counted among those that are read, and its number there.
struct BlockOrder {
  uint32_t source = 0;
  uint64_t sequence = 0;
  friend auto operator<=>(const BlockOrder&, const BlockOrder&) = default;
};

class RowState {
 public:
  // `slots[i]` is the batch column of the plan's i-th field. `board`: where rows go when their block ends; null if this
  // is the only worker.
  RowState(const PlanImpl& plan, const std::vector<int>& slots, std::shared_ptr<RowBoard> board);

  // Keeps the selected columns of a batch; `has(slot)` tells whether its source has the field of a batch column.
  template <class Has>
  void Consume(const Batch& batch, Has has) {
    rows_ += batch.rows;
    for (Kept& column : columns_) Append(batch, has(column.slot), &column);
  }
  // Keeps where the records of a batch that was consumed are; for plans that ask for it.
  void NotePlaces(const Batch& batch, const std::string& source, bool placed);
  // All of a block was consumed.
  void EndBlock(BlockOrder order);
  // Rows that are not on the board.
  uint64_t rows() const { return rows_; }
  // Memory of the rows and dictionaries.
  size_t bytes() const;

  // Some of the selected columns of all workers' states as one table, in the order of the input; the states are empty
  // afterwards. Rows that no block brought (of Arrow tables) are behind all others.
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
    // Of the board, which has numbers of its own.
    std::vector<int32_t> numbers;   // by number here
    size_t numbered = 0;            // all before this one have one there
    bool shown = false;             // rows in hand have a place there
    std::vector<uint32_t> new_ids;  // scratch
    size_t dictionary() const {
      return field.kind() == Kind::kText ? encoder.interner().text_size() : address_ids.size();
    }
  };
  // Rows of one block.
  struct Rows {
    size_t begin;
    size_t rows;
    uint32_t source;                     // of NotePlaces
    std::vector<size_t> dictionaries{};  // by column: its size behind them
  };
  // Rows here that go to a place on the board.
  struct Piece {
    RowState* state;
    size_t begin;
    size_t rows;
    uint64_t to;
    // If all rows before are on the board: the sizes of dictionaries behind these, by column; else empty.
    std::vector<size_t> dictionaries{};
  };
  friend class RowBoard;

  void Append(const Batch& batch, bool present, Kept* out);
  static void AppendNulls(size_t n, Kept* out);
  void Reset();
  // The rows are somewhere else.
  void Clear();
  static TableColumn Move(Kept* kept);
  // The columns of places: of runs of rows from a source, whose names are in the states.
  static void AddPlaces(const std::vector<RowState*>& states, const std::vector<std::pair<uint32_t, size_t>>& sources,
                        Array<int64_t> offsets, Table* table);

  const PlanImpl& plan_;
  const std::vector<int>& slots_;
  std::deque<Kept> columns_;
  std::shared_ptr<RowBoard> board_;
  bool counts_board_ = false;          // in its bytes
  std::map<BlockOrder, Rows> blocks_;  // that are not on the board
  size_t in_blocks_ = 0;               // rows of blocks that have ended
  size_t on_board_ = 0;                // of them, in front, on the board
  uint64_t rows_ = 0;
  // Of NotePlaces:
  Array<int64_t> offsets_;
  std::vector<std::pair<uint32_t, size_t>> sources_;  // of the rows behind the last block: runs
  std::map<uint32_t, std::string> files_;             // by number of the source
  std::vector<Piece> placing_;                        // scratch, of the board
  std::vector<uint64_t> codes_;                       // scratch
  std::vector<uint32_t> ids_;                         // scratch
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_ROW_STATE_H_
