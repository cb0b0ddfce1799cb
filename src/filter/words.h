// Known words of fields: what a literal of a filter can be, and what was probably meant by one that can never hold.
#ifndef VPCFLOW_SRC_FILTER_WORDS_H_
#define VPCFLOW_SRC_FILTER_WORDS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vpcflow/format/field.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The values of a text field that AWS documents.
struct KnownWords {
  std::span<const std::string_view> words;
  bool closed = false;  // there are no others
};
// Without words for a field whose values nobody lists.
KnownWords WordsOf(Field field);

// Whether a field holds the numbers of accounts.
bool IsAccount(Field field);

// Lower case, letter by letter.
std::string Folded(std::string_view text);

// What a literal that cannot be found says of itself; both empty for one that can.
struct Judgement {
  std::string error{};       // no record can have the value
  std::string warning{};     // none that AWS documents has it
  std::string suggestion{};  // the nearest value that one can have
};
// `words` are the field's, of WordsOf or others. `name` is the field's, which may be none of the catalogue.
Judgement JudgeText(Field field, std::string_view name, const KnownWords& words, std::string_view value);

// "ACCEPT or REJECT"
std::string Listed(std::span<const std::string_view> words);

// Texts by which people and tools say that there is no value: "-", "", "null", "NaN", "None", "n/a".
bool SaysNull(std::string_view text);
// "write 'x is null' or 'x is not null'"
std::string NullTests(std::string_view name);

// The end of the error for a text that is no number of the field: "; did you mean 22?", "; write 'dstport is null' or
// ...", or
// "".
std::string NumberMeant(Field field, std::string_view name, std::string_view text);

// The prefix that a pattern of texts stands for ("10.1.%", "^10\.1\." -> "10.1.0.0/16"), or "".
std::string PrefixMeant(std::string_view pattern);

// The largest value of an integer or time field; its known values end at KnownTop.
int64_t LargestOf(Field field);
int64_t KnownTop(Field field);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_WORDS_H_
