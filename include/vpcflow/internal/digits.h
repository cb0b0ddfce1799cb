// Decimal digits by words of eight bytes. Built-in types only and always inlined, as kernels for other instruction sets
// include this too (internal/text_indexer.h says why).
//
// After Daniel Lemire, "Quickly parsing eight digits" (2018), and Johnny Lee before him.
#ifndef VPCFLOW_INTERNAL_DIGITS_H_
#define VPCFLOW_INTERNAL_DIGITS_H_

#include <stddef.h>
#include <stdint.h>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Eight bytes, the first one lowest.
[[gnu::always_inline]] inline uint64_t Load8(const char* p) {
  uint64_t x;
  __builtin_memcpy(&x, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64(x);
#endif
  return x;
}

// The values of the last n (1 to 8) of the eight digits before `end`, zero for the others.
[[gnu::always_inline]] inline uint64_t DigitsBefore(const char* end, size_t n) {
  return (Load8(end - 8) ^ 0x3030303030303030ull) & ~uint64_t{0} << (64 - 8 * n);
}

// Not zero if one of eight bytes is above 9.
[[gnu::always_inline]] inline uint64_t NotDigits(uint64_t values) {
  return ((values + 0x7676767676767676ull) | values) & 0x8080808080808080ull;
}

// The number of eight digit values, the first one lowest.
[[gnu::always_inline]] inline uint64_t EightDigits(uint64_t values) {
  values = values * 10 + (values >> 8);
  constexpr uint64_t kPairs = 0x000000FF000000FFull;
  return ((values & kPairs) * (100 + (1000000ull << 32)) + (values >> 16 & kPairs) * (1 + (10000ull << 32))) >> 32;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_INTERNAL_DIGITS_H_
