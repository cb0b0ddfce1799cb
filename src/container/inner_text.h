// InnerText: texts of containers as parts of a line, which blanks and control bytes would end, and back.
//
// A byte that ends no text stays. Others follow kEscape, which no valid UTF-8 holds, as a byte that does not: blanks
// come out as blanks, and nothing that AWS or people write, such as %20, is taken for an escape. Only lines that were
// made of a container have escapes.
#ifndef VPCFLOW_SRC_CONTAINER_INNER_TEXT_H_
#define VPCFLOW_SRC_CONTAINER_INNER_TEXT_H_

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr char kEscape = '\xFF';

// 1 for bytes that stand escaped everywhere, 2 for the blank, which lines that are no records keep.
inline constexpr std::array<unsigned char, 256> kEscaped = [] {
  std::array<unsigned char, 256> out{};
  for (size_t c = 0; c < 0x20; ++c) out[c] = 1;
  out[0x7F] = out[static_cast<unsigned char>(kEscape)] = 1;
  out[' '] = 2;
  return out;
}();

inline bool HasEscapes(std::string_view text) {
  return !text.empty() && std::memchr(text.data(), static_cast<unsigned char>(kEscape), text.size()) != nullptr;
}

// Appends a text escaped; blanks stay if they are not `blanks_too`.
inline void AppendInner(std::string_view text, bool blanks_too, std::string* out) {
  const unsigned char escaped = blanks_too ? 3 : 1;
  unsigned char any = 0;
  for (const char c : text) any |= kEscaped[static_cast<unsigned char>(c)];
  if ((any & escaped) == 0) {
    out->append(text);
    return;
  }
  for (const char c : text) {
    if ((kEscaped[static_cast<unsigned char>(c)] & escaped) != 0) {
      *out += {kEscape, static_cast<char>(c ^ 0x40)};
    } else {
      *out += c;
    }
  }
}

// What AppendInner was given, of any part of its text that does not begin behind an escape. The result is `text` itself
// or `scratch`.
inline std::string_view OuterText(std::string_view text, std::string* scratch) {
  if (!HasEscapes(text)) return text;
  scratch->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == kEscape && i + 1 < text.size();
    *scratch += escape ? static_cast<char>(text[++i] ^ 0x40) : text[i];
  }
  return *scratch;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_INNER_TEXT_H_
