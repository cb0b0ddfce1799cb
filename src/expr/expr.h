// Expr: the tree of an expression, with the place of each part in the text. One grammar for filters, aggregate calls,
// `having` and derived columns; what a name means, and which parts are allowed where, is for those who use the tree.
//
//   condition = and {"or" and}              and = not {"and" not}           not = "not" not | test
//   test      = operand [comparison]        without comparison: a condition in parentheses, true or false
//   operand   = sum ["&" sum]               sum = product {("+" | "-") product}
//   product   = factor {("*" | "/") factor} factor = "-" factor | "(" condition ")" | call | name | literal | "null"
//   call      = name "(" [operand {"," operand}] ")"
//   computed  = operand ["where" condition]
#ifndef VPCFLOW_SRC_EXPR_EXPR_H_
#define VPCFLOW_SRC_EXPR_EXPR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/error/error.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

enum class Compare : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };

struct Expr {
  enum class Op : uint8_t {
    kName,    // text
    kWord,    // text: a bare literal (22, 10.0.0.0/8, 2026-11-23)
    kText,    // text: a quoted literal
    kNull,    // the word null
    kBool,    // text: true or false
    kCall,    // text(children)
    kNegate,  // -children[0]
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kBits,  // children[0] & children[1]
    kAnd,   // children, two or more
    kOr,
    kNot,      // children[0]
    kCompare,  // children[0] compare children[1]
    kIn,       // children[0] [not] in the others
    kBetween,  // children[0] [not] between children[1] and children[2]
    kLike,     // children[0] [not] like children[1]
    kMatches,  // children[0] [not] matches children[1]
    kIsNull    // children[0] is [not] null
  };
  Op op = Op::kBool;
  Compare compare = Compare::kEq;
  bool negated = false;
  std::string text{};
  size_t begin = 0, end = 0;  // in the text
  size_t at = 0;              // of the operator
  std::vector<std::unique_ptr<Expr>> children{};

  // Returns whether it is true or false of a row, and no value.
  bool is_condition() const { return op == Op::kBool || op >= Op::kAnd; }
  bool is_literal() const { return op == Op::kWord || op == Op::kText; }
};
using ExprPtr = std::unique_ptr<Expr>;

// What an expression is for.
struct ExprUse {
  std::string_view what;                 // how its errors begin: "filter", "having"
  ErrorKind kind;                        // of its errors
  std::string_view operand;              // what begins a test: "a field name"
  std::span<const std::string> names{};  // names that it may use; those of other than letters, digits, `_`, `-` count
  bool names_first = false;              // a test begins with a name, as in filters
  std::string_view name = "column";      // what a name stands for
};

// Texts longer and expressions nested deeper than this, or with more arithmetic, are errors.
inline constexpr size_t kMaxExprText = 64 * 1024;
inline constexpr int kMaxExprDepth = 64;
inline constexpr int kMaxArithmetic = 256;

// Returns an error at a place of a text: the message, the text around the place, and a caret below it.
absl::Status ErrorAt(const ExprUse& use, std::string_view text, size_t at, std::string_view message,
                     ErrorPlace place = {});
// The same with another kind.
absl::Status ErrorAt(const ExprUse& use, ErrorKind kind, std::string_view text, size_t at, std::string_view message,
                     ErrorPlace place = {});

// Parses a condition, as of filters and `having`.
absl::StatusOr<ExprPtr> ParseCondition(std::string_view text, const ExprUse& use);

// Parses a value, as of derived columns: arithmetic, a call, a name, a literal.
absl::StatusOr<ExprPtr> ParseValue(std::string_view text, const ExprUse& use);

// An aggregate call or arithmetic, and the filter behind it.
struct ComputedExpr {
  ExprPtr value;
  ExprPtr where;  // null for none
};
// Parses "sum(bytes) where action = 'REJECT'" or "bytes / packets". `filter` is the use of the part behind `where`.
absl::StatusOr<ComputedExpr> ParseComputed(std::string_view text, const ExprUse& use, const ExprUse& filter);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPR_EXPR_H_
