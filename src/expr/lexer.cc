#include "src/expr/lexer.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "vpcflow/format/format.h"
#include "vpcflow/lines/token_index.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsNameChar(char c) { return IsLetter(c) || IsDigit(c) || c == '-'; }

bool Same(std::string_view a, std::string_view keyword) {
  return a.size() == keyword.size() && std::equal(a.begin(), a.end(), keyword.begin(),
                                                  [](char x, char y) { return (IsLetter(x) ? x | 0x20 : x) == y; });
}

// Turns a size, as 1MB or 1.5GiB, into its number of whole bytes; leaves other words, and what 63 bits do not hold.
void ExpandSize(std::string* word) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"tib", int64_t{1} << 40}, {"gib", 1 << 30},  {"mib", 1 << 20}, {"kib", 1 << 10}, {"tb", 1'000'000'000'000},
      {"gb", 1'000'000'000},     {"mb", 1'000'000}, {"kb", 1000},     {"b", 1}};
  const auto ends_with = [word](std::string_view unit) {
    return word->size() > unit.size() && Same(std::string_view(*word).substr(word->size() - unit.size()), unit);
  };
  const auto unit =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& known) { return ends_with(known.first); });
  if (unit == std::end(kUnits)) return;
  std::string digits = word->substr(0, word->size() - unit->first.size());
  int64_t number = 0, parts = 1;
  if (const size_t point = digits.find('.'); point != std::string::npos) {
    for (size_t i = point + 1; i < digits.size() && i <= point + 18; ++i) parts *= 10;
    digits.erase(point, 1);
  }
  if (digits.empty() || digits.size() > 18 || !std::all_of(digits.begin(), digits.end(), IsDigit)) return;
  if (!absl::SimpleAtoi(digits, &number)) return;
  const absl::int128 bytes = absl::int128(number) * unit->second / parts;
  if (bytes <= std::numeric_limits<int64_t>::max()) *word = absl::StrCat(static_cast<int64_t>(bytes));
}

bool IsPlain(std::string_view name) {
  return !name.empty() && IsLetter(name[0]) && std::all_of(name.begin(), name.end(), IsNameChar);
}

}  // namespace

bool IsKeyword(std::string_view name) {
  constexpr std::string_view kWords[] = {"and",     "or", "not",  "in",   "between", "like",
                                         "matches", "is", "null", "true", "false"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view w) { return Same(name, w); });
}

std::string Spelled(std::string_view name) {
  if (IsPlain(name) && !IsKeyword(name)) return std::string(name);
  std::string out = "`";
  for (const char c : name) out.append(c == '`' ? 2 : 1, c);
  return out + '`';
}

Lexer::Lexer(std::string_view text, std::span<const std::string> names) : text_(text) {
  for (const std::string& name : names) {
    const bool number = name.find_first_not_of("0123456789.") == std::string::npos;
    if (!number && !IsPlain(name) && !IsBlank(name[0])) names_.push_back(name);
  }
  std::sort(names_.begin(), names_.end(), [](std::string_view a, std::string_view b) { return a.size() > b.size(); });
}

bool Lexer::Fail(std::string message) {
  error_ = std::move(message);
  return false;
}

bool Lexer::Next() {
  before_ = at_;
  while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
  const size_t begin = at_;
  now_ = {Lexeme::Kind::kEnd, "", false, begin, begin};
  if (at_ == text_.size()) {
    now_.text = "the end";
    return true;
  }
  const auto take = [&](Lexeme::Kind kind) {
    now_ = {kind, std::string(text_.substr(begin, at_ - begin)), false, begin, at_};
    return true;
  };
  const char c = text_[at_];
  if (c == '\'' || c == '"' || c == '`') return NextQuoted(c);
  if (NextKnownName()) return true;
  if (IsLetter(c)) {
    while (at_ < text_.size() && IsNameChar(text_[at_])) ++at_;
    return take(Lexeme::Kind::kName);
  }
  if (IsDigit(c) || c == ':' || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]))) {
    while (at_ < text_.size() &&
           (IsLetter(text_[at_]) || IsDigit(text_[at_]) || absl::StrContains(".:/-+", text_[at_])))
      ++at_;
    take(Lexeme::Kind::kWord);
    ExpandSize(&now_.text);
    return true;
  }
  for (const std::string_view symbol :
       {"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "&", "~", "+", "-", "*", "/"}) {
    if (text_.substr(at_, symbol.size()) == symbol) {
      at_ += symbol.size();
      return take(Lexeme::Kind::kSymbol);
    }
  }
  return Fail(absl::StrCat("'", Printable(text_.substr(at_, 1)), "' is not part of the language"));
}

bool Lexer::NextQuoted(char quote) {
  const size_t begin = at_++;
  std::string value;
  while (at_ < text_.size()) {
    if (text_[at_] == quote) {
      ++at_;
      if (at_ == text_.size() || text_[at_] != quote) {
        const bool name = quote == '`';
        now_ = {name ? Lexeme::Kind::kName : Lexeme::Kind::kText, std::move(value), name, begin, at_};
        return true;
      }
    }
    value += text_[at_++];
  }
  return Fail("this quote is never closed");
}

bool Lexer::NextKnownName() {
  for (const std::string_view name : names_) {
    const size_t end = at_ + name.size();
    if (text_.substr(at_, name.size()) != name || (end < text_.size() && IsNameChar(text_[end]))) continue;
    now_ = {Lexeme::Kind::kName, std::string(name), true, at_, end};
    at_ = end;
    return true;
  }
  return false;
}

bool Lexer::AtWord(std::string_view keyword) const {
  return now_.kind == Lexeme::Kind::kName && !now_.known && Same(now_.text, keyword);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
