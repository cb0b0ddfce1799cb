// RowBoard: the table that several workers write together, in the order of the input.
//
// Each keeps the rows of a block for itself until all blocks before it are on the board, and then puts them where they
// will stand: so they are written while they are in the cache, and there is no second copy to be joined at the end.
// Numbers of dictionaries are given in that order, and so do not depend on threads either.
#ifndef VPCFLOW_SRC_PLAN_ROW_BOARD_H_
#define VPCFLOW_SRC_PLAN_ROW_BOARD_H_

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/plan/flat_table.h"
#include "src/plan/row_state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class RowBoard {
 public:
  explicit RowBoard(const PlanImpl& plan);

  // The blocks of a source, given by its number among those that are read, are so many in all.
  void EndSource(uint32_t source, uint64_t blocks);
  // Takes the rows of a worker's blocks whose turn it is. Of several threads at a time.
  void Place(RowState* state);
  // Takes what is left, in order, and gives some of the columns away. Once, when no worker works any more.
  Table Finish(const std::vector<RowState*>& states, const std::vector<size_t>& columns);
  uint64_t rows() const { return rows_; }
  // Memory; for the first that asks to count it, and the others get false.
  bool ClaimBytes() { return !claimed_.exchange(true); }
  size_t bytes() const { return bytes_; }

 private:
  struct AddressSlot {
    uint64_t hash_value = 0;
    int32_t number = kNullCode;
    bool empty() const { return number == kNullCode; }
    uint64_t hash() const { return hash_value; }
  };
  struct Column {
    explicit Column(Kind k) : kind(k) {}
    bool wide() const { return kind == Kind::kInt64 || kind == Kind::kTime; }
    size_t bytes() const {
      return values.i32.size() * sizeof(int32_t) + values.i64.size() * sizeof(int64_t) +
             values.addresses.size() * 3 * sizeof(Ip) + values.texts.size() * 3 * sizeof(std::string);
    }
    Kind kind;
    TableColumn values;
    bool seen = false;   // a source had the field; nothing is kept of rows before
    bool nulls = false;  // some value is null
    FlatTable<AddressSlot> address_numbers;
    std::unordered_map<std::string, int32_t> text_numbers;
  };
  using Piece = RowState::Piece;

  void SkipEnded();
  void AddSource(uint32_t source, size_t rows);
  void Announce(const Piece& piece, size_t c);
  std::vector<Piece> Rest(const std::vector<RowState*>& states);
  static void Show(uint64_t before, Column* column);
  void NumberNew(const Piece& piece, size_t c);
  static void Number(std::span<const uint32_t> ids, RowState::Kept* kept, Column* column);
  static void Extend(uint64_t rows, Column* column);
  static void Copy(const RowState::Kept& kept, size_t begin, size_t rows, uint64_t to, Column* column);

  const PlanImpl& plan_;
  std::mutex mutex_;  // guards what follows
  std::vector<Column> columns_;
  Array<int64_t> offsets_;
  std::vector<std::pair<uint32_t, size_t>> sources_;  // of the rows: runs of the same source
  BlockOrder next_;                                   // what stands behind the rows that are here
  std::vector<uint64_t> ends_;                        // by source: its blocks, kOpen while they are not known
  uint64_t rows_ = 0;
  std::atomic<size_t> bytes_ = 0;
  std::atomic<bool> claimed_ = false;
  // Shared while rows are written, which needs nothing else; alone while columns may move.
  std::shared_mutex writing_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_ROW_BOARD_H_
