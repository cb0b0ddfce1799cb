#include "src/events/mended.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "absl/strings/charconv.h"
#include "vpcflow/export/text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether a word outside of strings is a number that is none for simdjson.
bool IsBeyondNumbers(std::string_view word) {
  if (word == "NaN" || word == "Infinity" || word == "-Infinity") return true;
  const std::string_view digits = word.substr(word.starts_with('-') ? 1 : 0);
  if (digits.empty() || !IsDigit(digits[0])) return false;
  const char* const end = word.data() + word.size();
  if (digits.find_first_not_of("0123456789") == digits.npos) {
    int64_t whole;
    uint64_t natural;
    return std::from_chars(word.data(), end, whole).ec != std::errc() &&
           std::from_chars(word.data(), end, natural).ec != std::errc();
  }
  double number;
  const absl::from_chars_result read = absl::from_chars(word.data(), end, number);
  return read.ptr == end && read.ec == std::errc::result_out_of_range && std::abs(number) > 1;
}

// The code of an escape "\uXXXX" at the beginning of a text, or -1.
int CodeOf(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
  int code = 0;
  for (const char c : text.substr(2, 4)) {
    const int digit = IsDigit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

// Appends the escape at the beginning of a text. Returns its size.
size_t AppendEscape(std::string_view text, std::string* out) {
  constexpr int kHigh = 0xD800, kLow = 0xDC00, kEnd = 0xE000;
  const int code = CodeOf(text);
  if (code < kHigh || code >= kEnd) {
    out->append(text.substr(0, 2));
    return std::min<size_t>(2, text.size());
  }
  const int next = code < kLow ? CodeOf(text.substr(6)) : -1;
  const bool pair = next >= kLow && next < kEnd;
  out->append(pair ? text.substr(0, 12) : "\\ufffd");
  return pair ? 12 : 6;
}

}  // namespace

std::string Mended(std::string_view given) {
  const std::string valid = ValidUtf8(given);
  const std::string_view text = valid;
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const auto is_word = [](char x) {
      return IsDigit(x) || x == '-' || x == '+' || x == '.' || ((x | 0x20) >= 'a' && (x | 0x20) <= 'z');
    };
    if (in_string && c == '\\') {
      at += AppendEscape(text.substr(at), &out);
    } else if (!in_string && is_word(c)) {
      size_t end = at;
      while (end < text.size() && is_word(text[end])) ++end;
      const std::string_view word = text.substr(at, end - at);
      const std::string_view quote = IsBeyondNumbers(word) ? "\"" : "";
      out.append(quote).append(word).append(quote);
      at = end;
    } else {
      if (c == '"') in_string = !in_string;
      out += c;
      ++at;
    }
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
