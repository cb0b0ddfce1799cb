#include "src/filter/lexer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vpcflow/format/format.h"
#include "vpcflow/lines/token_index.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool Same(std::string_view a, std::string_view keyword) {
  return a.size() == keyword.size() && std::equal(a.begin(), a.end(), keyword.begin(),
                                                  [](char x, char y) { return (IsLetter(x) ? x | 0x20 : x) == y; });
}

}  // namespace

bool IsKeyword(std::string_view name) {
  constexpr std::string_view kWords[] = {"and",     "or", "not",  "in",   "between", "like",
                                         "matches", "is", "null", "true", "false"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view w) { return Same(name, w); });
}

void Lexer::Note(size_t at, const std::string& message) {
  if (!status_.ok()) return;
  const size_t from = at > 60 ? at - 60 : 0;
  std::string line;
  size_t caret = 0;
  for (size_t i = from; i < text_.size() && i < from + 120; ++i) {
    if (i == at) caret = line.size();
    line += Printable(text_.substr(i, 1));
  }
  if (at >= text_.size()) caret = line.size();
  status_ =
      absl::InvalidArgumentError(absl::StrCat("filter: ", message, "\n  ", line, "\n  ", std::string(caret, ' '), "^"));
}

bool Lexer::Next() {
  before_ = at_;
  while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
  now_ = {Lexeme::Kind::kEnd, "", at_};
  if (at_ == text_.size()) {
    now_.text = "the end";
    return true;
  }
  const char c = text_[at_];
  if (c == '\'' || c == '"') return NextText(c);
  if (IsLetter(c)) {
    const size_t begin = at_;
    while (at_ < text_.size() && (IsLetter(text_[at_]) || IsDigit(text_[at_]) || text_[at_] == '-')) ++at_;
    now_ = {Lexeme::Kind::kName, std::string(text_.substr(begin, at_ - begin)), begin};
    return true;
  }
  if (IsDigit(c) || c == ':') {
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (IsLetter(text_[at_]) || IsDigit(text_[at_]) || absl::StrContains(".:/-+", text_[at_])))
      ++at_;
    now_ = {Lexeme::Kind::kWord, std::string(text_.substr(begin, at_ - begin)), begin};
    return true;
  }
  for (std::string_view symbol : {"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "&", "~"}) {
    if (text_.substr(at_, symbol.size()) == symbol) {
      now_ = {Lexeme::Kind::kSymbol, std::string(symbol), at_};
      at_ += symbol.size();
      return true;
    }
  }
  Note(at_, c == '-' ? std::string("numbers here are never negative")
                     : absl::StrCat("'", Printable(text_.substr(at_, 1)), "' is not part of the language"));
  return false;
}

bool Lexer::NextText(char quote) {
  const size_t begin = at_++;
  std::string value;
  while (at_ < text_.size()) {
    if (text_[at_] == quote) {
      ++at_;
      if (at_ == text_.size() || text_[at_] != quote) {
        now_ = {Lexeme::Kind::kText, std::move(value), begin};
        return true;
      }
    }
    value += text_[at_++];
  }
  Note(begin, "this quote is never closed");
  return false;
}

bool Lexer::AtWord(std::string_view keyword) const {
  return now_.kind == Lexeme::Kind::kName && Same(now_.text, keyword);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
