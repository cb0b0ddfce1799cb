#include "src/plan/run/saved_expr.h"

#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/expr/lexer.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr char kText = '=';  // in place of an operator: a text follows

constexpr std::pair<Compare, std::string_view> kCompares[] = {{Compare::kEq, "="}, {Compare::kNe, "!="},
                                                              {Compare::kLt, "<"}, {Compare::kLe, "<="},
                                                              {Compare::kGt, ">"}, {Compare::kGe, ">="}};

// The number of a literal, if a double is just that.
std::optional<double> NumberOf(const Expr& expr) {
  if (expr.op == Expr::Op::kNegate) {
    const std::optional<double> value = NumberOf(*expr.children[0]);
    return value ? std::optional(-*value) : std::nullopt;
  }
  double value = 0;
  if (expr.op != Expr::Op::kWord || !absl::SimpleAtod(expr.text, &value) || !std::isfinite(value)) return std::nullopt;
  const bool whole = expr.text.find_first_not_of("0123456789") == std::string::npos;
  constexpr double kExact = 9007199254740992;  // 2^53
  return whole && value >= kExact ? std::nullopt : std::optional(value);
}

std::string TextOf(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return absl::StrFormat("%.0f", value);
  return absl::StrFormat("%.17g", value);
}

}  // namespace

void WriteDerived(const std::string& text, const Expr& tree, StateWriter* out) {
  const bool divide = tree.op == Expr::Op::kDivide || (tree.op == Expr::Op::kCall && tree.text == "ratio");
  const bool subtract = tree.op == Expr::Op::kSubtract || (tree.op == Expr::Op::kCall && tree.text == "difference");
  if ((divide || subtract) && tree.children[0]->op == Expr::Op::kName && tree.children[1]->op == Expr::Op::kName) {
    out->Byte(divide ? '/' : '-');
    out->Text(tree.children[0]->text);
    out->Text(tree.children[1]->text);
    return;
  }
  out->Byte(kText);
  out->Text(text);
  out->Text("");
}

std::string ReadDerived(StateReader* in) {
  const auto op = static_cast<char>(in->Byte());
  const std::string a(in->Text()), b(in->Text());
  return op == kText && b.empty() ? a : absl::StrCat(Spelled(a), " ", std::string(1, op), " ", Spelled(b));
}

void WriteHaving(const std::string& text, const Expr& tree, StateWriter* out) {
  if (tree.op == Expr::Op::kCompare && tree.children[0]->op == Expr::Op::kName) {
    if (const std::optional<double> value = NumberOf(*tree.children[1])) {
      out->Text(tree.children[0]->text);
      for (const auto& [compare, op] : kCompares) {
        if (compare == tree.compare) out->Text(op);
      }
      out->Word(std::bit_cast<uint64_t>(*value));
      return;
    }
  }
  out->Text(text);
  out->Text("");
  out->Word(0);
}

std::string ReadHaving(StateReader* in) {
  const std::string column(in->Text()), op(in->Text());
  const auto value = std::bit_cast<double>(in->Word());
  return op.empty() ? column : absl::StrCat(Spelled(column), " ", op, " ", TextOf(value));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
