// Expressions over the columns of a table: conditions, as of `having`, and numbers, as of derived columns.
//
// Whole numbers are compared exactly, also with fractions; arithmetic is that of doubles. Null makes a test null, which
// is neither true nor false (Kleene logic); so does what is no number, as a division by 0.
#ifndef VPCFLOW_SRC_RESULT_EXPRESSION_H_
#define VPCFLOW_SRC_RESULT_EXPRESSION_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/expr/expr.h"
#include "vpcflow/filter/filter.h"
#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A column that an expression may name.
struct TypedColumn {
  std::string name{};
  ColumnType type = ColumnType::kInt64;
  Field field = Field::kUnknown;  // whose values it has, for texts that are compared without case
};

struct BoundExpr;

class ColumnExpression {
 public:
  // Parses a condition on columns. Errors are of kind kPlan, with a caret; `name` is what they call a column.
  static absl::StatusOr<ColumnExpression> Condition(std::string_view text, std::span<const TypedColumn> columns,
                                                    const FilterOptions& options = {},
                                                    std::string_view name = "column");
  // Parses arithmetic of columns of numbers and times, or ratio(a, b) or difference(a, b).
  static absl::StatusOr<ColumnExpression> Number(std::string_view text, std::span<const TypedColumn> columns,
                                                 std::string_view name = "column");

  // The tree. Names of columns in it are as they were written.
  const Expr& tree() const& { return *tree_; }
  const Expr& tree() const&& = delete;
  // The columns it names, each once.
  const std::vector<std::string>& names() const& { return names_; }
  const std::vector<std::string>& names() const&& = delete;

  // Clears `keep` for rows that do not pass. The table has the columns it names, of types that it was bound to, except
  // that kInt128 stands for kInt64. O(rows).
  void Keep(const Table& table, std::vector<uint8_t>* keep) const;
  // Returns the number of each row; NaN for null.
  Array<double> Compute(const Table& table) const;

 private:
  std::shared_ptr<const Expr> tree_;
  std::shared_ptr<const BoundExpr> root_;
  std::vector<std::string> names_;
};

// Returns a column of the numbers of an expression.
inline TableColumn Derived(const std::string& name, const ColumnExpression& expression, const Table& table) {
  TableColumn column;
  column.name = name;
  column.type = ColumnType::kFloat64;
  column.f64 = expression.Compute(table);
  return column;
}

// Uses of expressions over columns.
inline constexpr ExprUse kHavingUse{"having", ErrorKind::kPlan, "a column or a value", {}, false};
inline constexpr ExprUse kDerivedUse{"derived column", ErrorKind::kPlan, "a column or a number", {}, false};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_RESULT_EXPRESSION_H_
