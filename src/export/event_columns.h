// EventColumns: the values that events are made of: the columns of a table of records, or of sessions as if each were
// a record, and what is computed of them.
#ifndef VPCFLOW_SRC_EXPORT_EVENT_COLUMNS_H_
#define VPCFLOW_SRC_EXPORT_EVENT_COLUMNS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Tells whether a value is null; of the types that events are mostly made of without a call.
inline bool IsNull(const TableColumn& column, size_t row) {
  switch (column.type) {
    case ColumnType::kText:
    case ColumnType::kAddress: return column.i32[row] == kNullCode;
    case ColumnType::kInt32:
    case ColumnType::kBool: return column.i32[row] == kNullInt32;
    case ColumnType::kInt64:
    case ColumnType::kTime: return column.i64[row] == kNullInt64;
    default: return column.is_null(row);
  }
}

class EventColumns {
 public:
  // Of a table of records, or of sessions, which has a column `client`. It is borrowed.
  explicit EventColumns(const Table& table);
  EventColumns(const EventColumns&) = delete;
  EventColumns& operator=(const EventColumns&) = delete;

  // Returns the column of a value of a row, or null if it is null in every row.
  const TableColumn* Find(std::string_view value);
  // Returns the columns of the table, but those of the place.
  const std::vector<const TableColumn*>& own() const { return own_; }
  size_t rows() const { return rows_; }
  bool sessions() const { return sessions_; }
  bool IsAllNull(const TableColumn& column) const;
  // Keeps a column as long as this.
  const TableColumn& Keep(TableColumn column) { return made_.emplace_back(std::move(column)); }
  // Returns the two halves of the id of each row.
  std::vector<std::array<uint64_t, 2>> Ids() const;

 private:
  void AddSessions(const Table& table);
  const TableColumn* OfTable(std::string_view value) const;
  std::optional<TableColumn> Compute(std::string_view value);
  TableColumn Verdict();
  std::optional<TableColumn> Reason();
  std::optional<TableColumn> Time(std::string_view first, std::string_view second);
  std::optional<TableColumn> Duration();
  std::optional<TableColumn> PacketAddress(std::string_view side);
  std::optional<TableColumn> Nat(std::string_view side, bool packet);
  std::optional<TableColumn> OfVersion(std::string_view value, bool v4);
  std::optional<TableColumn> Carried(std::string_view what, std::string_view way, std::string_view end);
  std::optional<TableColumn> AtEnd(std::string_view field, std::string_view end);
  std::optional<TableColumn> Lacks(std::string_view field);
  std::optional<TableColumn> Small(std::string_view field);
  // A column that has "-" in the rows where none of the values, or at least one, is there.
  std::optional<TableColumn> Marks(const std::vector<std::string>& values, bool where_none,
                                   const std::vector<std::string>& but_one_of = {});

  size_t rows_ = 0;
  bool sessions_ = false;
  std::vector<const TableColumn*> own_;
  const TableColumn* file_ = nullptr;
  const TableColumn* offset_ = nullptr;
  std::deque<TableColumn> made_;
  std::map<std::string, const TableColumn*, std::less<>> found_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_EVENT_COLUMNS_H_
