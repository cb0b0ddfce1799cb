// The column kernels over words of eight bytes, for any instruction set. Built-in types only: see text_indexer.h.
#ifndef VPCFLOW_SRC_SIMD_COLUMNS_H_
#define VPCFLOW_SRC_SIMD_COLUMNS_H_

#include "src/simd/kernels.h"
#include "vpcflow/internal/digits.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {  // a copy of its own for each unit, compiled for its instruction set

inline uint32_t Load4(const char* p) {
  uint32_t x;
  __builtin_memcpy(&x, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap32(x);
#endif
  return x;
}

// Columns one by one, each by One(column, max_digits, max, out, left), which returns how many it left.
template <size_t (*One)(const TokenColumn&, size_t, uint64_t, int64_t*, uint32_t*)>
void EachColumn(const TokenColumn& records, IntegerColumn* columns, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    IntegerColumn& to = columns[i];
    TokenColumn column = records;
    column.begins += to.place;
    column.ends += to.place;
    to.n_left = One(column, to.max_digits, to.max, to.out, to.left);
  }
}

inline size_t SwarIntegers(const TokenColumn& c, size_t max_digits, uint64_t max, int64_t* out, uint32_t* left) {
  size_t n_left = 0;
  for (size_t i = 0; i < c.count; ++i) {
    const uint32_t at = c.records[i];
    const uint32_t end = c.ends[at], size = end - (c.begins[at] + c.bias);
    uint64_t value = 0, bad = 1;
    if (size - 1 < 8 && end >= 8) {
      const uint64_t x = DigitsBefore(c.data + end, size);
      bad = NotDigits(x);
      value = EightDigits(x);
    } else if (size - 1 < max_digits && end >= 16) {
      const uint64_t low = DigitsBefore(c.data + end, 8), high = DigitsBefore(c.data + end - 8, size - 8);
      bad = NotDigits(low) | NotDigits(high);
      value = EightDigits(high) * 100000000 + EightDigits(low);
    }
    bad |= static_cast<uint64_t>(value > max);
    const bool null = size == 1 && c.data[end - 1] == '-';
    out[i] = null ? kNullInteger : static_cast<int64_t>(value);
    left[n_left] = static_cast<uint32_t>(i);
    n_left += bad != 0 && !null;
  }
  return n_left;
}

// One part of a dotted quad: the `size` digits before `end`. Sets bits of *bad unless it is 0 to 255 without leading
// zeros.
inline uint32_t Octet(const char* end, uint32_t size, uint32_t* bad) {
  constexpr uint32_t kLeast[4] = {0, 0, 10, 100};
  const uint32_t x = (Load4(end - 4) ^ 0x30303030u) & static_cast<uint32_t>(uint64_t{0xFFFFFFFF} << (32 - 8 * size));
  *bad |= ((x + 0x76767676u) | x) & 0x80808080u;
  const uint32_t value = (x >> 24) + 10 * (x >> 16 & 255) + 100 * (x >> 8 & 255);
  *bad |= static_cast<uint32_t>(value > 255) | static_cast<uint32_t>(value < kLeast[size & 3]);
  return value & 255;
}

// A bit for each '.' among eight bytes.
inline uint32_t Dots(uint64_t x) {
  constexpr uint64_t kHighs = 0x8080808080808080ull;
  const uint64_t y = x ^ 0x2E2E2E2E2E2E2E2Eull;
  const uint64_t dots = ~(((y & ~kHighs) + ~kHighs) | y) & kHighs;
  return static_cast<uint32_t>((dots >> 7) * 0x0102040810204080ull >> 56);
}

inline size_t SwarAddresses(const TokenColumn& c, uint64_t* out, uint32_t* left) {
  size_t n_left = 0;
  for (size_t i = 0; i < c.count; ++i) {
    const uint32_t at = c.records[i];
    const uint32_t begin = c.begins[at] + c.bias, size = c.ends[at] - begin;
    out[i] = 0;
    left[n_left++] = static_cast<uint32_t>(i);
    const char* p = c.data + begin;
    if (size == 1 && *p == '-') {
      --n_left;
      continue;
    }
    if (size - 7 > 8 || begin < 4 || begin + 16 > c.size) continue;
    uint32_t dots = (Dots(Load8(p)) | Dots(Load8(p + 8)) << 8) & ((1u << size) - 1);
    if (dots == 0) continue;
    const auto a = static_cast<uint32_t>(__builtin_ctz(dots));
    dots &= dots - 1;
    if (dots == 0) continue;
    const auto b = static_cast<uint32_t>(__builtin_ctz(dots));
    dots &= dots - 1;
    if (dots == 0 || (dots & (dots - 1)) != 0) continue;
    const auto d = static_cast<uint32_t>(__builtin_ctz(dots));
    const uint32_t sizes[4] = {a, b - a - 1, d - b - 1, size - d - 1};
    if (sizes[0] - 1 > 2 || sizes[1] - 1 > 2 || sizes[2] - 1 > 2 || sizes[3] - 1 > 2) continue;
    uint32_t bad = 0;
    const uint32_t address = Octet(p + a, sizes[0], &bad) << 24 | Octet(p + b, sizes[1], &bad) << 16 |
                             Octet(p + d, sizes[2], &bad) << 8 | Octet(p + size, sizes[3], &bad);
    out[i] = uint64_t{1} << 32 | address;
    n_left -= bad == 0;
  }
  return n_left;
}

// Leaves them all to the scalar parser.
inline void NoIpv6(const TokenColumn&, const uint32_t*, size_t n, uint64_t*, uint8_t* good) {
  for (size_t i = 0; i < n; ++i) good[i] = 0;
}

// Masks that keep the last n of 32 bytes, by words.
struct KeepLast {
  uint64_t words[kRecentBytes + 1][4];
  static constexpr KeepLast Make() {
    KeepLast keep{};
    for (size_t n = 0; n <= kRecentBytes; ++n) {
      for (size_t w = 0; w < 4; ++w) {
        const size_t before = 8 * (3 - w), kept = n < before ? 0 : n - before < 8 ? n - before : 8;
        keep.words[n][w] = kept == 0 ? 0 : ~uint64_t{0} << (64 - 8 * kept);
      }
    }
    return keep;
  }
};
constexpr KeepLast kKeepLast = KeepLast::Make();

// No branches on texts: what comes next cannot be foreseen.
inline size_t SwarTexts(const TokenColumn& c, const RecentText* recent, uint32_t* codes, uint32_t* left) {
  size_t n_left = 0, i = 0;
  while (i < c.count && c.ends[c.records[i]] < kRecentBytes) left[n_left++] = static_cast<uint32_t>(i++);
  for (; i < c.count; ++i) {
    const uint32_t at = c.records[i], size = c.ends[at] - (c.begins[at] + c.bias);
    const char* const text = c.data + c.ends[at] - kRecentBytes;
    const uint64_t* keep = kKeepLast.words[size <= kRecentBytes ? size : 0];
    const uint64_t last = Load8(text + 24) & keep[3];
    const RecentText& entry = recent[RecentText::Slot(last)];
    const uint64_t other = (last ^ entry.words[3]) | ((Load8(text + 16) & keep[2]) ^ entry.words[2]) |
                           ((Load8(text + 8) & keep[1]) ^ entry.words[1]) | ((Load8(text) & keep[0]) ^ entry.words[0]);
    codes[i] = entry.code;
    left[n_left] = static_cast<uint32_t>(i);
    n_left += other != 0;
  }
  return n_left;
}

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_COLUMNS_H_
