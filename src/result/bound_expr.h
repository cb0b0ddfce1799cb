// BoundExpr: an expression over columns, bound to their types.
#ifndef VPCFLOW_SRC_RESULT_BOUND_EXPR_H_
#define VPCFLOW_SRC_RESULT_BOUND_EXPR_H_

#include <memory>
#include <vector>

#include "src/filter/node.h"
#include "src/result/expression.h"
#include "src/result/number.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct BoundExpr {
  enum class Op : uint8_t {
    kColumn,  // values: column
    kNumber,  // number
    kNegate,  // children[0]
    kAdd,     // children[0] and children[1], as the three below
    kSubtract,
    kMultiply,
    kDivide,
    kBits,      // children[0] & number
    kConstant,  // tests: constant
    kAnd,       // children
    kOr,        // children
    kNot,       // children[0]
    kIsNull,    // children[0], a value of any type
    kCompare,   // numbers: children[0] compare children[1]
    kIn,        // numbers: children[0] among the others
    kTest,      // a text or address: column, test
    kSameText,  // column = other
    kSameAddress,
    kSameFlag,  // truth values: column = other
    kFlag       // column = (number != 0)
  };
  Op op = Op::kConstant;
  Tri constant = Tri::kNull;
  Compare compare = Compare::kEq;
  int column = -1, other = -1;  // indices into ColumnExpression::names()
  Number number{};
  std::unique_ptr<FilterNode> test{};
  std::vector<std::unique_ptr<BoundExpr>> children{};
};

// What a value is.
enum class ValueKind : uint8_t { kNumber, kTime, kAddress, kText, kFlag };

// Binds the tree of an expression.
class ColumnBinder {
 public:
  using BoundPtr = std::unique_ptr<BoundExpr>;

  ColumnBinder(const ExprUse& use, std::string_view text, std::span<const TypedColumn> columns,
               const FilterOptions& options)
      : use_(use), text_(text), columns_(columns), options_(options) {}

  absl::StatusOr<BoundPtr> Condition(const Expr& expr);
  absl::StatusOr<BoundPtr> Value(const Expr& expr);
  // The columns that were named, each once.
  const std::vector<std::string>& names() const& { return names_; }
  const std::vector<std::string>& names() const&& = delete;

 private:
  BoundPtr BindCondition(const Expr& expr);
  BoundPtr BindTest(const Expr& expr);
  BoundPtr BindComparison(const Expr& expr);
  BoundPtr BindLeafTest(const Expr& expr, const TypedColumn& column);
  BoundPtr BindNumbers(const Expr& expr);
  BoundPtr BindLiteral(const Expr& expr, ValueKind kind);
  BoundPtr BindNumber(const Expr& expr);
  BoundPtr BindBits(const Expr& expr);
  BoundPtr BindCall(const Expr& expr);
  const TypedColumn* Find(const Expr& name);
  ValueKind KindOf(const Expr& expr) const;
  int IndexOf(const std::string& name);
  std::nullptr_t Fail(size_t at, std::string_view message, ErrorPlace place = {});
  std::string_view TextOf(const Expr& expr) const { return text_.substr(expr.begin, expr.end - expr.begin); }

  const ExprUse& use_;
  std::string_view text_;
  std::span<const TypedColumn> columns_;
  FilterOptions options_;
  std::vector<std::string> names_;
  absl::Status status_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_RESULT_BOUND_EXPR_H_
