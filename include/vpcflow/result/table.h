// Table: the columns of a result. Typed by the plan, never by the data, with one exception: a sum beyond 2^63 - 1 turns
// its column from kInt64 into kInt128, so that no total ever wraps.
//
// Example:
//   const vpcflow::Table& rows = result->table;
//   const std::optional<size_t> bytes = rows.Find("bytes");
//   for (size_t row = 0; bytes && row < rows.rows; ++row) std::cout << rows.columns[*bytes].ToText(row) << "\n";
#ifndef VPCFLOW_RESULT_TABLE_H_
#define VPCFLOW_RESULT_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "vpcflow/aggregate/coverage.h"
#include "vpcflow/aggregate/total.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/result/array.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

enum class ColumnType : uint8_t { kInt32, kInt64, kTime, kAddress, kText, kFloat64, kInt128, kBool };

inline constexpr int32_t kNullInt32 = std::numeric_limits<int32_t>::min();
inline constexpr int64_t kNullInt64 = std::numeric_limits<int64_t>::min();
inline constexpr int32_t kNullCode = -1;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;  // times are as Arrow has them, so that none is copied

struct TableColumn {
  std::string name{};  // underscores, as Python has it
  ColumnType type = ColumnType::kInt64;
  // One of these holds the values, by type:
  // kInt32, kBool (null: kNullInt32); kAddress, kText: number in the dictionary (null: kNullCode)
  Array<int32_t> i32{};
  Array<int64_t> i64{};   // kInt64; kTime in microseconds since 1970 (null: kNullInt64)
  Array<double> f64{};    // kFloat64 (null: NaN)
  Array<uint128> i128{};  // kInt128, in two's complement (null: kNullInt128)
  bool no_nulls = false;  // it is known that none is null; whoever changes values must clear it
  // Dictionaries, in order of first appearance; no value twice.
  std::vector<Ip> addresses{};
  std::vector<std::string> texts{};

  bool is_null(size_t row) const;
  // Returns the value as text for people and CSV: addresses and texts as they are, times as Unix seconds; not null.
  std::string ToText(size_t row) const;
};

// Any number of threads may use one at once through const members; changes are for one thread alone.
struct Table {
  size_t rows = 0;
  std::vector<TableColumn> columns{};

  // Returns the index of a column by name (`-` and `_` are the same), or nothing.
  std::optional<size_t> Find(std::string_view name) const;
};

struct SortKey {
  std::string column{};
  bool descending = false;
};

// Sorts the rows, stably; null last either way. Addresses and texts sort by their text. O(n log n).
void SortTable(Table* table, const std::vector<SortKey>& keys);
// Keeps rows [begin, begin + count); dictionaries are left whole.
void SliceTable(Table* table, size_t begin, size_t count);

// Returns coverage, a row an interval: interface_id, seen (OK, NODATA, SKIPDATA, absent), start, end, minutes.
Table CoverageTable(const Coverage& coverage);

// Compares addresses by their text.
int CompareAddressText(const Ip& a, const Ip& b);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RESULT_TABLE_H_
