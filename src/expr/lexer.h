// Lexer: the names, literals and symbols of an expression.
#ifndef VPCFLOW_SRC_EXPR_LEXER_H_
#define VPCFLOW_SRC_EXPR_LEXER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct Lexeme {
  enum class Kind : uint8_t { kEnd, kName, kWord, kText, kSymbol };
  Kind kind = Kind::kEnd;
  std::string text;    // a name, a bare literal, the value of a quoted text, or a symbol
  bool known = false;  // a name that is no keyword: in backticks, or one of the names given
  size_t begin = 0, end = 0;
};

// Returns whether a name is a word of the language.
bool IsKeyword(std::string_view name);

// Returns a name as an expression spells it: as it is, or in backticks (a backtick in it doubled).
std::string Spelled(std::string_view name);

// Goes through a text lexeme by lexeme.
class Lexer {
 public:
  // Names among `names` that are neither numbers nor words of letters, digits, `_` and `-` are found where they stand,
  // the longest one.
  Lexer(std::string_view text, std::span<const std::string> names);

  // Steps to the next lexeme. False at what is none, and at a quote that is never closed: error() says so.
  bool Next();
  const Lexeme& now() const { return now_; }
  // The end of the lexeme before now().
  size_t before() const { return before_; }
  bool AtWord(std::string_view keyword) const;
  bool AtSymbol(std::string_view symbol) const { return now_.kind == Lexeme::Kind::kSymbol && now_.text == symbol; }
  // What is wrong at now().begin.
  const std::string& error() const { return error_; }

 private:
  bool NextQuoted(char quote);
  bool NextKnownName();
  bool Fail(std::string message);

  std::string_view text_;
  std::vector<std::string_view> names_;  // longest first
  Lexeme now_;
  size_t at_ = 0, before_ = 0;
  std::string error_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPR_LEXER_H_
