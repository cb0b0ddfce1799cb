// The recursive-descent parser of expressions. Length, depth and arithmetic are bounded (expr.h).
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/expr/expr.h"
#include "src/expr/lexer.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using Op = Expr::Op;
using K = Lexeme::Kind;

constexpr std::pair<std::string_view, Compare> kCompares[] = {
    {"=", Compare::kEq}, {"==", Compare::kEq}, {"!=", Compare::kNe}, {"<>", Compare::kNe},
    {"<", Compare::kLt}, {"<=", Compare::kLe}, {">", Compare::kGt},  {">=", Compare::kGe}};
constexpr std::string_view kTests = "(=, !=, <, in, between, like, matches, is null)";

class Parser {
 public:
  Parser(std::string_view text, const ExprUse& use) : text_(text), use_(&use), lexer_(text, use.names) {}

  absl::StatusOr<ExprPtr> Condition() {
    if (!Begin()) return status_;
    ExprPtr node = ParseOr();
    if (node) node = Whole(std::move(node));
    if (!status_.ok()) return status_;
    return node;
  }

  absl::StatusOr<ExprPtr> Value() {
    if (!Begin()) return status_;
    ExprPtr value = ParseOperand();
    if (value && value->is_condition()) Fail(value->begin, "expected a value, found a test");
    if (value && now().kind != K::kEnd) Fail(now().begin, absl::StrCat(Found(), " is not expected here"));
    if (!status_.ok()) return status_;
    return value;
  }

  absl::StatusOr<ComputedExpr> Computed(const ExprUse& filter) {
    ComputedExpr out;
    if (!Begin()) return status_;
    out.value = ParseOperand();
    if (out.value && out.value->is_condition()) Fail(out.value->begin, "expected a value, found a test");
    if (!status_.ok()) return status_;
    if (lexer_.AtWord("where")) {
      use_ = &filter;
      if (Next()) out.where = ParseOr();
    }
    if (status_.ok() && now().kind != K::kEnd) {
      if (out.where) Whole(nullptr);
      Fail(now().begin,
           absl::StrCat("'", Printable(now().text), "' is not expected here; a filter begins with 'where'"));
    }
    if (!status_.ok()) return status_;
    return out;
  }

 private:
  const Lexeme& now() const { return lexer_.now(); }
  bool AtSymbol(std::string_view symbol) const { return lexer_.AtSymbol(symbol); }
  bool AtWord(std::string_view word) const { return lexer_.AtWord(word); }
  bool Take(std::string_view word) { return AtWord(word) && Next(); }

  bool Begin() {
    if (text_.size() <= kMaxExprText) return Next();
    status_ = MakeError(use_->kind, absl::StrCat(std::string(use_->what), ": longer than ", kMaxExprText, " bytes"));
    return false;
  }

  bool Next() {
    if (lexer_.Next()) return true;
    Fail(now().begin, lexer_.error());
    return false;
  }

  // Records the first error.
  ExprPtr Fail(size_t at, std::string_view message) {
    if (status_.ok()) status_ = ErrorAt(*use_, text_, at, message);
    return nullptr;
  }

  std::string Found() const {
    return now().kind == K::kEnd ? std::string("the end") : absl::StrCat("'", Printable(now().text), "'");
  }

  ExprPtr Whole(ExprPtr node) {
    if (now().kind == K::kEnd) return node;
    return Fail(now().begin,
                absl::StrCat("'", Printable(now().text), "' is not expected here; join tests with 'and' or 'or'"));
  }

  ExprPtr Make(Op op, ExprPtr first, size_t at) const {
    auto node = std::make_unique<Expr>();
    node->op = op;
    node->at = at;
    node->begin = first->begin;
    node->children.push_back(std::move(first));
    return node;
  }
  ExprPtr Leaf(Op op) {
    auto node = std::make_unique<Expr>();
    node->op = op;
    node->text = now().text;
    node->begin = node->at = now().begin;
    node->end = now().end;
    return Next() ? std::move(node) : nullptr;
  }
  // The node ends where the last lexeme does.
  ExprPtr Ended(ExprPtr node) const {
    node->end = lexer_.before();
    return node;
  }

  ExprPtr ParseOr() {
    return ParseJoined("or", Op::kOr, [this] { return ParseJoined("and", Op::kAnd, [this] { return ParseNot(); }); });
  }

  template <class Part>
  ExprPtr ParseJoined(std::string_view keyword, Op op, Part part) {
    ExprPtr first = part();
    if (!first || !AtWord(keyword)) return first;
    if (!first->is_condition()) return NoTest(*first);
    ExprPtr node = Make(op, std::move(first), now().begin);
    while (AtWord(keyword)) {
      if (!Next()) return nullptr;
      ExprPtr next = part();
      if (!next) return nullptr;
      if (!next->is_condition()) return NoTest(*next);
      node->children.push_back(std::move(next));
    }
    return Ended(std::move(node));
  }

  ExprPtr ParseNot() {
    const Nesting nesting(this);
    if (!nesting.allowed()) return nullptr;
    if (!AtWord("not")) return ParseTest();
    const size_t at = now().begin;
    if (!Next()) return nullptr;
    ExprPtr inner = ParseNot();
    if (!inner) return nullptr;
    if (!inner->is_condition()) return NoTest(*inner);
    ExprPtr node = Make(Op::kNot, std::move(inner), at);
    node->begin = at;
    return Ended(std::move(node));
  }

  // Of a value where a test is needed.
  ExprPtr NoTest(const Expr& value) {
    const std::string_view text = text_.substr(value.begin, value.end - value.begin);
    return Fail(now().begin, absl::StrCat("expected a test behind ", Printable(text), " ", std::string(kTests),
                                          ", found ", Found()));
  }

  ExprPtr ParseTest() {
    const bool parenthesised = AtSymbol("(");
    if (use_->names_first && !parenthesised && !IsName() && !AtWord("true") && !AtWord("false"))
      return Fail(now().begin, absl::StrCat("expected ", std::string(use_->operand), ", found ", Found()));
    ExprPtr left = ParseOperand();
    if (!left || left->is_condition()) return left;
    const size_t at = now().begin;
    for (const auto& [symbol, compare] : kCompares) {
      if (!AtSymbol(symbol)) continue;
      ExprPtr node = Make(Op::kCompare, std::move(left), at);
      node->compare = compare;
      return Next() && AddValue(node.get()) ? Ended(std::move(node)) : nullptr;
    }
    if (AtWord("is")) {
      ExprPtr node = Make(Op::kIsNull, std::move(left), at);
      if (!Next()) return nullptr;
      node->negated = Take("not");
      if (!AtWord("null")) return Fail(now().begin, "expected 'null' or 'not null' behind 'is'");
      return Next() ? Ended(std::move(node)) : nullptr;
    }
    const bool negated = Take("not");
    ExprPtr node;
    if (AtWord("in")) {
      node = Make(Op::kIn, std::move(left), at);
      if (!Next() || !AddMembers(node.get())) return nullptr;
    } else if (AtWord("between")) {
      node = Make(Op::kBetween, std::move(left), at);
      if (!Next() || !AddValue(node.get())) return nullptr;
      if (!AtWord("and")) return Fail(now().begin, "expected 'and' and the upper end of 'between'");
      if (!Next() || !AddValue(node.get())) return nullptr;
    } else if (AtWord("like") || AtWord("matches") || AtSymbol("~")) {
      node = Make(AtWord("like") ? Op::kLike : Op::kMatches, std::move(left), at);
      if (!Next() || !AddValue(node.get())) return nullptr;
    } else if (!status_.ok()) {
      return nullptr;
    } else if (!negated && values_ > 0) {
      return left;
    } else {
      return NoTest(*left);
    }
    node->negated = negated;
    return Ended(std::move(node));
  }

  // Adds an operand that is no test.
  bool AddValue(Expr* node) {
    ++values_;
    ExprPtr value = ParseOperand();
    --values_;
    if (value && value->is_condition() && value->op != Op::kBool) Fail(value->begin, "expected a value, found a test");
    if (!value || !status_.ok()) return false;
    node->children.push_back(std::move(value));
    return true;
  }

  bool AddMembers(Expr* node) {
    const bool list = AtSymbol("(");
    if (list && !Next()) return false;
    if (list && AtSymbol(")")) return Fail(now().begin, "this list is empty, and nothing is in it") != nullptr;
    do {
      if (!AddValue(node)) return false;
    } while (list && AtSymbol(",") && Next());
    if (!list || !status_.ok()) return status_.ok();
    if (AtSymbol(")")) return Next();
    return Fail(now().begin, absl::StrCat("expected ',' or ')' in the list, found ", Found())) != nullptr;
  }

  ExprPtr ParseOperand() {
    ExprPtr left = ParseSum();
    if (!left || !AtSymbol("&")) return left;
    return Joined(Op::kBits, std::move(left), [this] { return ParseSum(); });
  }

  ExprPtr ParseSum() {
    ExprPtr left = ParseProduct();
    while (left && (AtSymbol("+") || AtSymbol("-")))
      left = Joined(AtSymbol("+") ? Op::kAdd : Op::kSubtract, std::move(left), [this] { return ParseProduct(); });
    return left;
  }

  ExprPtr ParseProduct() {
    ExprPtr left = ParseFactor();
    while (left && (AtSymbol("*") || AtSymbol("/")))
      left = Joined(AtSymbol("*") ? Op::kMultiply : Op::kDivide, std::move(left), [this] { return ParseFactor(); });
    return left;
  }

  // A value, the operator at hand, and another value.
  template <class Part>
  ExprPtr Joined(Op op, ExprPtr left, Part part) {
    const size_t at = now().begin;
    if (left->is_condition()) return Fail(at, "a test is no number");
    if (++arithmetic_ > kMaxArithmetic) return Fail(at, absl::StrCat("more than ", kMaxArithmetic, " operators"));
    if (!Next()) return nullptr;
    ExprPtr right = part();
    if (!right) return nullptr;
    if (right->is_condition()) return Fail(right->begin, "a test is no number");
    ExprPtr node = Make(op, std::move(left), at);
    node->children.push_back(std::move(right));
    return Ended(std::move(node));
  }

  ExprPtr ParseFactor() {
    if (AtSymbol("-")) return ParseNegated();
    if (AtSymbol("(")) return ParseParenthesis();
    if (now().kind == K::kText) return Leaf(Op::kText);
    if (now().kind == K::kWord) return Leaf(Op::kWord);
    if (AtWord("true") || AtWord("false")) return Leaf(Op::kBool);
    if (AtWord("null")) return Leaf(Op::kNull);
    if (!IsName()) {
      const std::string_view wanted = use_->names_first && values_ > 0 ? "a value" : use_->operand;
      return Fail(now().begin, absl::StrCat("expected ", std::string(wanted), ", found ", Found()));
    }
    const bool known = now().known;
    ExprPtr name = Leaf(Op::kName);
    return name && !known && AtSymbol("(") ? ParseCall(std::move(name)) : std::move(name);
  }

  ExprPtr ParseNegated() {
    const Nesting nesting(this);
    const size_t at = now().begin;
    if (!nesting.allowed() || !Next()) return nullptr;
    ExprPtr inner = ParseFactor();
    if (!inner) return nullptr;
    if (inner->is_condition()) return Fail(inner->begin, "a test is no number");
    ExprPtr node = Make(Op::kNegate, std::move(inner), at);
    node->begin = at;
    return Ended(std::move(node));
  }

  ExprPtr ParseParenthesis() {
    const size_t open = now().begin;
    if (!Next()) return nullptr;
    ++values_;
    ExprPtr node = ParseOr();
    --values_;
    if (!node) return nullptr;
    if (AtSymbol(")")) return Next() ? std::move(node) : nullptr;
    if (now().kind == K::kEnd) return Fail(open, "this '(' is never closed");
    return Fail(now().begin, absl::StrCat("expected ')' before ", Found()));
  }

  ExprPtr ParseCall(ExprPtr name) {
    const Nesting nesting(this);
    const size_t open = now().begin;
    if (!nesting.allowed() || !Next()) return nullptr;
    name->op = Op::kCall;
    if (!AtSymbol(")")) {
      do {
        if (!AddValue(name.get())) return nullptr;
      } while (AtSymbol(",") && Next());
    }
    if (!status_.ok()) return nullptr;
    if (AtSymbol(")")) return Next() ? Ended(std::move(name)) : nullptr;
    if (now().kind == K::kEnd) return Fail(open, "this '(' is never closed");
    return Fail(now().begin, absl::StrCat("expected ',' or ')' before ", Found()));
  }

  // A keyword that cannot stand here is a name if it is one of those given.
  bool IsName() const {
    if (now().kind != K::kName) return false;
    if (now().known || !IsKeyword(now().text)) return true;
    if (AtWord("not") || AtWord("true") || AtWord("false") || AtWord("null")) return false;
    return std::find(use_->names.begin(), use_->names.end(), now().text) != use_->names.end();
  }

  // Counts how deep the parser is.
  class Nesting {
   public:
    explicit Nesting(Parser* parser) : parser_(parser) {
      if (++parser_->depth_ > kMaxExprDepth)
        parser_->Fail(parser_->now().begin, absl::StrCat("nested deeper than ", kMaxExprDepth, " levels"));
    }
    ~Nesting() { --parser_->depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool allowed() const { return parser_->depth_ <= kMaxExprDepth; }

   private:
    Parser* parser_;
  };

  std::string_view text_;
  const ExprUse* use_;
  Lexer lexer_;
  absl::Status status_;
  int depth_ = 0;
  int arithmetic_ = 0;
  int values_ = 0;  // parentheses around, in which a value may stand
};

}  // namespace

absl::Status ErrorAt(const ExprUse& use, ErrorKind kind, std::string_view text, size_t at, std::string_view message,
                     ErrorPlace place) {
  constexpr size_t kBefore = 60, kShown = 120;
  const size_t from = at > kBefore ? at - kBefore : 0;
  std::string line;
  size_t caret = 0;
  for (size_t i = from; i < text.size() && i < from + kShown; ++i) {
    if (i == at) caret = line.size();
    line += Printable(text.substr(i, 1));
  }
  if (at >= text.size()) caret = line.size();
  place.position = at;
  return MakeError(kind,
                   absl::StrCat(std::string(use.what), ": ", std::string(message), "\n  ", line, "\n  ",
                                std::string(caret, ' '), "^"),
                   place);
}

absl::Status ErrorAt(const ExprUse& use, std::string_view text, size_t at, std::string_view message, ErrorPlace place) {
  return ErrorAt(use, use.kind, text, at, message, std::move(place));
}

absl::StatusOr<ExprPtr> ParseCondition(std::string_view text, const ExprUse& use) {
  return Parser(text, use).Condition();
}

absl::StatusOr<ExprPtr> ParseValue(std::string_view text, const ExprUse& use) { return Parser(text, use).Value(); }

absl::StatusOr<ComputedExpr> ParseComputed(std::string_view text, const ExprUse& use, const ExprUse& filter) {
  return Parser(text, use).Computed(filter);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
