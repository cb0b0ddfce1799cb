// The filter's lexer and recursive-descent parser. Depth, length and pattern size are bounded (filter.h).
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/filter/node.h"
#include "src/format/protocols.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::Compare;
using internal::FilterNode;
using internal::Printable;
using NodePtr = std::unique_ptr<FilterNode>;
using Op = FilterNode::Op;

struct Lexeme {
  enum class Kind : uint8_t { kEnd, kName, kWord, kText, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // a name, a bare literal, the value of a quoted text, or a symbol
  size_t at = 0;
};

constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool Same(std::string_view a, std::string_view keyword) {
  return a.size() == keyword.size() && std::equal(a.begin(), a.end(), keyword.begin(),
                                                  [](char x, char y) { return (IsLetter(x) ? x | 0x20 : x) == y; });
}

bool IsKeyword(std::string_view name) {
  constexpr std::string_view kWords[] = {"and",     "or", "not",  "in",   "between", "like",
                                         "matches", "is", "null", "true", "false"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view w) { return Same(name, w); });
}

class Parser {
 public:
  Parser(std::string_view text, const std::vector<std::string>& extra, std::vector<FieldRef>* fields)
      : text_(text), extra_(extra), fields_(fields) {}

  absl::StatusOr<NodePtr> Run() {
    if (text_.size() > Filter::kMaxText) {
      return absl::InvalidArgumentError(absl::StrCat("filter: longer than ", Filter::kMaxText, " bytes"));
    }
    NodePtr node;
    if (Next() && (node = ParseOr()) && status_.ok() && now_.kind != Lexeme::Kind::kEnd) {
      node = Fail(now_.at,
                  absl::StrCat("'", Printable(now_.text), "' is not expected here; join tests with 'and' or 'or'"));
    }
    if (!status_.ok()) return status_;
    return node;
  }

 private:
  using K = Lexeme::Kind;

  // Records the first error, with the text and a caret under the place.
  NodePtr Fail(size_t at, const std::string& message) {
    if (!status_.ok()) return nullptr;
    const size_t from = at > 60 ? at - 60 : 0;
    std::string line;
    size_t caret = 0;
    for (size_t i = from; i < text_.size() && i < from + 120; ++i) {
      if (i == at) caret = line.size();
      line += Printable(text_.substr(i, 1));
    }
    if (at >= text_.size()) caret = line.size();
    status_ = absl::InvalidArgumentError(
        absl::StrCat("filter: ", message, "\n  ", line, "\n  ", std::string(caret, ' '), "^"));
    return nullptr;
  }

  bool Next() {
    while (at_ < text_.size() && internal::IsBlank(text_[at_])) ++at_;
    now_ = {K::kEnd, "", at_};
    if (at_ == text_.size()) {
      now_.text = "the end";
      return true;
    }
    const char c = text_[at_];
    if (c == '\'' || c == '"') return NextText(c);
    if (IsLetter(c)) {
      const size_t begin = at_;
      while (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]) || text_[at_] == '-')) ++at_;
      now_ = {K::kName, std::string(text_.substr(begin, at_ - begin)), begin};
      return true;
    }
    if (IsDigit(c) || c == ':') {
      const size_t begin = at_;
      while (at_ < text_.size() &&
             (IsLetter(text_[at_]) || IsDigit(text_[at_]) || absl::StrContains(".:/-+", text_[at_])))
        ++at_;
      now_ = {K::kWord, std::string(text_.substr(begin, at_ - begin)), begin};
      return true;
    }
    for (std::string_view symbol : {"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "&", "~"}) {
      if (text_.substr(at_, symbol.size()) == symbol) {
        now_ = {K::kSymbol, std::string(symbol), at_};
        at_ += symbol.size();
        return true;
      }
    }
    Fail(at_, c == '-' ? std::string("numbers here are never negative")
                       : absl::StrCat("'", Printable(text_.substr(at_, 1)), "' is not part of the language"));
    return false;
  }

  bool NextText(char quote) {
    const size_t begin = at_++;
    std::string value;
    while (at_ < text_.size()) {
      if (text_[at_] == quote) {
        ++at_;
        if (at_ == text_.size() || text_[at_] != quote) {
          now_ = {K::kText, std::move(value), begin};
          return true;
        }
      }
      value += text_[at_++];
    }
    Fail(begin, "this quote is never closed");
    return false;
  }

  bool AtWord(std::string_view keyword) const { return now_.kind == K::kName && Same(now_.text, keyword); }
  bool AtSymbol(std::string_view symbol) const { return now_.kind == K::kSymbol && now_.text == symbol; }
  bool Take(std::string_view keyword) { return AtWord(keyword) && Next(); }
  bool TakeSymbol(std::string_view symbol) { return AtSymbol(symbol) && Next(); }

  NodePtr ParseOr() {
    return ParseJoined("or", Op::kOr, [this] { return ParseJoined("and", Op::kAnd, [this] { return ParseNot(); }); });
  }

  template <class Part>
  NodePtr ParseJoined(std::string_view keyword, Op op, Part part) {
    NodePtr first = part();
    if (!first || !AtWord(keyword)) return first;
    auto node = std::make_unique<FilterNode>();
    node->op = op;
    node->children.push_back(std::move(first));
    while (AtWord(keyword)) {
      if (!Next()) return nullptr;
      NodePtr next = part();
      if (!next) return nullptr;
      node->children.push_back(std::move(next));
    }
    return node;
  }

  static NodePtr Negate(NodePtr node) {
    if (!node) return node;
    auto outer = std::make_unique<FilterNode>();
    outer->op = Op::kNot;
    outer->children.push_back(std::move(node));
    return outer;
  }

  NodePtr ParseNot() {
    if (++depth_ > Filter::kMaxDepth)
      return Fail(now_.at, absl::StrCat("nested deeper than ", Filter::kMaxDepth, " levels"));
    NodePtr node;
    if (AtWord("not")) {
      if (Next()) node = Negate(ParseNot());
    } else {
      node = ParsePrimary();
    }
    --depth_;
    return node;
  }

  NodePtr ParsePrimary() {
    if (AtSymbol("(")) {
      const size_t open = now_.at;
      if (!Next()) return nullptr;
      NodePtr node = ParseOr();
      if (!node) return nullptr;
      if (!AtSymbol(")"))
        return Fail(now_.kind == K::kEnd ? open : now_.at,
                    now_.kind == K::kEnd ? std::string("this '(' is never closed")
                                         : absl::StrCat("expected ')' before '", Printable(now_.text), "'"));
      return Next() ? std::move(node) : nullptr;
    }
    if (AtWord("true") || AtWord("false")) {
      auto node = std::make_unique<FilterNode>();
      node->constant = AtWord("true") ? Tri::kTrue : Tri::kFalse;
      return Next() ? std::move(node) : nullptr;
    }
    if (now_.kind != K::kName || IsKeyword(now_.text)) {
      return Fail(now_.at, absl::StrCat("expected a field name, found ", now_.kind == K::kEnd ? "" : "'",
                                        Printable(now_.text), now_.kind == K::kEnd ? "" : "'"));
    }
    auto node = std::make_unique<FilterNode>();
    field_at_ = now_.at;
    if (!ResolveField(&node->field) || !Next()) return nullptr;
    if (AtSymbol("&")) {
      if (!Next()) return nullptr;
      if (kind(*node) != Kind::kInt32 && kind(*node) != Kind::kInt64)
        return Fail(field_at_, absl::StrCat("'&' needs an integer field; ", name(*node), " is not one"));
      if (!ParseInteger(*node, &node->mask, false) || !Next()) return nullptr;
    }
    return ParseTest(std::move(node));
  }

  Kind kind(const FilterNode& node) const { return (*fields_)[static_cast<size_t>(node.field)].kind(); }
  const std::string& name(const FilterNode& node) const { return (*fields_)[static_cast<size_t>(node.field)].name; }

  // The current name as an index into the filter's fields.
  bool ResolveField(int* out) {
    FieldRef ref{Field::kUnknown, CanonicalName(now_.text)};
    if (const std::optional<Field> known = FindField(now_.text)) {
      ref = {*known, std::string(Info(*known).name)};
    } else if (std::find(extra_.begin(), extra_.end(), ref.name) == extra_.end()) {
      std::vector<std::string> names(extra_);
      for (const FieldInfo& info : kFields) names.emplace_back(info.name);
      const std::string nearest = Nearest(now_.text, names);
      Fail(now_.at, absl::StrCat("unknown field '", Printable(now_.text), "'",
                                 nearest.empty() ? std::string("; `vpcflow fields` lists them, and texts need quotes")
                                                 : absl::StrCat("; did you mean '", nearest, "'?")));
      return false;
    }
    const auto found = std::find(fields_->begin(), fields_->end(), ref);
    *out = static_cast<int>(found - fields_->begin());
    if (found == fields_->end()) fields_->push_back(std::move(ref));
    return true;
  }

  // The current lexeme as a whole number that `node`'s field can have (in range, if `ranged`).
  bool ParseInteger(const FilterNode& node, int64_t* out, bool ranged = true) {
    const FieldRef& ref = (*fields_)[static_cast<size_t>(node.field)];
    if (ref.kind() == Kind::kTime && (now_.kind == K::kText || now_.kind == K::kWord)) {
      if (ParseInstant(now_.text, out)) return true;
    }
    if (ref.field == Field::kProtocol && now_.kind == K::kText) {
      if (const std::optional<int> number = internal::FindProtocol(now_.text)) {
        *out = *number;
        return true;
      }
    }
    uint64_t value = 0;
    const bool is_literal = now_.kind == K::kWord || now_.kind == K::kText;
    const Errc e = is_literal ? ParseUint(now_.text, static_cast<uint64_t>(std::numeric_limits<int64_t>::max()), &value)
                              : Errc::kNotANumber;
    if (e == Errc::kOk && ranged && ref.kind() == Kind::kInt32 && value > Info(ref.field).max) {
      Fail(now_.at, absl::StrCat(ref.name, " is at most ", Info(ref.field).max));
      return false;
    }
    if (e != Errc::kOk) {
      const char* wanted = ref.kind() == Kind::kTime ? " takes Unix seconds or a time like '2026-11-23T10:00:00Z'"
                                                     : " takes whole numbers";
      Fail(now_.at, absl::StrCat(ref.name, wanted, "; '", Printable(now_.text), "' is none"));
      return false;
    }
    *out = static_cast<int64_t>(value);
    return true;
  }

  bool ParseAddress(FilterNode* node) {
    Cidr cidr;
    std::string suggestion;
    if (now_.kind != K::kWord && now_.kind != K::kText) {
      Fail(now_.at, absl::StrCat(name(*node), " takes an address or prefix like '10.0.0.0/8'"));
      return false;
    }
    if (!ParseCidr(now_.text, &cidr, &suggestion)) {
      Fail(now_.at, suggestion.empty()
                        ? absl::StrCat("'", Printable(now_.text), "' is neither an address nor a prefix")
                        : absl::StrCat("'", Printable(now_.text), "' has bits set behind its prefix; did you mean '",
                                       suggestion, "'?"));
      return false;
    }
    node->addresses.Add(cidr);
    return true;
  }

  bool ParseTextLiteral(const FilterNode& node, std::string* out) {
    if (now_.kind == K::kText || now_.kind == K::kWord) {
      *out = now_.text;
      return true;
    }
    Fail(now_.at, absl::StrCat(name(node), " takes text in quotes, like '",
                               Printable(now_.kind == K::kName ? now_.text : "ACCEPT"), "'"));
    return false;
  }

  // One literal of an `in` list or an equality.
  bool ParseMember(FilterNode* node) {
    std::string text;
    int64_t number;
    switch (kind(*node)) {
      case Kind::kAddress: node->op = Op::kAddressIn; return ParseAddress(node) && Next();
      case Kind::kText:
        node->op = Op::kTextIn;
        if (!ParseTextLiteral(*node, &text)) return false;
        node->texts.push_back(std::move(text));
        return Next();
      default:
        node->op = Op::kIntIn;
        if (!ParseInteger(*node, &number)) return false;
        node->numbers.push_back(number);
        return Next();
    }
  }

  NodePtr ParseIn(NodePtr node) {
    const bool list = AtSymbol("(");
    if (list && !Next()) return nullptr;
    do {
      if (!ParseMember(node.get())) return nullptr;
    } while (list && TakeSymbol(","));
    if (list && !TakeSymbol(")"))
      return Fail(now_.at, absl::StrCat("expected ',' or ')' in the list, found '", Printable(now_.text), "'"));
    std::sort(node->numbers.begin(), node->numbers.end());
    std::sort(node->texts.begin(), node->texts.end());
    node->addresses.Build();
    return node;
  }

  NodePtr ParseCompare(NodePtr node, Compare compare) {
    if (now_.kind == K::kName && !IsKeyword(now_.text)) return ParseFieldCompare(std::move(node), compare);
    const Kind k = kind(*node);
    const bool ordered = compare != Compare::kEq && compare != Compare::kNe;
    if (k == Kind::kAddress || k == Kind::kText) {
      if (ordered) {
        return Fail(field_at_,
                    absl::StrCat(name(*node), k == Kind::kAddress ? " is an address: use =, != or in '10.0.0.0/8'"
                                                                  : " is text: use =, !=, in, like or matches"));
      }
      if (!ParseMember(node.get())) return nullptr;
      node->addresses.Build();
      return compare == Compare::kNe ? Negate(std::move(node)) : std::move(node);
    }
    node->op = Op::kIntCompare;
    node->compare = compare;
    if (!ParseInteger(*node, &node->number, !ordered && node->mask == -1) || !Next()) return nullptr;
    return node;
  }

  NodePtr ParseFieldCompare(NodePtr node, Compare compare) {
    const size_t at = now_.at;
    const bool known = FindField(now_.text).has_value() ||
                       std::find(extra_.begin(), extra_.end(), CanonicalName(now_.text)) != extra_.end();
    if (!known && kind(*node) == Kind::kText) {
      return Fail(at, absl::StrCat("texts need quotes: '", Printable(now_.text), "'"));
    }
    if (!ResolveField(&node->other_field) || !Next()) return nullptr;
    const auto family = [](Kind k) { return k == Kind::kInt32 ? Kind::kInt64 : k; };
    const Kind other = (*fields_)[static_cast<size_t>(node->other_field)].kind();
    if (family(kind(*node)) != family(other) || node->mask != -1) return Fail(at, "the two fields cannot be compared");
    node->op = Op::kFieldCompare;
    node->compare = compare;
    return node;
  }

  NodePtr ParsePattern(NodePtr node, bool like) {
    if (kind(*node) != Kind::kText)
      return Fail(field_at_, absl::StrCat(name(*node), " is not text; 'like' and 'matches' need a text field"));
    std::string pattern;
    const size_t at = now_.at;
    if (!ParseTextLiteral(*node, &pattern)) return nullptr;
    if (pattern.size() > Filter::kMaxPattern)
      return Fail(at, absl::StrCat("a pattern has at most ", Filter::kMaxPattern, " bytes"));
    if (like) pattern = LikeToRegex(pattern);
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(8 << 20);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // values are bytes
    node->pattern = std::make_unique<re2::RE2>(pattern, options);
    if (!node->pattern->ok())
      return Fail(at, absl::StrCat("bad regular expression: ", Printable(node->pattern->error(), 200)));
    node->op = Op::kTextMatches;
    return Next() ? std::move(node) : nullptr;
  }

  static std::string LikeToRegex(std::string_view like) {
    std::string regex = "(?s)\\A";
    for (char c : like) {
      if (c == '%') {
        regex += ".*";
      } else if (c == '_') {
        regex += '.';
      } else {
        regex += re2::RE2::QuoteMeta(re2::StringPiece(&c, 1));
      }
    }
    return regex + "\\z";
  }

  NodePtr ParseTest(NodePtr node) {
    constexpr std::pair<std::string_view, Compare> kCompares[] = {
        {"=", Compare::kEq}, {"==", Compare::kEq}, {"!=", Compare::kNe}, {"<>", Compare::kNe},
        {"<", Compare::kLt}, {"<=", Compare::kLe}, {">", Compare::kGt},  {">=", Compare::kGe}};
    for (const auto& [symbol, compare] : kCompares) {
      if (AtSymbol(symbol)) return Next() ? ParseCompare(std::move(node), compare) : nullptr;
    }
    if (Take("is")) {
      const bool negated = Take("not");
      if (!AtWord("null")) return Fail(now_.at, "expected 'null' or 'not null' behind 'is'");
      node->op = Op::kIsNull;
      if (!Next()) return nullptr;
      return negated ? Negate(std::move(node)) : std::move(node);
    }
    const bool negated = Take("not");
    if (Take("in")) {
      node = ParseIn(std::move(node));
    } else if (Take("between")) {
      node = ParseBetween(std::move(node));
    } else if (Take("like")) {
      node = ParsePattern(std::move(node), true);
    } else if (Take("matches") || TakeSymbol("~")) {
      node = ParsePattern(std::move(node), false);
    } else {
      return Fail(now_.at,
                  absl::StrCat("expected a test behind ", name(*node),
                               " (=, !=, <, in, between, like, matches, is null), found '", Printable(now_.text), "'"));
    }
    return negated ? Negate(std::move(node)) : std::move(node);
  }

  NodePtr ParseBetween(NodePtr node) {
    if (kind(*node) == Kind::kAddress || kind(*node) == Kind::kText)
      return Fail(field_at_, "'between' needs a number or a time");
    node->op = Op::kIntRange;
    node->numbers.resize(2);
    if (!ParseInteger(*node, &node->numbers[0], false) || !Next()) return nullptr;
    if (!AtWord("and")) return Fail(now_.at, "expected 'and' and the upper end of 'between'");
    if (!Next() || !ParseInteger(*node, &node->numbers[1], false) || !Next()) return nullptr;
    return node;
  }

  std::string_view text_;
  const std::vector<std::string>& extra_;
  std::vector<FieldRef>* fields_;
  Lexeme now_;
  size_t at_ = 0;
  size_t field_at_ = 0;
  int depth_ = 0;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Filter> Filter::Parse(std::string_view text, const std::vector<std::string>& extra_fields) {
  Filter filter;
  filter.text_ = std::string(text);
  std::vector<std::string> extra;
  for (const std::string& name : extra_fields) extra.push_back(CanonicalName(name));
  absl::StatusOr<NodePtr> root = Parser(text, extra, &filter.fields_).Run();
  if (!root.ok()) return root.status();
  filter.root_ = *std::move(root);
  return filter;
}

VPCFLOW_NAMESPACE_END
