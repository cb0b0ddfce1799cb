// SeparatorIndex: where the fields and lines of a block of text end.
//
// One pass notes the position of every byte that can end a field: blanks, line ends and control bytes (<= 0x20 and
// 0x7F). What follows (splitting lines, finding columns) only walks these positions. The pass is a kernel: the portable
// one below works on eight bytes at a time and never reads outside [data, data + size).
//
//   vpcflow::SeparatorIndex index;
//   vpcflow::IndexSeparators("2 eni-1\n", 8, &index);   // positions {1, 7}, newlines {1}
#ifndef VPCFLOW_LINES_SEPARATORS_H_
#define VPCFLOW_LINES_SEPARATORS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

struct SeparatorIndex {
  // Positions of all separator bytes, ascending. If the text does not end with a line end, a last position equal to its
  // size stands for it. Only the first `count` entries are meaningful.
  std::vector<uint32_t> positions;
  size_t count = 0;
  // For each line, the index in `positions` of its end. Only the first `line_count` entries are meaningful.
  std::vector<uint32_t> newlines;
  size_t line_count = 0;
  // There is a separator other than ' ' and '\n'.
  bool odd = false;
  // Two separators stand side by side, or the text begins with one.
  bool runs = false;

  // Neither: then token k of a line lies between separators k-1 and k, and line i has exactly
  // newlines[i] - newlines[i-1] tokens.
  bool simple() const { return !odd && !runs; }
};

namespace internal {

constexpr uint64_t kOnes = 0x0101010101010101ull;
constexpr uint64_t kHighs = 0x8080808080808080ull;

// 0x80 in each byte of x that equals c; exact in every byte.
constexpr uint64_t BytesEqual(uint64_t x, uint8_t c) {
  const uint64_t y = x ^ (kOnes * c);
  return ~(((y & ~kHighs) + ~kHighs) | y) & kHighs;
}

// 0x80 in each byte that is <= 0x20 or 0x7F.
constexpr uint64_t SeparatorBytes(uint64_t x) {
  const uint64_t low = x & ~kHighs;
  const uint64_t not_control = low + kOnes * 0x5F;  // high bit where the low seven bits are >= 0x21
  const uint64_t delete_byte = low + kOnes;         // high bit where they are 0x7F
  return (~not_control | delete_byte) & ~x & kHighs;
}

inline uint64_t LoadLittleEndian(const char* p, size_t n) {
  uint64_t x = 0;
  std::memcpy(&x, p, n);
  if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
  return x;
}

}  // namespace internal

// Indexes [data, data + size); size < 2^32. Reuses the vectors of `out`. O(size).
inline void IndexSeparators(const char* data, size_t size, SeparatorIndex* out) {
  using namespace internal;
  if (out->positions.size() < size + 9) {
    out->positions.resize(size + 9);
    out->newlines.resize(size + 9);
  }
  uint32_t* positions = out->positions.data();
  uint32_t* newlines = out->newlines.data();
  size_t count = 0, lines = 0;
  uint64_t odd = 0, runs = 0;
  uint64_t carry = 0x80;  // the byte before the text counts as a separator
  const auto word = [&](uint64_t x, size_t at, uint64_t mask) {
    uint64_t separators = SeparatorBytes(x) & mask;
    const uint64_t line_ends = BytesEqual(x, '\n');
    odd |= separators & ~line_ends & ~BytesEqual(x, ' ');
    runs |= separators & (separators << 8 | carry);
    carry = separators >> 56;
    while (separators != 0) {
      const int bit = std::countr_zero(separators);
      positions[count] = static_cast<uint32_t>(at + static_cast<size_t>(bit >> 3));
      newlines[lines] = static_cast<uint32_t>(count);
      lines += line_ends >> bit & 1;
      ++count;
      separators &= separators - 1;
    }
  };
  size_t at = 0;
  for (; at + 8 <= size; at += 8) word(LoadLittleEndian(data + at, 8), at, ~uint64_t{0});
  if (at < size) word(LoadLittleEndian(data + at, size - at), at, (uint64_t{1} << (8 * (size - at))) - 1);
  if (size > 0 && data[size - 1] != '\n') {
    positions[count] = static_cast<uint32_t>(size);
    newlines[lines++] = static_cast<uint32_t>(count++);
  }
  out->count = count;
  out->line_count = lines;
  out->odd = odd != 0;
  out->runs = runs != 0;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_LINES_SEPARATORS_H_
