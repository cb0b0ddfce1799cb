#include "src/result/expression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "src/filter/evaluate.h"
#include "src/result/bound_expr.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using Op = BoundExpr::Op;

// The rows of a table, as a bound expression sees them.
class RowValues {
 public:
  RowValues(const Table& table, const std::vector<std::string>& names) {
    for (const std::string& name : names) columns_.push_back(&table.columns[*table.Find(name)]);
  }

  Number Value(const BoundExpr& expr, size_t row) const {
    switch (expr.op) {
      case Op::kColumn: return NumberAt(column(expr.column), row);
      case Op::kNumber: return expr.number;
      case Op::kNegate: {
        const Number value = Value(*expr.children[0], row);
        return value.kind == Number::Kind::kWhole ? Number::Whole(-value.whole) : Number::Real(-value.AsDouble());
      }
      case Op::kBits: {
        const Number value = Value(*expr.children[0], row);
        return value.kind == Number::Kind::kWhole ? Number::Whole(value.whole & expr.number.whole) : Number{};
      }
      default: break;
    }
    const double x = Value(*expr.children[0], row).AsDouble(), y = Value(*expr.children[1], row).AsDouble();
    switch (expr.op) {
      case Op::kAdd: return Number::Real(x + y);
      case Op::kSubtract: return Number::Real(x - y);
      case Op::kMultiply: return Number::Real(x * y);
      default: return y == 0 ? Number{} : Number::Real(x / y);
    }
  }

  Tri Test(const BoundExpr& expr, size_t row) const {
    switch (expr.op) {
      case Op::kConstant: return expr.constant;
      case Op::kNot: return Not(Test(*expr.children[0], row));
      case Op::kAnd: {
        Tri out = Tri::kTrue;
        for (const auto& child : expr.children) out = std::min(out, Test(*child, row));
        return out;
      }
      case Op::kOr: {
        Tri out = Tri::kFalse;
        for (const auto& child : expr.children) out = std::max(out, Test(*child, row));
        return out;
      }
      case Op::kIsNull: return ToTri(IsNull(*expr.children[0], row));
      case Op::kCompare: return Compared(Value(*expr.children[0], row), expr.compare, Value(*expr.children[1], row));
      case Op::kIn: return IsAmong(expr, row);
      default: return TestColumn(expr, column(expr.column), row);
    }
  }

 private:
  const TableColumn& column(int index) const { return *columns_[static_cast<size_t>(index)]; }

  bool IsNull(const BoundExpr& value, size_t row) const {
    return value.op == Op::kColumn ? column(value.column).is_null(row) : Value(value, row).is_null();
  }

  static Tri Compared(const Number& a, Compare compare, const Number& b) {
    return a.is_null() || b.is_null() ? Tri::kNull : ToTri(Holds(compare, CompareNumbers(a, b), 0));
  }

  Tri IsAmong(const BoundExpr& expr, size_t row) const {
    const Number value = Value(*expr.children[0], row);
    Tri out = Tri::kFalse;
    for (size_t i = 1; i < expr.children.size(); ++i)
      out = std::max(out, Compared(value, Compare::kEq, Value(*expr.children[i], row)));
    return out;
  }

  Tri TestColumn(const BoundExpr& expr, const TableColumn& values, size_t row) const {
    if (values.is_null(row)) return Tri::kNull;
    const auto code = static_cast<size_t>(values.i32[row]);
    if (expr.op == Op::kTest)
      return values.type == ColumnType::kText ? TestText(*expr.test, values.texts[code])
                                              : TestAddress(*expr.test, values.addresses[code]);
    if (expr.op == Op::kFlag) return ToTri((values.i32[row] != 0) == (expr.number.whole != 0));
    const TableColumn& others = column(expr.other);
    if (others.is_null(row)) return Tri::kNull;
    const auto other = static_cast<size_t>(others.i32[row]);
    if (expr.op == Op::kSameText) return ToTri(values.texts[code] == others.texts[other]);
    if (expr.op == Op::kSameAddress) return ToTri(values.addresses[code] == others.addresses[other]);
    return ToTri((values.i32[row] != 0) == (others.i32[row] != 0));
  }

  std::vector<const TableColumn*> columns_;
};

std::vector<std::string> NamesOf(std::span<const TypedColumn> columns) {
  std::vector<std::string> names;
  for (const TypedColumn& column : columns) names.push_back(column.name);
  return names;
}

}  // namespace

absl::StatusOr<ColumnExpression> ColumnExpression::Condition(std::string_view text,
                                                             std::span<const TypedColumn> columns,
                                                             const FilterOptions& options, std::string_view name) {
  const std::vector<std::string> names = NamesOf(columns);
  ExprUse use = kHavingUse;
  use.names = names;
  use.name = name;
  absl::StatusOr<ExprPtr> tree = ParseCondition(text, use);
  if (!tree.ok()) return tree.status();
  ColumnBinder binder(use, text, columns, options);
  absl::StatusOr<ColumnBinder::BoundPtr> bound = binder.Condition(**tree);
  if (!bound.ok()) return bound.status();
  ColumnExpression out;
  out.tree_ = *std::move(tree);
  out.root_ = *std::move(bound);
  out.names_ = binder.names();
  return out;
}

absl::StatusOr<ColumnExpression> ColumnExpression::Number(std::string_view text, std::span<const TypedColumn> columns,
                                                          std::string_view name) {
  const std::vector<std::string> names = NamesOf(columns);
  ExprUse use = kDerivedUse;
  use.names = names;
  use.name = name;
  absl::StatusOr<ExprPtr> tree = ParseValue(text, use);
  if (!tree.ok()) return tree.status();
  ColumnBinder binder(use, text, columns, {});
  absl::StatusOr<ColumnBinder::BoundPtr> bound = binder.Value(**tree);
  if (!bound.ok()) return bound.status();
  ColumnExpression out;
  out.tree_ = *std::move(tree);
  out.root_ = *std::move(bound);
  out.names_ = binder.names();
  return out;
}

void ColumnExpression::Keep(const Table& table, std::vector<uint8_t>* keep) const {
  const RowValues rows(table, names_);
  for (size_t row = 0; row < keep->size(); ++row) {
    if ((*keep)[row] != 0 && rows.Test(*root_, row) != Tri::kTrue) (*keep)[row] = 0;
  }
}

Array<double> ColumnExpression::Compute(const Table& table) const {
  const RowValues rows(table, names_);
  Array<double> out;
  for (size_t row = 0; row < table.rows; ++row) out.push_back(rows.Value(*root_, row).AsDouble());
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
