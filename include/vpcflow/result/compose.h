// Composition of results: ratios and differences of columns, rows that pass a condition, the top of each of several
// keys, and what changed between two results.
//
// Example:
//   vpcflow::DeriveColumn({"rejected_share", '/', "rejected", "n"}, &table);
//   vpcflow::KeepHaving({{"rejected_share", ">", 0.5}, {"n", ">=", 100}}, &table);
//   absl::StatusOr<vpcflow::Table> changes = vpcflow::DiffTables(today, yesterday, {"srcaddr", "dstaddr"});
#ifndef VPCFLOW_RESULT_COMPOSE_H_
#define VPCFLOW_RESULT_COMPOSE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// A column out of two others: a / b, or a - b. A double; null where a or b is, and for a division by 0.
struct DerivedColumn {
  std::string name{};
  char op = '/';
  std::string a{}, b{};
};

// A condition on a column of numbers or times (Unix seconds): one of < <= > >= = != and a number. Null passes none.
struct Having {
  std::string column{};
  std::string op{};
  double value = 0;
};

// "n >= 100". kInvalidArgument for what is none.
absl::StatusOr<Having> ParseHaving(std::string_view text);

// The columns must be there, and numbers or times (Unix seconds): kInvalidArgument names the one that is not. O(rows).
absl::Status DeriveColumn(const DerivedColumn& derived, Table* table);
absl::Status KeepHaving(const std::vector<Having>& conditions, Table* table);

// Keeps the rows for which `keep`, as long as the table, is 1.
void KeepRows(const std::vector<uint8_t>& keep, Table* table);

// Of the rows that agree in the columns `per` the `n` with the largest `by`, ties in the order of the table; sorted by
// `per`, then `by` downwards. O(rows log rows).
void KeepTopPer(const std::vector<std::string>& per, const std::string& by, size_t n, Table* table);

// What changed: the two tables joined by the `keys` columns. A column `change` tells of each key whether it is `new`,
// `gone`, `changed` or `same`; each other numeric column stands there three times: NAME of today, NAME_before, and
// NAME_change, their difference, in which what is not there is 0; whole numbers stay whole and exact. Other columns are
// left out. Sorted by the keys. kInvalidArgument for keys that a table lacks or has twice, and for tables whose columns
// differ. O(rows log rows).
absl::StatusOr<Table> DiffTables(const Table& today, const Table& baseline, const std::vector<std::string>& keys);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RESULT_COMPOSE_H_
