#include "vpcflow/result/compose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

double NumberAt(const TableColumn& column, size_t row) {
  if (column.is_null(row)) return kNone;
  switch (column.type) {
    case ColumnType::kInt32: return column.i32[row];
    case ColumnType::kInt64: return static_cast<double>(column.i64[row]);
    case ColumnType::kInt128: return static_cast<double>(static_cast<int128>(column.i128[row]));
    case ColumnType::kTime: return static_cast<double>(column.i64[row]) / static_cast<double>(kMicrosPerSecond);
    default: return column.f64[row];
  }
}

absl::StatusOr<const TableColumn*> NumericColumn(const Table& table, const std::string& name) {
  const std::optional<size_t> at = table.Find(name);
  if (!at) {
    std::vector<std::string> names;
    for (const TableColumn& column : table.columns) names.push_back(column.name);
    return absl::InvalidArgumentError(absl::StrCat("no column '", name, "'; there are ", absl::StrJoin(names, ", ")));
  }
  if (!IsNumeric(table.columns[*at]) && table.columns[*at].type != ColumnType::kTime)
    return absl::InvalidArgumentError(absl::StrCat("column '", name, "' is neither a number nor a time"));
  return &table.columns[*at];
}

constexpr std::array<std::string_view, 7> kOperators = {"<=", ">=", "!=", "==", "<", ">", "="};

bool Passes(double x, const Having& having) {
  if (std::isnan(x)) return false;
  if (having.op == "<") return x < having.value;
  if (having.op == "<=") return x <= having.value;
  if (having.op == ">") return x > having.value;
  if (having.op == ">=") return x >= having.value;
  return having.op == "=" ? x == having.value : x != having.value;
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
      return absl::InvalidArgumentError(absl::StrCat("diff: two rows have the key ", absl::StrJoin(key, ", ")));
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
    xs.push_back(rows[i].first ? NumberAt(today, *rows[i].first) : kNone);
    ys.push_back(rows[i].second ? NumberAt(baseline, *rows[i].second) : kNone);
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

absl::StatusOr<Having> ParseHaving(std::string_view text) {
  const auto trim = [](std::string_view s) {
    while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
    while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
    return s;
  };
  const size_t at = text.find_first_of("<>=!");
  if (at != std::string_view::npos) {
    for (const std::string_view op : kOperators) {
      if (!text.substr(at).starts_with(op)) continue;
      Having out{std::string(trim(text.substr(0, at))), std::string(op == "==" ? "=" : op), 0};
      const std::string_view value = trim(text.substr(at + op.size()));
      if (!out.column.empty() && absl::SimpleAtod(absl::string_view(value.data(), value.size()), &out.value))
        return out;
      break;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("having '", std::string(text), "': write a column, one of < <= > >= = != and a number"));
}

absl::Status DeriveColumn(const DerivedColumn& derived, Table* table) {
  const absl::StatusOr<const TableColumn*> a = NumericColumn(*table, derived.a), b = NumericColumn(*table, derived.b);
  if (!a.ok()) return a.status();
  if (!b.ok()) return b.status();
  TableColumn column;
  column.name = derived.name;
  column.type = ColumnType::kFloat64;
  for (size_t row = 0; row < table->rows; ++row) {
    const double x = NumberAt(**a, row), y = NumberAt(**b, row);
    column.f64.push_back(derived.op == '-' ? x - y : y == 0 ? kNone : x / y);
  }
  table->columns.push_back(std::move(column));
  return absl::OkStatus();
}

absl::Status KeepHaving(const std::vector<Having>& conditions, Table* table) {
  std::vector<uint8_t> keep(table->rows, 1);
  for (const Having& having : conditions) {
    const absl::StatusOr<const TableColumn*> column = NumericColumn(*table, having.column);
    if (!column.ok()) return column.status();
    for (size_t row = 0; row < keep.size(); ++row)
      keep[row] = keep[row] != 0 && Passes(NumberAt(**column, row), having) ? 1 : 0;
  }
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
  if (keys.empty()) return absl::InvalidArgumentError("diff: give the key columns");
  for (const std::string& key : keys) {
    const std::optional<size_t> a = today.Find(key), b = baseline.Find(key);
    if (!a || !b) return absl::InvalidArgumentError(absl::StrCat("diff: no column '", key, "' in both results"));
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
      return absl::InvalidArgumentError(absl::StrCat("diff: the baseline has no column '", today.columns[c].name, "'"));
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
        return absl::InvalidArgumentError(absl::StrCat("diff: column '", keys[k], "' has two types"));
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
