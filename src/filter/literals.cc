#include "src/filter/literals.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vpcflow/format/iana.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// 22.0 is 22.
std::string_view WithoutPoint(std::string_view digits) {
  const size_t point = digits.find('.');
  const bool whole = point != std::string_view::npos && point > 0 && point + 1 < digits.size() &&
                     digits.find_first_not_of('0', point + 1) == std::string_view::npos;
  return whole ? digits.substr(0, point) : digits;
}

std::string LikeToRegex(std::string_view like) {
  std::string regex = "(?s)\\A";
  for (const char c : like) {
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

}  // namespace

bool Literals::Integer(const FieldRef& ref, const Expr& literal, bool ranged, int64_t* out) {
  const std::string& text = literal.text;
  const size_t at = literal.begin;
  if (literal.op == Expr::Op::kNegate)
    return complaints_->Fail(at, "numbers here are never negative", {.field = ref.name});
  if (ref.kind() == Kind::kTime && literal.is_literal() && ParseInstant(text, out)) return true;
  if (ref.field == Field::kProtocol && literal.op == Expr::Op::kText) {
    if (const std::optional<int> number = FindProtocol(text)) {
      *out = *number;
      return true;
    }
  }
  uint64_t value = 0;
  const Errc e = literal.is_literal()
                     ? ParseUint(WithoutPoint(text), static_cast<uint64_t>(std::numeric_limits<int64_t>::max()), &value)
                     : Errc::kNotANumber;
  const int64_t largest = LargestOf(ref.field);
  if (e == Errc::kOk && ref.kind() == Kind::kTime && value > static_cast<uint64_t>(largest)) {
    uint64_t seconds = value;
    while (seconds > kMaxTimeSeconds) seconds /= 1000;
    if (complaints_->Refuse(at, absl::StrCat(ref.name, " takes Unix seconds; did you mean ", seconds, "?"),
                            {.field = ref.name, .suggestion = absl::StrCat(seconds)}))
      return false;
  }
  const std::string bound = absl::StrCat(ref.name, " is at most ", largest);
  if (e == Errc::kOutOfRange) return complaints_->Fail(at, bound, {.field = ref.name});
  if (e == Errc::kOk && ranged && value > static_cast<uint64_t>(largest) &&
      complaints_->Refuse(at, bound, {.field = ref.name}))
    return false;
  if (e != Errc::kOk) {
    const char* wanted = ref.kind() == Kind::kTime ? " takes Unix seconds or a time like '2026-11-23T10:00:00Z'"
                                                   : " takes whole numbers";
    return complaints_->Fail(
        at, absl::StrCat(ref.name, wanted, "; '", Printable(text), "' is none", NumberMeant(ref.field, ref.name, text)),
        {.field = ref.name});
  }
  *out = static_cast<int64_t>(value);
  if (ranged && *out > KnownTop(ref.field))
    complaints_->Warn(absl::StrCat(ref.name, " = ", *out, ": the largest that AWS documents is ", KnownTop(ref.field)));
  return true;
}

bool Literals::CheckBounds(const FieldRef& ref, const Expr& literal, const FilterNode& node) {
  const bool masked = node.mask != -1;
  const int64_t top = masked ? node.mask : LargestOf(ref.field), n = node.number;
  const std::string of = masked ? absl::StrCat(ref.name, " & ", node.mask) : ref.name;
  const auto refuse = [&](std::string message) {
    complaints_->Refuse(literal.begin, std::move(message), {.field = ref.name});
  };
  switch (node.compare) {
    case Compare::kEq:
    case Compare::kNe:
      if (!masked && (n < 0 || n > top)) refuse(absl::StrCat(of, " lies between 0 and ", top));
      if (masked && (n & ~node.mask) != 0)
        refuse(absl::StrCat(of, " is never ", n, ": ", n, " has other bits; did you mean ", of, " = ",
                            (n & node.mask) != 0 ? n & node.mask : node.mask, "?"));
      break;
    case Compare::kLt:
      if (n <= 0 && ref.kind() != Kind::kTime) refuse(absl::StrCat(of, " is never below 0"));
      if (n > top) complaints_->Warn(absl::StrCat(of, " < ", n, " always holds: it is at most ", top));
      break;
    case Compare::kLe:
      if (n < 0 && ref.kind() != Kind::kTime) refuse(absl::StrCat(of, " is never below 0"));
      if (n > top) complaints_->Warn(absl::StrCat(of, " <= ", n, " always holds: it is at most ", top));
      break;
    case Compare::kGt:
    case Compare::kGe:
      if (n > top || (n == top && node.compare == Compare::kGt)) refuse(absl::StrCat(of, " is at most ", top));
  }
  return complaints_->ok();
}

bool Literals::AddAddress(const FieldRef& ref, const Expr& literal, FilterNode* node) {
  node->op = FilterNode::Op::kAddressIn;
  Cidr cidr;
  std::string suggestion;
  if (!literal.is_literal())
    return complaints_->Fail(literal.begin, absl::StrCat(ref.name, " takes an address or prefix like '10.0.0.0/8'"),
                             {.field = ref.name});
  if (ParseCidr(literal.text, &cidr, &suggestion)) {
    node->addresses.Add(cidr);
    return true;
  }
  const std::string quoted = absl::StrCat("'", Printable(literal.text), "'");
  if (!suggestion.empty())
    return complaints_->Fail(literal.begin,
                             absl::StrCat(quoted, " has bits set behind its prefix; did you mean '", suggestion, "'?"),
                             {.field = ref.name, .suggestion = suggestion});
  const std::string meant = PrefixMeant(literal.text);
  return complaints_->Fail(literal.begin,
                           absl::StrCat(quoted, " is neither an address nor a prefix",
                                        SaysNull(literal.text) ? absl::StrCat("; ", NullTests(ref.name))
                                        : meant.empty()        ? std::string()
                                                               : absl::StrCat("; did you mean '", meant, "'?")),
                           {.field = ref.name, .suggestion = meant});
}

bool Literals::Text(const FieldRef& ref, const Expr& literal) {
  if (literal.is_literal()) return true;
  return complaints_->Fail(
      literal.begin,
      absl::StrCat(ref.name, " takes text in quotes, like '",
                   Printable(literal.op == Expr::Op::kName || literal.op == Expr::Op::kBool ? literal.text : "ACCEPT"),
                   "'"),
      {.field = ref.name});
}

KnownWords Literals::WordsOf(const FieldRef& ref) const {
  if (ref.field == Field::kAction && !options_.actions.empty()) return {options_.actions, true};
  return internal::WordsOf(ref.field);
}

bool Literals::AddText(const FieldRef& ref, const Expr& literal, FilterNode* node) {
  node->op = FilterNode::Op::kTextIn;
  if (!Text(ref, literal)) return false;
  std::string text = literal.text;
  const KnownWords words = WordsOf(ref);
  Judgement judgement = JudgeText(ref.field, ref.name, words, text);
  if (!judgement.error.empty() && complaints_->Refuse(literal.begin, std::move(judgement.error),
                                                      {.field = ref.name, .suggestion = judgement.suggestion}))
    return false;
  if (!judgement.warning.empty()) complaints_->Warn(std::move(judgement.warning));
  node->folded = !words.words.empty();
  if (IsAccount(ref.field) && text.size() < 12 && !text.empty() &&
      text.find_first_not_of("0123456789") == std::string::npos)
    node->texts.push_back(std::string(12 - text.size(), '0') + text);  // a number loses its zeros
  node->texts.push_back(node->folded ? Folded(text) : std::move(text));
  return true;
}

bool Literals::Pattern(const FieldRef& ref, const Expr& literal, bool like, FilterNode* node) {
  if (ref.kind() != Kind::kText) return FailPattern(ref, literal);
  if (!Text(ref, literal)) return false;
  const std::string& pattern = literal.text;
  if (pattern.size() > Filter::kMaxPattern)
    return complaints_->Fail(literal.begin, absl::StrCat("a pattern has at most ", Filter::kMaxPattern, " bytes"));
  if (like && pattern == "-") return AddText(ref, literal, node);
  const KnownWords words = WordsOf(ref);
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // values are bytes
  options.set_case_sensitive(words.words.empty());
  node->op = FilterNode::Op::kTextMatches;
  node->pattern = std::make_unique<re2::RE2>(like ? LikeToRegex(pattern) : pattern, options);
  if (!node->pattern->ok())
    return complaints_->Fail(literal.begin,
                             absl::StrCat("bad regular expression: ", Printable(node->pattern->error(), 200)));
  const auto fits = [&](std::string_view word) {
    return re2::RE2::PartialMatch(re2::StringPiece(word.data(), word.size()), *node->pattern);
  };
  if (words.closed && std::none_of(words.words.begin(), words.words.end(), fits))
    complaints_->Refuse(
        literal.begin,
        absl::StrCat(ref.name, " is ", Listed(words.words), "; none of these is like '", Printable(pattern), "'"),
        {.field = ref.name});
  return complaints_->ok();
}

bool Literals::FailPattern(const FieldRef& ref, const Expr& literal) {
  const Kind kind = ref.kind();
  const std::string meant = kind == Kind::kAddress ? PrefixMeant(literal.text) : std::string();
  const std::string tests = kind == Kind::kAddress ? absl::StrCat("in '", meant.empty() ? "10.0.0.0/8" : meant, "'")
                            : kind == Kind::kTime  ? std::string(">= '2026-11-23'")
                                                   : std::string("= 443, in (22, 443) or between 1000 and 2000");
  const char* what = kind == Kind::kAddress ? "an address" : kind == Kind::kTime ? "a time" : "a number";
  return complaints_->Fail(literal.begin,
                           absl::StrCat(ref.name, " is ", what, ", not text; write ", ref.name, " ", tests),
                           {.field = ref.name, .suggestion = meant});
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
