// Composition of results: ratios and differences of columns, rows that pass a condition, the top of each of several
// keys, and what changed between two results.
//
// Example:
//   absl::Status derived = vpcflow::DeriveColumn({"rejected_share", "rejected / n"}, &table);
//   absl::Status kept = vpcflow::KeepHaving("rejected_share > 0.5 and n >= 100", &table);
//   absl::StatusOr<vpcflow::Table> changes = vpcflow::DiffTables(today, yesterday, {"srcaddr", "dstaddr"});
#ifndef VPCFLOW_RESULT_COMPOSE_H_
#define VPCFLOW_RESULT_COMPOSE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// A column of numbers out of others: columns of numbers and times (Unix seconds) and numbers with + - * / and
// parentheses, or ratio(a, b) or difference(a, b). Doubles; null where a part is null or no number, as a division by 0.
// Names with other bytes than letters, digits and `_` stand as they are or in backticks; a `-` between names needs
// blanks around it.
struct DerivedColumn {
  std::string name{};
  std::string expression{};
};

// Adds the column. An error of kind kPlan shows the place in the expression. O(rows).
absl::Status DeriveColumn(const DerivedColumn& derived, Table* table);

// Keeps the rows that pass a condition: comparisons (=, !=, <, <=, >, >=) of columns and literals, `in`, `between`,
// `like`, `matches`, `is null`, joined with and, or, not and parentheses; the grammar of filters (filter.h), with
// arithmetic and columns on both sides. Whole numbers compare exactly, times also with ISO 8601 text, addresses and
// texts by = and !=. A test on null is neither true nor false. An error of kind kPlan shows the place. O(rows).
absl::Status KeepHaving(std::string_view condition, Table* table);

// Keeps the rows for which `keep`, as long as the table, is 1.
void KeepRows(const std::vector<uint8_t>& keep, Table* table);

// Keeps, of the rows that agree in the columns `per`, the `n` with the largest `by`, ties in the order of the table;
// sorted by `per`, then `by` downwards. O(rows log rows).
void KeepTopPer(const std::vector<std::string>& per, const std::string& by, size_t n, Table* table);

// Returns what changed: the two tables joined by the `keys` columns. The column `change` has for each key `new`,
// `gone`, `changed` or `same`; each other numeric column stands there three times: NAME of today, NAME_before,
// and NAME_change, their difference, in which a missing row counts 0; whole numbers stay whole and exact. Other columns
// are left out. Sorted by the keys. kInvalidArgument for keys that a table lacks or has twice, and for tables whose
// columns differ. O(rows log rows).
absl::StatusOr<Table> DiffTables(const Table& today, const Table& baseline, const std::vector<std::string>& keys);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RESULT_COMPOSE_H_
