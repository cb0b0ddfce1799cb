// Binding of expressions to the types of columns.
#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/filter/binder.h"
#include "src/result/bound_expr.h"
#include "vpcflow/base/time.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using BoundPtr = ColumnBinder::BoundPtr;
using BoundOp = BoundExpr::Op;
using ExprOp = Expr::Op;

BoundPtr Make(BoundOp op) {
  auto bound = std::make_unique<BoundExpr>();
  bound->op = op;
  return bound;
}

BoundPtr Make(BoundOp op, BoundPtr first, BoundPtr second = nullptr) {
  if (!first) return nullptr;
  BoundPtr bound = Make(op);
  bound->children.push_back(std::move(first));
  if (second) bound->children.push_back(std::move(second));
  return bound;
}

BoundPtr Negated(bool negated, BoundPtr bound) {
  return negated ? Make(BoundOp::kNot, std::move(bound)) : std::move(bound);
}

BoundPtr Compared(BoundPtr left, Compare compare, BoundPtr right) {
  if (!left || !right) return nullptr;
  BoundPtr bound = Make(BoundOp::kCompare, std::move(left), std::move(right));
  bound->compare = compare;
  return bound;
}

ValueKind KindOfType(ColumnType type) {
  switch (type) {
    case ColumnType::kTime: return ValueKind::kTime;
    case ColumnType::kAddress: return ValueKind::kAddress;
    case ColumnType::kText: return ValueKind::kText;
    case ColumnType::kBool: return ValueKind::kFlag;
    default: return ValueKind::kNumber;
  }
}

const char* KindText(ValueKind kind) {
  switch (kind) {
    case ValueKind::kTime: return "a time";
    case ValueKind::kAddress: return "an address";
    case ValueKind::kText: return "text";
    case ValueKind::kFlag: return "true or false";
    default: return "a number";
  }
}

bool IsNumeric(ValueKind kind) { return kind == ValueKind::kNumber || kind == ValueKind::kTime; }
bool IsEquality(Compare compare) { return compare == Compare::kEq || compare == Compare::kNe; }

// A number as people write it; null for what is none.
Number NumberOf(std::string_view text) {
  int128 whole = 0;
  constexpr size_t kExactDigits = 38;  // below 2^127
  if (!text.empty() && text.size() <= kExactDigits && text.find_first_not_of("0123456789") == std::string_view::npos) {
    for (const char c : text) whole = whole * 10 + (c - '0');
    return Number::Whole(whole);
  }
  double real = 0;
  if (!absl::SimpleAtod(absl::string_view(text.data(), text.size()), &real)) return {};
  return Number::Real(real);
}

// Uses of a name's nearest match.
std::string NearestOf(std::string_view name, std::span<const TypedColumn> columns) {
  std::vector<std::string> names;
  for (const TypedColumn& column : columns) names.push_back(column.name);
  return Nearest(name, names);
}

}  // namespace

absl::StatusOr<BoundPtr> ColumnBinder::Condition(const Expr& expr) {
  BoundPtr bound = BindCondition(expr);
  if (!status_.ok()) return status_;
  return bound;
}

absl::StatusOr<BoundPtr> ColumnBinder::Value(const Expr& expr) {
  BoundPtr bound = BindNumber(expr);
  if (!status_.ok()) return status_;
  return bound;
}

std::nullptr_t ColumnBinder::Fail(size_t at, std::string_view message, ErrorPlace place) {
  if (status_.ok()) status_ = ErrorAt(use_, text_, at, message, std::move(place));
  return nullptr;
}

int ColumnBinder::IndexOf(const std::string& name) {
  const auto at = std::find(names_.begin(), names_.end(), name);
  const auto index = static_cast<int>(at - names_.begin());
  if (at == names_.end()) names_.push_back(name);
  return index;
}

const TypedColumn* ColumnBinder::Find(const Expr& name) {
  for (const bool exact : {true, false}) {
    for (const TypedColumn& column : columns_) {
      if (exact ? column.name == name.text : CanonicalName(column.name) == CanonicalName(name.text)) return &column;
    }
  }
  const std::string nearest = NearestOf(name.text, columns_);
  std::string hint = absl::StrCat("did you mean '", nearest, "'?");
  if (nearest.empty())
    hint = absl::StrCat("there are ", absl::StrJoin(columns_, ", ", [](std::string* out, const TypedColumn& column) {
                          *out += column.name;
                        }));
  if (name.text.find('-') != std::string::npos) hint += "; a minus needs blanks around it";
  return Fail(name.begin, absl::StrCat("no ", std::string(use_.name), " '", Printable(name.text), "'; ", hint),
              {.suggestion = nearest});
}

ValueKind ColumnBinder::KindOf(const Expr& expr) const {
  if (expr.op == ExprOp::kBool) return ValueKind::kFlag;
  if (expr.op == ExprOp::kAdd || expr.op == ExprOp::kSubtract) {  // a time and seconds
    const ValueKind left = KindOf(*expr.children[0]), right = KindOf(*expr.children[1]);
    return (left == ValueKind::kTime) != (right == ValueKind::kTime) ? ValueKind::kTime : ValueKind::kNumber;
  }
  if (expr.op != ExprOp::kName) return ValueKind::kNumber;
  for (const TypedColumn& column : columns_) {
    if (CanonicalName(column.name) == CanonicalName(expr.text)) return KindOfType(column.type);
  }
  return ValueKind::kNumber;
}

BoundPtr ColumnBinder::BindCondition(const Expr& expr) {
  switch (expr.op) {
    case ExprOp::kNot: return Make(BoundOp::kNot, BindCondition(*expr.children[0]));
    case ExprOp::kAnd:
    case ExprOp::kOr: {
      BoundPtr bound = Make(expr.op == ExprOp::kAnd ? BoundOp::kAnd : BoundOp::kOr);
      for (const ExprPtr& child : expr.children) {
        bound->children.push_back(BindCondition(*child));
        if (!bound->children.back()) return nullptr;
      }
      return bound;
    }
    case ExprOp::kBool: {
      BoundPtr bound = Make(BoundOp::kConstant);
      bound->constant = (expr.text[0] | 0x20) == 't' ? Tri::kTrue : Tri::kFalse;
      return bound;
    }
    default: return BindTest(expr);
  }
}

BoundPtr ColumnBinder::BindTest(const Expr& expr) {
  const Expr& left = *expr.children[0];
  if (left.op == ExprOp::kName) {
    const TypedColumn* column = Find(left);
    if (column == nullptr) return nullptr;
    const ValueKind kind = KindOfType(column->type);
    if (!IsNumeric(kind) || expr.op == ExprOp::kIsNull) {
      if (expr.op == ExprOp::kCompare) return BindComparison(expr);
      if (expr.op != ExprOp::kIsNull) return BindLeafTest(expr, *column);
      BoundPtr value = Make(BoundOp::kColumn);
      value->column = IndexOf(column->name);
      return Negated(expr.negated, Make(BoundOp::kIsNull, std::move(value)));
    }
  }
  if (expr.op == ExprOp::kIsNull) return Negated(expr.negated, Make(BoundOp::kIsNull, BindNumber(left)));
  return BindNumbers(expr);
}

// Of a column of addresses, texts or truth values.
BoundPtr ColumnBinder::BindComparison(const Expr& expr) {
  const Expr &left = *expr.children[0], &right = *expr.children[1];
  const TypedColumn& column = *Find(left);
  const ValueKind kind = KindOfType(column.type);
  if (right.op != ExprOp::kName && kind != ValueKind::kFlag) return BindLeafTest(expr, column);
  if (!IsEquality(expr.compare))
    return Fail(expr.at, absl::StrCat(column.name, " is ", KindText(kind), ", which has no order: use = or !="));
  BoundPtr bound;
  if (right.op == ExprOp::kBool) {
    bound = Make(BoundOp::kFlag);
    bound->number = Number::Whole((right.text[0] | 0x20) == 't' ? 1 : 0);
  } else if (right.op != ExprOp::kName) {
    return Fail(right.begin, absl::StrCat(column.name, " takes true or false"));
  } else {
    const bool known = std::any_of(columns_.begin(), columns_.end(), [&](const TypedColumn& c) {
      return CanonicalName(c.name) == CanonicalName(right.text);
    });
    if (!known && kind == ValueKind::kText)
      return Fail(right.begin, absl::StrCat("texts need quotes: '", Printable(right.text), "'"));
    const TypedColumn* other = Find(right);
    if (other == nullptr) return nullptr;
    if (KindOfType(other->type) != kind)
      return Fail(right.begin, absl::StrCat(column.name, " is ", KindText(kind), ", ", other->name, " is ",
                                            KindText(KindOfType(other->type)), ": they cannot be compared"));
    bound = Make(kind == ValueKind::kText      ? BoundOp::kSameText
                 : kind == ValueKind::kAddress ? BoundOp::kSameAddress
                                               : BoundOp::kSameFlag);
    bound->other = IndexOf(other->name);
  }
  bound->column = IndexOf(column.name);
  return Negated(expr.compare == Compare::kNe, std::move(bound));
}

// A test of texts or addresses by literals, as in filters.
BoundPtr ColumnBinder::BindLeafTest(const Expr& expr, const TypedColumn& column) {
  const ValueKind kind = KindOfType(column.type);
  if (kind == ValueKind::kFlag) return Fail(expr.at, absl::StrCat(column.name, " takes = true or = false"));
  const bool known = kind == ValueKind::kText && column.field != Field::kUnknown &&
                     FieldRef{column.field, "", nullptr}.kind() == Kind::kText;
  const Field field = kind == ValueKind::kAddress ? Field::kSrcAddr : known ? column.field : Field::kUnknown;
  std::vector<std::string> warnings;
  Complaints complaints(use_, text_, /*lenient=*/false, &warnings);
  BoundPtr bound = Make(BoundOp::kTest);
  bound->test = Binder::BindTest(expr, {field, column.name, nullptr}, options_, &complaints);
  bound->column = IndexOf(column.name);
  if (complaints.ok()) return bound;
  if (status_.ok()) status_ = complaints.status();
  return nullptr;
}

// A comparison of numbers and times, `in` or `between`.
BoundPtr ColumnBinder::BindNumbers(const Expr& expr) {
  const Expr& left = *expr.children[0];
  if (expr.op == ExprOp::kLike || expr.op == ExprOp::kMatches)
    return Fail(expr.at, absl::StrCat(expr.op == ExprOp::kLike ? "'like'" : "'matches'", " needs text; ",
                                      Printable(TextOf(left)), " is ", KindText(KindOf(left))));
  const bool time = std::any_of(expr.children.begin(), expr.children.end(),
                                [&](const ExprPtr& child) { return KindOf(*child) == ValueKind::kTime; });
  std::vector<BoundPtr> values;
  for (const ExprPtr& child : expr.children) {
    if (child->op == ExprOp::kNull)
      return Fail(child->begin, absl::StrCat("null equals nothing; write '", Printable(TextOf(left)), " is null' or '",
                                             Printable(TextOf(left)), " is not null'"));
    values.push_back(child->is_literal() ? BindLiteral(*child, time ? ValueKind::kTime : ValueKind::kNumber)
                                         : BindNumber(*child));
    if (!values.back()) return nullptr;
  }
  if (expr.op == ExprOp::kCompare) return Compared(std::move(values[0]), expr.compare, std::move(values[1]));
  if (expr.op == ExprOp::kIn) {
    BoundPtr bound = Make(BoundOp::kIn);
    bound->children = std::move(values);
    return Negated(expr.negated, std::move(bound));
  }
  BoundPtr low = Compared(std::move(values[0]), Compare::kGe, std::move(values[1]));
  BoundPtr high =
      Compared(left.is_literal() ? BindLiteral(left, time ? ValueKind::kTime : ValueKind::kNumber) : BindNumber(left),
               Compare::kLe, std::move(values[2]));
  return Negated(expr.negated, Make(BoundOp::kAnd, std::move(low), std::move(high)));
}

BoundPtr ColumnBinder::BindLiteral(const Expr& expr, ValueKind kind) {
  BoundPtr bound = Make(BoundOp::kNumber);
  if (int64_t seconds = 0; kind == ValueKind::kTime && ParseInstant(expr.text, &seconds)) {
    bound->number = Number::Whole(seconds);
    return bound;
  }
  bound->number = NumberOf(expr.text);
  if (!bound->number.is_null()) return bound;
  if (kind == ValueKind::kTime)
    return Fail(expr.begin, absl::StrCat("'", Printable(expr.text),
                                         "' is neither Unix seconds nor a time like '2026-11-23T10:00:00Z'"));
  const bool joined = expr.op == ExprOp::kWord && expr.text.find_first_of("/-+") != std::string::npos;
  return Fail(expr.begin, absl::StrCat("'", Printable(expr.text), "' is no number",
                                       joined ? "; operators behind a number need a blank before them" : ""));
}

BoundPtr ColumnBinder::BindNumber(const Expr& expr) {
  switch (expr.op) {
    case ExprOp::kName: {
      const TypedColumn* column = Find(expr);
      if (column == nullptr) return nullptr;
      if (!IsNumeric(KindOfType(column->type)))
        return Fail(expr.begin, absl::StrCat("'", Printable(column->name), "' is ", KindText(KindOfType(column->type)),
                                             ", neither a number nor a time"));
      BoundPtr bound = Make(BoundOp::kColumn);
      bound->column = IndexOf(column->name);
      return bound;
    }
    case ExprOp::kWord:
    case ExprOp::kText: return BindLiteral(expr, ValueKind::kNumber);
    case ExprOp::kNegate: return Make(BoundOp::kNegate, BindNumber(*expr.children[0]));
    case ExprOp::kBits: return BindBits(expr);
    case ExprOp::kCall: return BindCall(expr);
    case ExprOp::kAdd:
    case ExprOp::kSubtract:
    case ExprOp::kMultiply:
    case ExprOp::kDivide: {
      BoundPtr left = BindNumber(*expr.children[0]);
      BoundPtr right = left ? BindNumber(*expr.children[1]) : nullptr;
      if (!right) return nullptr;
      const BoundOp op = expr.op == ExprOp::kAdd        ? BoundOp::kAdd
                         : expr.op == ExprOp::kSubtract ? BoundOp::kSubtract
                         : expr.op == ExprOp::kMultiply ? BoundOp::kMultiply
                                                        : BoundOp::kDivide;
      return Make(op, std::move(left), std::move(right));
    }
    default: return Fail(expr.begin, absl::StrCat("'", Printable(TextOf(expr)), "' is no number"));
  }
}

BoundPtr ColumnBinder::BindBits(const Expr& expr) {
  const Expr &left = *expr.children[0], &mask = *expr.children[1];
  BoundPtr bound = Make(BoundOp::kBits, BindNumber(left));
  if (!bound) return nullptr;
  bound->number = mask.is_literal() ? NumberOf(mask.text) : Number{};
  if (bound->number.kind != Number::Kind::kWhole) return Fail(mask.begin, "'&' needs a whole number behind it");
  return bound;
}

BoundPtr ColumnBinder::BindCall(const Expr& expr) {
  const bool ratio = expr.text == "ratio";
  if (!ratio && expr.text != "difference")
    return Fail(expr.begin, absl::StrCat("'", Printable(expr.text),
                                         "(...)' is computed of records: give it a name among the aggregates, and use "
                                         "the name here"));
  if (expr.children.size() != 2) return Fail(expr.begin, absl::StrCat(expr.text, " takes two columns"));
  BoundPtr left = BindNumber(*expr.children[0]);
  BoundPtr right = left ? BindNumber(*expr.children[1]) : nullptr;
  if (!right) return nullptr;
  return Make(ratio ? BoundOp::kDivide : BoundOp::kSubtract, std::move(left), std::move(right));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
