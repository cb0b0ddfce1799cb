#include "vpcflow/result/compose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/result/expression.h"
#include "src/result/number.h"
#include "vpcflow/error/error.h"
#include "vpcflow/result/wide.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

bool IsNumeric(const TableColumn& column) {
  switch (column.type) {
    case ColumnType::kInt32:
    case ColumnType::kInt64:
    case ColumnType::kInt128:
    case ColumnType::kFloat64: return true;
    default: return false;
  }
}

std::vector<internal::TypedColumn> ColumnsOf(const Table& table) {
  std::vector<internal::TypedColumn> out;
  for (const TableColumn& column : table.columns)
    out.push_back({column.name, column.type, FindField(column.name).value_or(Field::kUnknown)});
  return out;
}

// The key of a row, as texts; null is another key than any text.
using RowKey = std::vector<std::string>;
RowKey KeyOf(const Table& table, const std::vector<size_t>& columns, size_t row) {
  RowKey key;
  for (const size_t c : columns)
    key.push_back(table.columns[c].is_null(row) ? std::string(1, '\0') : table.columns[c].ToText(row));
  return key;
}

absl::StatusOr<std::map<RowKey, size_t>> RowsByKey(const Table& table, const std::vector<size_t>& columns) {
  std::map<RowKey, size_t> rows;
  for (size_t row = 0; row < table.rows; ++row) {
    const RowKey key = KeyOf(table, columns, row);
    if (!rows.emplace(key, row).second)
      return MakeError(ErrorKind::kPlan, absl::StrCat("diff: two rows have the key ", absl::StrJoin(key, ", ")));
  }
  return rows;
}

// Appends one value of another table's column of the same type.
void AppendValue(const TableColumn& from, size_t row, TableColumn* to) {
  to->type = from.type;
  if (from.type == ColumnType::kAddress || from.type == ColumnType::kText) {
    if (from.is_null(row)) return to->i32.push_back(kNullCode);
    const auto code = static_cast<size_t>(from.i32[row]);
    to->i32.push_back(static_cast<int32_t>(from.type == ColumnType::kText ? to->texts.size() : to->addresses.size()));
    if (from.type == ColumnType::kText) {
      to->texts.push_back(from.texts[code]);
    } else {
      to->addresses.push_back(from.addresses[code]);
    }
    return;
  }
  if (!from.i32.empty()) to->i32.push_back(from.i32[row]);
  if (!from.i64.empty()) to->i64.push_back(from.i64[row]);
  if (!from.f64.empty()) to->f64.push_back(from.f64[row]);
  if (!from.i128.empty()) to->i128.push_back(from.i128[row]);
}

// The rows of a key, today's and the baseline's.
using Joined = std::pair<std::optional<size_t>, std::optional<size_t>>;

// A whole number, or nothing for null.
std::optional<int128> WholeAt(const TableColumn& column, const std::optional<size_t>& row) {
  if (!row || column.is_null(*row)) return std::nullopt;
  switch (column.type) {
    case ColumnType::kInt32: return column.i32[*row];
    case ColumnType::kInt64: return column.i64[*row];
    default: return static_cast<int128>(column.i128[*row]);
  }
}

// A column of whole numbers: of 64 bits if all fit, as sums have them.
TableColumn WholeColumn(std::string name, const std::vector<std::optional<int128>>& values) {
  TableColumn column;
  column.name = std::move(name);
  const bool wide = std::any_of(values.begin(), values.end(), [](const std::optional<int128>& value) {
    return value && (*value > std::numeric_limits<int64_t>::max() || *value <= kNullInt64);
  });
  column.type = wide ? ColumnType::kInt128 : ColumnType::kInt64;
  for (const std::optional<int128>& value : values) {
    if (wide) {
      column.i128.push_back(value ? static_cast<uint128>(*value) : kNullInt128);
    } else {
      column.i64.push_back(value ? static_cast<int64_t>(*value) : kNullInt64);
    }
  }
  return column;
}

TableColumn DoubleColumn(std::string name, const std::vector<double>& values) {
  TableColumn column;
  column.name = std::move(name);
  column.type = ColumnType::kFloat64;
  for (const double value : values) column.f64.push_back(value);
  return column;
}

// Appends a column of today, the baseline's, and their difference, in which what is not there is 0; whole numbers stay
// whole and exact. Clears `same` for rows that differ.
void AppendComparison(const TableColumn& today, const TableColumn& baseline, const std::vector<Joined>& rows,
                      std::vector<uint8_t>* same, std::vector<TableColumn>* out) {
  const std::string &name = today.name, before = absl::StrCat(name, "_before"), change = absl::StrCat(name, "_change");
  if (today.type != ColumnType::kFloat64 && baseline.type != ColumnType::kFloat64) {
    std::vector<std::optional<int128>> xs, ys, differences;
    for (size_t i = 0; i < rows.size(); ++i) {
      xs.push_back(WholeAt(today, rows[i].first));
      ys.push_back(WholeAt(baseline, rows[i].second));
      const auto x = static_cast<uint128>(xs[i].value_or(0)), y = static_cast<uint128>(ys[i].value_or(0));
      differences.emplace_back(static_cast<int128>(x - y));
      if (*differences[i] != 0) (*same)[i] = 0;
    }
    out->push_back(WholeColumn(name, xs));
    out->push_back(WholeColumn(before, ys));
    out->push_back(WholeColumn(change, differences));
    return;
  }
  std::vector<double> xs, ys, differences;
  const auto zero = [](double number) { return std::isnan(number) ? 0 : number; };
  for (size_t i = 0; i < rows.size(); ++i) {
    xs.push_back(rows[i].first ? internal::NumberAt(today, *rows[i].first).AsDouble() : kNone);
    ys.push_back(rows[i].second ? internal::NumberAt(baseline, *rows[i].second).AsDouble() : kNone);
    differences.push_back(zero(xs[i]) - zero(ys[i]));
    if (zero(xs[i]) != zero(ys[i])) (*same)[i] = 0;
  }
  out->push_back(DoubleColumn(name, xs));
  out->push_back(DoubleColumn(before, ys));
  out->push_back(DoubleColumn(change, differences));
}

// Dictionaries have no value twice.
void UniteDictionary(TableColumn* column) {
  const auto unite = [&](auto* values) {
    std::map<std::decay_t<decltype((*values)[0])>, int32_t> codes;
    std::vector<int32_t> code(values->size());
    std::decay_t<decltype(*values)> out;
    for (size_t i = 0; i < values->size(); ++i) {
      const auto [at, added] = codes.emplace((*values)[i], static_cast<int32_t>(out.size()));
      if (added) out.push_back((*values)[i]);
      code[i] = at->second;
    }
    *values = std::move(out);
    for (int32_t& c : column->i32) c = c == kNullCode ? c : code[static_cast<size_t>(c)];
  };
  if (column->type == ColumnType::kText) unite(&column->texts);
  if (column->type == ColumnType::kAddress) unite(&column->addresses);
}

}  // namespace

void KeepRows(const std::vector<uint8_t>& keep, Table* table) {
  const auto compact = [&](auto* values) {
    if (values->empty()) return;
    size_t to = 0;
    for (size_t row = 0; row < keep.size(); ++row) {
      (*values)[to] = (*values)[row];
      to += keep[row];
    }
    values->slice(0, to);
  };
  for (TableColumn& column : table->columns) {
    compact(&column.i32);
    compact(&column.i64);
    compact(&column.f64);
    compact(&column.i128);
  }
  table->rows = static_cast<size_t>(std::count(keep.begin(), keep.end(), uint8_t{1}));
}

absl::Status DeriveColumn(const DerivedColumn& derived, Table* table) {
  const absl::StatusOr<internal::ColumnExpression> expression =
      internal::ColumnExpression::Number(derived.expression, ColumnsOf(*table));
  if (!expression.ok()) return expression.status();
  table->columns.push_back(internal::Derived(derived.name, *expression, *table));
  return absl::OkStatus();
}

absl::Status KeepHaving(std::string_view condition, Table* table) {
  const absl::StatusOr<internal::ColumnExpression> expression =
      internal::ColumnExpression::Condition(condition, ColumnsOf(*table));
  if (!expression.ok()) return expression.status();
  std::vector<uint8_t> keep(table->rows, 1);
  expression->Keep(*table, &keep);
  KeepRows(keep, table);
  return absl::OkStatus();
}

void KeepTopPer(const std::vector<std::string>& per, const std::string& by, size_t n, Table* table) {
  std::vector<SortKey> order;
  for (const std::string& name : per) order.push_back({name, false});
  order.push_back({by, true});
  SortTable(table, order);
  std::vector<size_t> columns;
  for (const std::string& name : per) {
    if (const std::optional<size_t> at = table->Find(name)) columns.push_back(*at);
  }
  std::vector<uint8_t> keep(table->rows, 0);
  RowKey current;
  size_t taken = 0;
  for (size_t row = 0; row < table->rows; ++row) {
    RowKey key = KeyOf(*table, columns, row);
    if (row == 0 || key != current) {
      current = std::move(key);
      taken = 0;
    }
    keep[row] = taken++ < n ? 1 : 0;
  }
  KeepRows(keep, table);
}

absl::StatusOr<Table> DiffTables(const Table& today, const Table& baseline, const std::vector<std::string>& keys) {
  std::vector<size_t> own, theirs;
  if (keys.empty()) return MakeError(ErrorKind::kPlan, "diff: give the key columns");
  for (const std::string& key : keys) {
    const std::optional<size_t> a = today.Find(key), b = baseline.Find(key);
    if (!a || !b) return MakeError(ErrorKind::kPlan, absl::StrCat("diff: no column '", key, "' in both results"));
    own.push_back(*a);
    theirs.push_back(*b);
  }
  const auto rows = RowsByKey(today, own), before = RowsByKey(baseline, theirs);
  if (!rows.ok()) return rows.status();
  if (!before.ok()) return before.status();
  std::vector<std::pair<size_t, size_t>> values;  // numeric columns of both
  for (size_t c = 0; c < today.columns.size(); ++c) {
    if (std::find(own.begin(), own.end(), c) != own.end() || !IsNumeric(today.columns[c])) continue;
    const std::optional<size_t> other = baseline.Find(today.columns[c].name);
    if (!other || !IsNumeric(baseline.columns[*other]))
      return MakeError(ErrorKind::kPlan,
                       absl::StrCat("diff: the baseline has no column '", today.columns[c].name, "'"));
    values.emplace_back(c, *other);
  }
  std::map<RowKey, Joined> all;
  for (const auto& [key, row] : *rows) all[key].first = row;
  for (const auto& [key, row] : *before) all[key].second = row;

  enum Change : int32_t { kNew, kGone, kChanged, kSame };
  Table out;
  out.rows = all.size();
  for (const size_t k : own) {
    TableColumn& column = out.columns.emplace_back();
    column.name = today.columns[k].name;
    column.type = today.columns[k].type;
  }
  for (const auto& [key, at] : all) {
    for (size_t k = 0; k < keys.size(); ++k) {
      const TableColumn& from = at.first ? today.columns[own[k]] : baseline.columns[theirs[k]];
      if (from.type != out.columns[k].type)
        return MakeError(ErrorKind::kPlan, absl::StrCat("diff: column '", keys[k], "' has two types"));
      AppendValue(from, at.first ? *at.first : *at.second, &out.columns[k]);
    }
  }
  std::vector<Joined> joined;
  for (const auto& [key, at] : all) joined.push_back(at);
  std::vector<uint8_t> same(joined.size(), 1);
  std::vector<TableColumn> compared;
  for (const auto& [own_column, other] : values)
    AppendComparison(today.columns[own_column], baseline.columns[other], joined, &same, &compared);
  TableColumn& change = out.columns.emplace_back();
  change.name = "change";
  change.type = ColumnType::kText;
  change.texts = {"new", "gone", "changed", "same"};
  for (size_t i = 0; i < joined.size(); ++i)
    change.i32.push_back(!joined[i].second ? kNew : !joined[i].first ? kGone : same[i] != 0 ? kSame : kChanged);
  std::move(compared.begin(), compared.end(), std::back_inserter(out.columns));
  std::vector<SortKey> order;
  for (size_t k = 0; k < keys.size(); ++k) {
    UniteDictionary(&out.columns[k]);
    order.push_back({out.columns[k].name, false});
  }
  SortTable(&out, order);
  return out;
}

VPCFLOW_NAMESPACE_END
