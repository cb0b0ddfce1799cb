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

// The values of some rows: those of a column of a table, or computed ones, which share its dictionary. It is moved, not
// copied.
class EventColumn {
 public:
  EventColumn(const TableColumn& column, size_t begin)
      : name(column.name),
        type(column.type),
        values(&column),
        first(begin),
        i32(column.i32.empty() ? nullptr : column.i32.data() + begin),
        i64(column.i64.empty() ? nullptr : column.i64.data() + begin) {}
  EventColumn(EventColumn&&) noexcept = default;
  EventColumn& operator=(EventColumn&&) noexcept = default;

  // Makes a column of values that are to be set: null at first, or those of another.
  static EventColumn Nulls(std::string_view name, ColumnType type, const TableColumn* dictionary, size_t rows);
  static EventColumn Like(const EventColumn& other, size_t rows);
  int32_t* mutable32() { return made32_.data(); }
  int64_t* mutable64() { return made64_.data(); }

  bool is_null(size_t row) const {
    switch (type) {
      case ColumnType::kText:
      case ColumnType::kAddress: return i32[row] == kNullCode;
      case ColumnType::kInt32:
      case ColumnType::kBool: return i32[row] == kNullInt32;
      case ColumnType::kInt64:
      case ColumnType::kTime: return i64[row] == kNullInt64;
      default: return values->is_null(first + row);
    }
  }
  void set_null(size_t row);
  const Ip& address(size_t row) const { return values->addresses[static_cast<size_t>(i32[row])]; }
  const std::vector<std::string>& texts() const { return values->texts; }
  size_t dictionary_size() const { return type == ColumnType::kText ? texts().size() : values->addresses.size(); }
  bool is_text() const { return type == ColumnType::kText; }

  std::string_view name{};
  ColumnType type = ColumnType::kText;
  const TableColumn* values = nullptr;  // has the dictionary, and the values of types that are rare in events
  size_t first = 0;                     // the first row in `values`
  const int32_t* i32 = nullptr;         // of the rows, by type as in TableColumn
  const int64_t* i64 = nullptr;

 private:
  EventColumn() = default;
  void PointToOwn();

  std::vector<int32_t> made32_{};
  std::vector<int64_t> made64_{};
};

class EventColumns {
 public:
  // Of rows of a table of records, or of sessions, which has a column `client`. It is borrowed.
  EventColumns(const Table& table, size_t begin, size_t rows);
  EventColumns(const EventColumns&) = delete;
  EventColumns& operator=(const EventColumns&) = delete;

  // Returns the column of a value of a row, or null if it is null in every row.
  const EventColumn* Find(std::string_view value);
  // Returns the columns of the table, but those of the place.
  const std::vector<const EventColumn*>& own() const { return own_; }
  size_t rows() const { return rows_; }
  bool sessions() const { return sessions_; }
  bool IsAllNull(const EventColumn& column) const;
  // Keeps a column, or a dictionary, as long as this.
  const EventColumn& Keep(EventColumn column) { return made_.emplace_back(std::move(column)); }
  const TableColumn* Dictionary(std::vector<std::string> texts);
  // Returns the two halves of the id of each row.
  std::vector<std::array<uint64_t, 2>> Ids() const;
  // Returns whether nothing but its values tells a row from others of its file.
  bool IsWithoutPlace(size_t row) const { return !sessions_ && (offset_ == nullptr || offset_->is_null(row)); }

 private:
  void AddSessions();
  const EventColumn* OfTable(std::string_view value) const;
  std::optional<EventColumn> Copy(std::string_view value) const;
  std::optional<EventColumn> Compute(std::string_view value);
  EventColumn Verdict();
  EventColumn Direction();
  std::optional<EventColumn> Reason();
  std::optional<EventColumn> Time(std::string_view first, std::string_view second);
  std::optional<EventColumn> Duration();
  std::optional<EventColumn> PacketAddress(std::string_view side);
  std::optional<EventColumn> Nat(std::string_view side, bool packet);
  std::optional<EventColumn> OfVersion(std::string_view value, bool v4);
  std::optional<EventColumn> Carried(std::string_view what, std::string_view way, std::string_view end);
  std::optional<EventColumn> AtEnd(std::string_view field, std::string_view end);
  std::optional<EventColumn> Lacks(std::string_view field);
  std::optional<EventColumn> Small(std::string_view field);
  // A column that has "-" in the rows where none of the values, or at least one, is there.
  std::optional<EventColumn> Marks(const std::vector<std::string>& values, bool where_none,
                                   const std::vector<std::string>& but_one_of = {});

  size_t rows_ = 0;
  bool sessions_ = false;
  std::vector<const EventColumn*> own_;
  const EventColumn* file_ = nullptr;
  const EventColumn* offset_ = nullptr;
  std::deque<EventColumn> made_;
  std::deque<TableColumn> dictionaries_;
  std::map<std::string, const EventColumn*, std::less<>> found_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_EVENT_COLUMNS_H_
