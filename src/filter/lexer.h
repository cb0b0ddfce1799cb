// Lexer: the words, texts and symbols of a filter, and errors that show their place.
#ifndef VPCFLOW_SRC_FILTER_LEXER_H_
#define VPCFLOW_SRC_FILTER_LEXER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct Lexeme {
  enum class Kind : uint8_t { kEnd, kName, kWord, kText, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;  // a name, a bare literal, the value of a quoted text, or a symbol
  size_t at = 0;
};

// Whether a name is a word of the language.
bool IsKeyword(std::string_view name);

// Goes through a text lexeme by lexeme.
class Lexer {
 protected:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::string_view text() const { return text_; }

  // Records the first error, with the text and a caret under the place.
  void Note(size_t at, const std::string& message);

  // Steps to the next lexeme; false at what is none.
  bool Next();
  bool AtWord(std::string_view keyword) const;
  bool AtSymbol(std::string_view symbol) const { return now_.kind == Lexeme::Kind::kSymbol && now_.text == symbol; }
  bool Take(std::string_view keyword) { return AtWord(keyword) && Next(); }
  bool TakeSymbol(std::string_view symbol) { return AtSymbol(symbol) && Next(); }

  Lexeme now_;
  size_t before_ = 0;  // the end of the lexeme before now_
  absl::Status status_;

 private:
  bool NextText(char quote);

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_LEXER_H_
