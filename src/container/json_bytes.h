// JsonBytes: sixteen bytes of JSON at a time, of the plainest kind.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_BYTES_H_
#define VPCFLOW_SRC_CONTAINER_JSON_BYTES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "vpcflow/lines/token_index.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr unsigned kJsonBytes = 16;

// A bit for each of sixteen bytes.
#if defined(__SSE2__)
class JsonBytes {
 public:
  explicit JsonBytes(const char* p) : x_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))) {}
  unsigned Equal(char c) const { return Bits(_mm_cmpeq_epi8(x_, _mm_set1_epi8(c))); }
  unsigned SameAs(const char* p) const {
    return Bits(_mm_cmpeq_epi8(x_, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  unsigned Digits() const {
    const __m128i value = _mm_xor_si128(x_, _mm_set1_epi8('0'));
    return Bits(_mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value));
  }
  // ASCII without control bytes: 0x20 to 0x7E.
  unsigned Printable() const { return Bits(_mm_cmplt_epi8(_mm_set1_epi8(0x1F), x_)) & ~Equal(0x7F); }

 private:
  static unsigned Bits(__m128i mask) { return static_cast<unsigned>(_mm_movemask_epi8(mask)); }
  __m128i x_;
};
#else
class JsonBytes {
 public:
  explicit JsonBytes(const char* p) : low_(SwarBits::Word(p)), high_(SwarBits::Word(p + 8)) {}
  unsigned Equal(char c) const {
    return Bits(SwarBits::BytesEqual(low_, static_cast<uint8_t>(c)),
                SwarBits::BytesEqual(high_, static_cast<uint8_t>(c)));
  }
  unsigned SameAs(const char* p) const {
    return Bits(SwarBits::BytesEqual(low_ ^ SwarBits::Word(p), 0),
                SwarBits::BytesEqual(high_ ^ SwarBits::Word(p + 8), 0));
  }
  unsigned Digits() const {
    return Bits(From(low_, '0') & ~From(low_, '9' + 1), From(high_, '0') & ~From(high_, '9' + 1));
  }
  unsigned Printable() const {
    return Bits(From(low_, 0x20) & ~From(low_, 0x7F), From(high_, 0x20) & ~From(high_, 0x7F));
  }

 private:
  // The high bits of bytes of ASCII that are at least `c`.
  static uint64_t From(uint64_t x, unsigned c) {
    return ((x & ~SwarBits::kHighs) + SwarBits::kOnes * (0x80 - c)) & ~x & SwarBits::kHighs;
  }
  static unsigned Bits(uint64_t low, uint64_t high) {
    return static_cast<unsigned>((SwarBits::Gather(low) & 0xFF) | (SwarBits::Gather(high) & 0xFF) << 8);
  }
  uint64_t low_, high_;
};
#endif

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_BYTES_H_
