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

// Two passes over a few addresses at a time: where their dots are, and the conversion, two at once. In one pass the
// steps from a record's number to its address depend on each other, and too few of them are under way at once.
inline size_t ShuffledAddresses(const TokenColumn& c, uint64_t* out, uint32_t* left) {
  constexpr size_t kChunk = 64;
  const __m128i dot = _mm_set1_epi8('.');
  const __m256i zero = _mm256_set1_epi8('0'), nine = _mm256_set1_epi8(9), most = _mm256_set1_epi32(255);
  const __m256i weights = _mm256_set1_epi32(0x00010A64), ones = _mm256_set1_epi16(1);
  // The parts' low bytes, the first part highest, and zeros.
  const __m256i gather = _mm256_set_epi64x(-1, 0xFFFFFFFF0004080C, -1, 0xFFFFFFFF0004080C);
  const char* const data = c.data;
  const uint32_t *const begins = c.begins, *const ends = c.ends;
  const uint32_t bias = c.bias;
  size_t n_left = 0, count = c.count;
  while (count > 0 && begins[c.records[count - 1]] + size_t{bias} + 16 > c.size) --count;
  for (size_t first = 0; first < count; first += kChunk) {
    const uint32_t* const records = c.records + first;
    const size_t n = count - first < kChunk ? count - first : kChunk;
    uint32_t places[kChunk + 1];
    uint16_t shapes[kChunk + 1];
    uint8_t odd[kChunk + 1];
    for (size_t i = 0; i < n; ++i) {
      const uint32_t at = records[i], begin = begins[at] + bias, size = ends[at] - begin;
      const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + begin));
      const auto dots = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, dot)));
      const uint32_t bits = _bzhi_u32(dots, size) | 1u << (size & 31);
      const uint32_t slot = QuadTable::Slot(bits);
      places[i] = begin;
      shapes[i] = static_cast<uint16_t>(slot);
      odd[i] = (size > 15) | (kQuads.shapes[slot].bits != bits);
    }
    places[n] = places[n - 1];
    shapes[n] = shapes[n - 1];
    odd[n] = 0;
    for (size_t i = 0; i < n; i += 2) {
      const QuadShape &a = kQuads.shapes[shapes[i]], &b = kQuads.shapes[shapes[i + 1]];
      const __m256i text = Pair(data + places[i], data + places[i + 1]);
      const __m256i digits = _mm256_shuffle_epi8(_mm256_sub_epi8(text, zero), Pair(a.shuffle, b.shuffle));
      const __m256i parts = _mm256_madd_epi16(_mm256_maddubs_epi16(digits, weights), ones);
      const __m256i bad = _mm256_or_si256(
          _mm256_xor_si256(_mm256_max_epu8(digits, nine), nine),
          _mm256_or_si256(_mm256_cmpgt_epi32(parts, most), _mm256_cmpgt_epi32(Pair(a.least, b.least), parts)));
      const __m256i addresses = _mm256_shuffle_epi8(parts, gather);
      const __m128i two =
          _mm_or_si128(_mm_unpacklo_epi64(_mm256_castsi256_si128(addresses), _mm256_extracti128_si256(addresses, 1)),
                       _mm_set1_epi64x(int64_t{1} << 32));
      if (i + 1 < n) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + first + i), two);
      } else {
        _mm_storel_epi64(reinterpret_cast<__m128i*>(out + first + i), two);
      }
      const bool plain = (_mm256_testz_si256(bad, bad) != 0) & ((odd[i] | odd[i + 1]) == 0);
      if (__builtin_expect(!plain, false)) {
        const auto good = static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bad, _mm256_setzero_si256())));
        for (size_t k = i; k < i + 2 && k < n; ++k) {
          const bool null = (data[places[k]] == '-') & (ends[records[k]] - places[k] == 1);
          if (null) out[first + k] = 0;
          left[n_left] = static_cast<uint32_t>(first + k);
          n_left += null ? 0 : (odd[k] != 0) | ((good >> (16 * (k - i)) & 0xFFFF) != 0xFFFF);
        }
      }
    }
  }
  for (; count < c.count; ++count) left[n_left++] = static_cast<uint32_t>(count);
  return n_left;
}

inline size_t VectorTexts(const TokenColumn& c, const RecentText* recent, uint32_t* codes, uint32_t* left) {
  const char* const data = c.data - kRecentBytes;
  const uint32_t *const records = c.records, *const begins = c.begins, *const ends = c.ends;
  const uint32_t bias = c.bias;
  size_t n_left = 0, i = 0;
  while (i < c.count && ends[records[i]] < kRecentBytes) left[n_left++] = static_cast<uint32_t>(i++);
  for (; i < c.count; ++i) {
    const uint32_t at = records[i];
    const size_t end = ends[at], size = end - begins[at] - bias;
    const uint64_t* const keep = kKeepLast.words[size <= kRecentBytes ? size : 0];
    const __m256i text = _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + end)),
                                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keep)));
    const RecentText& entry = recent[RecentText::Slot(Load8(data + end + 24) & keep[3])];
    const __m256i other = _mm256_xor_si256(text, _mm256_load_si256(reinterpret_cast<const __m256i*>(entry.words)));
    codes[i] = entry.code;
    left[n_left] = static_cast<uint32_t>(i);
    n_left += _mm256_testz_si256(other, other) == 0;
  }
  return n_left;
}

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_COLUMNS_X86_H_
