// The column kernels for x86 with AVX2 and later: numbers two at a time, dotted quads by one byte shuffle each.
#ifndef VPCFLOW_SRC_SIMD_COLUMNS_X86_H_
#define VPCFLOW_SRC_SIMD_COLUMNS_X86_H_

#include <immintrin.h>

#include "src/simd/columns.h"
#include "src/simd/quads.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr QuadTable kQuads = QuadTable::Make();

// 16 bytes from kKeep + n on keep the last n of 16 bytes.
alignas(64) constexpr uint8_t kKeep[32] = {0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
                                           0,   0,   0,   0,   0,   255, 255, 255, 255, 255, 255,
                                           255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

inline __m256i Pair(const void* low, const void* high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(low))),
                                 _mm_loadu_si128(static_cast<const __m128i*>(high)), 1);
}

// Two values of up to 16 digits at once: bytes to pairs, to fours, to eights of digits by multiply-add. Values that are
// not plain are rare, so they may cost a branch.
inline size_t PairedIntegers(const TokenColumn& c, size_t max_digits, uint64_t max, int64_t* out, uint32_t* left) {
  const __m256i zero = _mm256_set1_epi8('0'), nine = _mm256_set1_epi8(9);
  const __m256i tens = _mm256_set1_epi16(0x010A), hundreds = _mm256_set1_epi32(0x00010064);
  const __m256i myriads = _mm256_set1_epi32(0x00012710), eights = _mm256_set1_epi64x(100000000);
  const __m256i most = _mm256_set1_epi64x(max > INT64_MAX ? INT64_MAX : static_cast<int64_t>(max));
  if (c.count == 0) return 0;
  const char* const data = c.data - 16;
  const uint32_t *const records = c.records, *const begins = c.begins, *const ends = c.ends;
  const uint32_t bias = c.bias;
  const size_t count = c.count;
  size_t n_left = 0, i = 0;
  while (i < count && ends[records[i]] < 16) left[n_left++] = static_cast<uint32_t>(i++);
  for (; i + 2 <= count; i += 2) {
    const uint32_t a = records[i], b = records[i + 1];
    const size_t end_a = ends[a], end_b = ends[b];
    const size_t size_a = end_a - begins[a] - bias, size_b = end_b - begins[b] - bias;
    uint32_t plain = 0;  // a bit for each byte of both
    if (__builtin_expect(size_a - 1 < max_digits && size_b - 1 < max_digits, true)) {
      const __m256i text = Pair(data + end_a, data + end_b);
      const __m256i digits = _mm256_and_si256(_mm256_sub_epi8(text, zero), Pair(kKeep + size_a, kKeep + size_b));
      const __m256i fours = _mm256_madd_epi16(_mm256_maddubs_epi16(digits, tens), hundreds);
      const __m256i halves = _mm256_madd_epi16(_mm256_packus_epi32(fours, fours), myriads);
      const __m256i values = _mm256_add_epi64(_mm256_mul_epu32(halves, eights), _mm256_srli_epi64(halves, 32));
      const __m256i bad =
          _mm256_or_si256(_mm256_xor_si256(_mm256_max_epu8(digits, nine), nine), _mm256_cmpgt_epi64(values, most));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                       _mm_unpacklo_epi64(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1)));
      plain = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bad, _mm256_setzero_si256())));
    }
    if (__builtin_expect(plain != ~uint32_t{0}, false)) {
      // No branch on which of the two it is: in logs of many NODATA records that is unforeseeable.
      const bool null_a = size_a == 1 && data[end_a + 15] == '-', null_b = size_b == 1 && data[end_b + 15] == '-';
      out[i] = null_a ? kNullInteger : out[i];
      out[i + 1] = null_b ? kNullInteger : out[i + 1];
      left[n_left] = static_cast<uint32_t>(i);
      n_left += (plain & 0xFFFF) != 0xFFFF && !null_a;
      left[n_left] = static_cast<uint32_t>(i + 1);
      n_left += plain >> 16 != 0xFFFF && !null_b;
    }
  }
  if (i < count) left[n_left++] = static_cast<uint32_t>(i);
  return n_left;
}

inline size_t ShuffledAddresses(const TokenColumn& c, uint64_t* out, uint32_t* left) {
  const __m128i dot = _mm_set1_epi8('.'), zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);
  const __m128i weights = _mm_set1_epi32(0x00010A64), ones = _mm_set1_epi16(1), most = _mm_set1_epi32(255);
  const __m128i gather = _mm_set1_epi32(0x0004080C);  // the parts' low bytes, the first part highest
  const char* const data = c.data;
  const uint32_t *const records = c.records, *const begins = c.begins, *const ends = c.ends;
  const uint32_t bias = c.bias;
  size_t n_left = 0, count = c.count;
  while (count > 0 && begins[records[count - 1]] + size_t{bias} + 16 > c.size) --count;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t at = records[i];
    const size_t begin = begins[at] + bias, size = ends[at] - begin;
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + begin));
    const auto dots = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, dot)));
    const uint32_t end_bit = 1u << (size & 31);
    const uint32_t bits = (dots & (end_bit - 1)) | end_bit;
    const QuadShape& shape = kQuads.shapes[QuadTable::Slot(bits)];
    const __m128i digits = _mm_shuffle_epi8(_mm_sub_epi8(text, zero), *reinterpret_cast<const __m128i*>(shape.shuffle));
    const __m128i parts = _mm_madd_epi16(_mm_maddubs_epi16(digits, weights), ones);
    const __m128i bad =
        _mm_or_si128(_mm_xor_si128(_mm_max_epu8(digits, nine), nine),
                     _mm_or_si128(_mm_cmpgt_epi32(parts, most),
                                  _mm_cmpgt_epi32(*reinterpret_cast<const __m128i*>(shape.least), parts)));
    const uint64_t address =
        uint64_t{1} << 32 | static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_shuffle_epi8(parts, gather)));
    // No branch on which are null: in logs of many NODATA records that is unforeseeable.
    const bool odd = (size > 15) | (shape.bits != bits) | (_mm_testz_si128(bad, bad) == 0);
    const bool null = (size == 1) & (data[begin] == '-');
    out[i] = null ? 0 : address;
    left[n_left] = static_cast<uint32_t>(i);
    n_left += odd & !null;
  }
  for (; count < c.count; ++count) left[n_left++] = static_cast<uint32_t>(count);
  return n_left;
}

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_COLUMNS_X86_H_
