// The filter's lexer and recursive-descent parser. Depth, length and pattern size are bounded (filter.h).
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/filter/contradictions.h"
#include "src/filter/lexer.h"
#include "src/filter/node.h"
#include "src/filter/words.h"
#include "src/format/protocols.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::Compare;
using internal::FilterNode;
using internal::Printable;
using NodePtr = std::unique_ptr<FilterNode>;
using Op = FilterNode::Op;

class Parser : private internal::Lexer {
 public:
  Parser(std::string_view text, const std::vector<std::string>& extra, const FilterOptions& options,
         std::vector<FieldRef>* fields, std::vector<std::string>* warnings)
      : Lexer(text), extra_(extra), options_(options), fields_(fields), warnings_(warnings) {}

  absl::StatusOr<NodePtr> Run() {
    if (text().size() > Filter::kMaxText)
      return absl::InvalidArgumentError(absl::StrCat("filter: longer than ", Filter::kMaxText, " bytes"));
    NodePtr node;
    if (Next() && (node = ParseOr()) && status_.ok() && now_.kind != K::kEnd)
      node = Fail(now_.at,
                  absl::StrCat("'", Printable(now_.text), "' is not expected here; join tests with 'and' or 'or'"));
    if (!status_.ok()) return status_;
    if (!options_.lenient) internal::FindContradictions(*node, text(), *fields_, warnings_);
    return node;
  }

 private:
  using K = internal::Lexeme::Kind;

  // Records the first error.
  NodePtr Fail(size_t at, const std::string& message) {
    Note(at, message);
    return nullptr;
  }

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
    if (now_.kind != K::kName || internal::IsKeyword(now_.text)) {
      return Fail(now_.at, absl::StrCat("expected a field name, found ", now_.kind == K::kEnd ? "" : "'",
                                        Printable(now_.text), now_.kind == K::kEnd ? "" : "'"));
    }
    auto node = std::make_unique<FilterNode>();
    field_at_ = now_.at;
    refused_ = false;
    if (!ResolveField(&node->field) || !Next()) return nullptr;
    if (AtSymbol("&")) {
      if (!Next()) return nullptr;
      if (kind(*node) != Kind::kInt32 && kind(*node) != Kind::kInt64)
        return Fail(field_at_, absl::StrCat("'&' needs an integer field; ", name(*node), " is not one"));
      if (!ParseInteger(*node, &node->mask, false) || !Next()) return nullptr;
    }
    node = ParseTest(std::move(node));
    if (node) {
      FilterNode& test = node->op == Op::kNot ? *node->children[0] : *node;
      test.turned = node->op == Op::kNot;
      test.begin = field_at_;
      test.end = before_;
    }
    return node;
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

  // The current lexeme as a whole number. Below or above what `node`'s field can have is an error, unless it is only an
  // end of a range.
  bool ParseInteger(const FilterNode& node, int64_t* out, bool ranged = true) {
    const FieldRef& ref = (*fields_)[static_cast<size_t>(node.field)];
    const bool is_literal = now_.kind == K::kWord || now_.kind == K::kText;
    if (ref.kind() == Kind::kTime && is_literal && ParseInstant(now_.text, out)) return true;
    if (ref.field == Field::kProtocol && now_.kind == K::kText) {
      if (const std::optional<int> number = internal::FindProtocol(now_.text)) {
        *out = *number;
        return true;
      }
    }
    std::string_view digits = now_.text;
    if (const size_t point = digits.find('.'); point != std::string_view::npos && point > 0 &&
                                               point + 1 < digits.size() &&
                                               digits.find_first_not_of('0', point + 1) == std::string_view::npos)
      digits = digits.substr(0, point);  // 22.0
    uint64_t value = 0;
    const Errc e = is_literal ? ParseUint(digits, static_cast<uint64_t>(std::numeric_limits<int64_t>::max()), &value)
                              : Errc::kNotANumber;
    const int64_t largest = internal::LargestOf(ref.field);
    if (e == Errc::kOk && ref.kind() == Kind::kTime && value > static_cast<uint64_t>(largest)) {
      uint64_t seconds = value;
      while (seconds > kMaxTimeSeconds) seconds /= 1000;
      if (Refuse(now_.at, absl::StrCat(ref.name, " takes Unix seconds; did you mean ", seconds, "?"))) return false;
    }
    if (e == Errc::kOutOfRange) return Fail(now_.at, absl::StrCat(ref.name, " is at most ", largest)) != nullptr;
    if (e == Errc::kOk && ranged && value > static_cast<uint64_t>(largest) &&
        Refuse(now_.at, absl::StrCat(ref.name, " is at most ", largest)))
      return false;
    if (e != Errc::kOk) {
      const char* wanted = ref.kind() == Kind::kTime ? " takes Unix seconds or a time like '2026-11-23T10:00:00Z'"
                                                     : " takes whole numbers";
      Fail(now_.at, absl::StrCat(ref.name, wanted, "; '", Printable(now_.text), "' is none",
                                 internal::NumberMeant(ref.field, ref.name, now_.text)));
      return false;
    }
    *out = static_cast<int64_t>(value);
    if (ranged && *out > internal::KnownTop(ref.field))
      Warn(absl::StrCat(ref.name, " = ", *out, ": the largest that AWS documents is ", internal::KnownTop(ref.field)));
    return true;
  }

  // Checks that some value can pass the comparison `node`, whose number begins at `at`.
  NodePtr CheckBounds(NodePtr node, size_t at) {
    const FieldRef& ref = (*fields_)[static_cast<size_t>(node->field)];
    const bool masked = node->mask != -1;
    const int64_t top = masked ? node->mask : internal::LargestOf(ref.field), n = node->number;
    const std::string of = masked ? absl::StrCat(ref.name, " & ", node->mask) : ref.name;
    switch (node->compare) {
      case Compare::kEq:
      case Compare::kNe:
        if (!masked && (n < 0 || n > top)) Refuse(at, absl::StrCat(of, " lies between 0 and ", top));
        if (masked && (n & ~node->mask) != 0)
          Refuse(at, absl::StrCat(of, " is never ", n, ": ", n, " has other bits; did you mean ", of, " = ",
                                  (n & node->mask) != 0 ? n & node->mask : node->mask, "?"));
        break;
      case Compare::kLt:
        if (n <= 0 && ref.kind() != Kind::kTime) Refuse(at, absl::StrCat(of, " is never below 0"));
        if (n > top) Warn(absl::StrCat(of, " < ", n, " always holds: it is at most ", top));
        break;
      case Compare::kLe:
        if (n < 0 && ref.kind() != Kind::kTime) Refuse(at, absl::StrCat(of, " is never below 0"));
        if (n > top) Warn(absl::StrCat(of, " <= ", n, " always holds: it is at most ", top));
        break;
      case Compare::kGt:
      case Compare::kGe:
        if (n > top || (n == top && node->compare == Compare::kGt)) Refuse(at, absl::StrCat(of, " is at most ", top));
    }
    return status_.ok() ? std::move(node) : nullptr;
  }

  // Refuses a test that no value passes, or each; of a saved filter it is only noted.
  bool Refuse(size_t at, std::string message) {
    if (!options_.lenient) return Fail(at, message) == nullptr;
    Warn(std::move(message));
    refused_ = true;
    return false;
  }

  // Notes what never or always holds, and yet is no error; of a test that was refused nothing more.
  void Warn(std::string text) {
    if (!refused_) internal::NoteWarning(std::move(text), warnings_);
  }

  bool ParseAddress(FilterNode* node) {
    Cidr cidr;
    std::string suggestion;
    if (now_.kind != K::kWord && now_.kind != K::kText) {
      Fail(now_.at, absl::StrCat(name(*node), " takes an address or prefix like '10.0.0.0/8'"));
      return false;
    }
    if (!ParseCidr(now_.text, &cidr, &suggestion)) {
      const std::string quoted = absl::StrCat("'", Printable(now_.text), "'");
      if (suggestion.empty()) {
        const std::string meant = internal::PrefixMeant(now_.text);
        Fail(now_.at, absl::StrCat(quoted, " is neither an address nor a prefix",
                                   internal::SaysNull(now_.text) ? absl::StrCat("; ", internal::NullTests(name(*node)))
                                   : meant.empty()               ? std::string()
                                                                 : absl::StrCat("; did you mean '", meant, "'?")));
      } else {
        Fail(now_.at, absl::StrCat(quoted, " has bits set behind its prefix; did you mean '", suggestion, "'?"));
      }
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

  internal::KnownWords WordsOf(const FilterNode& node) const {
    const Field field = (*fields_)[static_cast<size_t>(node.field)].field;
    return field == Field::kAction && !options_.actions.empty() ? internal::KnownWords{options_.actions, true}
                                                                : internal::WordsOf(field);
  }

  // A text to be found: known words without case.
  bool AddText(FilterNode* node, std::string text) {
    const FieldRef& ref = (*fields_)[static_cast<size_t>(node->field)];
    const internal::KnownWords words = WordsOf(*node);
    internal::Judgement judgement = internal::JudgeText(ref.field, ref.name, words, text);
    if (!judgement.error.empty() && Refuse(now_.at, std::move(judgement.error))) return false;
    if (!judgement.warning.empty()) Warn(std::move(judgement.warning));
    node->folded = !words.words.empty();
    if (internal::IsAccount(ref.field) && text.size() < 12 && !text.empty() &&
        text.find_first_not_of("0123456789") == std::string::npos)
      node->texts.push_back(std::string(12 - text.size(), '0') + text);  // a number loses its zeros
    node->texts.push_back(node->folded ? internal::Folded(text) : std::move(text));
    return true;
  }

  // One literal of an `in` list or an equality.
  bool ParseMember(FilterNode* node) {
    std::string text;
    int64_t number;
    switch (kind(*node)) {
      case Kind::kAddress: node->op = Op::kAddressIn; return ParseAddress(node) && Next();
      case Kind::kText:
        node->op = Op::kTextIn;
        return ParseTextLiteral(*node, &text) && AddText(node, std::move(text)) && Next();
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
    if (list && AtSymbol(")")) return Fail(now_.at, "this list is empty, and nothing is in it");
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
    if (AtWord("null")) {
      return Fail(now_.at, absl::StrCat("null equals nothing; ", internal::NullTests(name(*node))));
    }
    if (now_.kind == K::kName && !internal::IsKeyword(now_.text)) return ParseFieldCompare(std::move(node), compare);
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
    const size_t at = now_.at;
    if (!ParseInteger(*node, &node->number, !ordered && node->mask == -1) || !Next()) return nullptr;
    return CheckBounds(std::move(node), at);
  }

  NodePtr ParseFieldCompare(NodePtr node, Compare compare) {
    const size_t at = now_.at;
    const bool known = FindField(now_.text).has_value() ||
                       std::find(extra_.begin(), extra_.end(), CanonicalName(now_.text)) != extra_.end();
    const bool protocol = (*fields_)[static_cast<size_t>(node->field)].field == Field::kProtocol;
    if (!known && (kind(*node) == Kind::kText || (protocol && internal::FindProtocol(now_.text)))) {
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
    std::string pattern;
    const size_t at = now_.at;
    if (kind(*node) != Kind::kText) return FailPattern(*node);
    if (!ParseTextLiteral(*node, &pattern)) return nullptr;
    if (pattern.size() > Filter::kMaxPattern)
      return Fail(at, absl::StrCat("a pattern has at most ", Filter::kMaxPattern, " bytes"));
    if (like && pattern == "-") return AddText(node.get(), pattern) ? std::move(node) : nullptr;
    const std::string regex = like ? LikeToRegex(pattern) : pattern;
    const internal::KnownWords words = WordsOf(*node);
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(8 << 20);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // values are bytes
    options.set_case_sensitive(words.words.empty());
    node->pattern = std::make_unique<re2::RE2>(regex, options);
    if (!node->pattern->ok())
      return Fail(at, absl::StrCat("bad regular expression: ", Printable(node->pattern->error(), 200)));
    const auto fits = [&](std::string_view word) {
      return re2::RE2::PartialMatch(re2::StringPiece(word.data(), word.size()), *node->pattern);
    };
    if (words.closed && std::none_of(words.words.begin(), words.words.end(), fits))
      Refuse(at, absl::StrCat(name(*node), " is ", internal::Listed(words.words), "; none of these is like '",
                              Printable(pattern), "'"));
    node->op = Op::kTextMatches;
    return status_.ok() && Next() ? std::move(node) : nullptr;
  }

  NodePtr FailPattern(const FilterNode& node) {
    const Kind k = kind(node);
    const std::string meant = k == Kind::kAddress ? internal::PrefixMeant(now_.text) : std::string();
    const std::string tests = k == Kind::kAddress ? absl::StrCat("in '", meant.empty() ? "10.0.0.0/8" : meant, "'")
                              : k == Kind::kTime  ? std::string(">= '2026-11-23'")
                                                  : std::string("= 443, in (22, 443) or between 1000 and 2000");
    return Fail(field_at_, absl::StrCat(name(node), " is ",
                                        k == Kind::kAddress ? "an address"
                                        : k == Kind::kTime  ? "a time"
                                                            : "a number",
                                        ", not text; write ", name(node), " ", tests));
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
    const size_t at = now_.at;
    if (!ParseInteger(*node, &node->numbers[0], false) || !Next()) return nullptr;
    if (!AtWord("and")) return Fail(now_.at, "expected 'and' and the upper end of 'between'");
    if (!Next() || !ParseInteger(*node, &node->numbers[1], false) || !Next()) return nullptr;
    const int64_t first = node->numbers[0], last = node->numbers[1];
    const int64_t largest = internal::LargestOf((*fields_)[static_cast<size_t>(node->field)].field);
    if (first > last) {
      Refuse(at, absl::StrCat("no number is between ", first, " and ", last, "; write 'between ", last, " and ", first,
                              "'"));
    } else if (first > largest) {
      Refuse(at, absl::StrCat(name(*node), " is at most ", largest));
    }
    if (!status_.ok()) return nullptr;
    return node;
  }

  const std::vector<std::string>& extra_;
  const FilterOptions& options_;
  std::vector<FieldRef>* fields_;
  std::vector<std::string>* warnings_;
  size_t field_at_ = 0;   // of the test in hand
  bool refused_ = false;  // it was, and is kept all the same
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<Filter> Filter::Parse(std::string_view text, const std::vector<std::string>& extra_fields,
                                     const FilterOptions& options) {
  Filter filter;
  filter.text_ = std::string(text);
  std::vector<std::string> extra;
  for (const std::string& name : extra_fields) extra.push_back(CanonicalName(name));
  absl::StatusOr<NodePtr> root = Parser(text, extra, options, &filter.fields_, &filter.warnings_).Run();
  if (!root.ok()) return root.status();
  filter.root_ = *std::move(root);
  return filter;
}

VPCFLOW_NAMESPACE_END
