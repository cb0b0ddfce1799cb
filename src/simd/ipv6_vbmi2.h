// IPv6 addresses for AVX-512 with VBMI2: the colons tell where each group ends; all eight are brought to their places
// by one permutation of the text's bytes.
#ifndef VPCFLOW_SRC_SIMD_IPV6_VBMI2_H_
#define VPCFLOW_SRC_SIMD_IPV6_VBMI2_H_

#include <immintrin.h>

#include "src/simd/kernels.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// The 32 hexadecimal digits of an IPv6 address, 0 for ones left out, to two words. False if one is no digit.
inline bool HexDigits(__m256i x, uint64_t* words) {
  x = _mm256_or_si256(x, _mm256_and_si256(_mm256_cmpeq_epi8(x, _mm256_setzero_si256()), _mm256_set1_epi8('0')));
  const __m256i digit = _mm256_sub_epi8(x, _mm256_set1_epi8('0'));
  const __m256i letter = _mm256_sub_epi8(_mm256_or_si256(x, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a'));
  const __m256i is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(digit, _mm256_set1_epi8(9)), digit);
  const __m256i is_letter = _mm256_cmpeq_epi8(_mm256_min_epu8(letter, _mm256_set1_epi8(5)), letter);
  const __m256i values = _mm256_blendv_epi8(_mm256_add_epi8(letter, _mm256_set1_epi8(10)), digit, is_digit);
  const __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi16(0x0110));
  const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
  words[0] = __builtin_bswap64(static_cast<uint64_t>(_mm_cvtsi128_si64(bytes)));
  words[1] = __builtin_bswap64(static_cast<uint64_t>(_mm_extract_epi64(bytes, 1)));
  return _mm256_movemask_epi8(_mm256_or_si256(is_digit, is_letter)) == -1;
}

// The numbers 0 to 63 as bytes.
alignas(64) constexpr auto kByteNumbers = [] {
  struct {
    uint8_t bytes[64];
  } numbers{};
  for (uint8_t i = 0; i < 64; ++i) numbers.bytes[i] = i;
  return numbers;
}();

// The address of `size` bytes, 2 to 39, at p, of which 64 can be read. False if it is not plain.
inline bool PlainIpv6(const char* p, uint32_t size, uint64_t* words) {
  const __m512i text = _mm512_loadu_si512(p);
  const uint64_t end = uint64_t{1} << size, all = end - 1;
  const uint64_t colons = _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(':')) & all;
  const uint64_t others = ~colons & all, gap = colons & colons >> 1;
  const uint64_t two = others & others >> 1, five = two & two >> 2 & others >> 4;  // that many in a row
  const auto parts = static_cast<uint32_t>(_mm_popcnt_u64(colons)) + 1;
  const bool shaped =
      ((colons & (end >> 1 | 1)) | five | (gap & (gap - 1))) == 0 && parts <= 8 && (gap != 0 || parts == 8);
  if (!shaped) return false;
  // A byte for each part: where it ends, and its size. The gap is an empty part; what is behind it moves up.
  const __m128i packed =
      _mm512_castsi512_si128(_mm512_maskz_compress_epi8(colons | end, _mm512_load_si512(kByteNumbers.bytes)));
  const auto ends = static_cast<uint64_t>(_mm_cvtsi128_si64(packed));
  const uint64_t sizes = _bzhi_u64(ends - ((ends + 0x0101010101010101ull) << 8), 8 * parts);
  const auto empty = static_cast<uint32_t>(_mm_popcnt_u64(colons & (gap - 1))) + 1;  // parts, if there is no gap
  const uint64_t before = _bzhi_u64(~uint64_t{0}, 8 * (empty + 1));
  const auto moved = [&](uint64_t x) { return (x & before) | (x & ~before) << (8 * (8 - parts)); };
  const __m256i four =
      _mm256_set_epi64x(0x0707070706060606, 0x0505050504040404, 0x0303030302020202, 0x0101010100000000);
  const auto each = [&](uint64_t x) {  // each of eight bytes four times
    return _mm256_shuffle_epi8(_mm256_set1_epi64x(static_cast<int64_t>(x)), four);
  };
  const __m256i places = _mm256_add_epi8(each(moved(ends)), _mm256_set1_epi32(static_cast<int>(0xFFFEFDFC)));
  const __m256i there = _mm256_cmpgt_epi8(each(moved(sizes)), _mm256_set1_epi32(0x00010203));
  const __m512i digits = _mm512_permutexvar_epi8(_mm512_castsi256_si512(places), text);
  return HexDigits(_mm256_and_si256(_mm512_castsi512_si256(digits), there), words);
}

inline void Vbmi2Ipv6(const TokenColumn& c, const uint32_t* rows, size_t n, uint64_t* words, uint8_t* good) {
  for (size_t i = 0; i < n; ++i) {
    const uint32_t at = c.records[rows[i]], begin = c.begins[at] + c.bias, size = c.ends[at] - begin;
    good[i] = size - 2 <= 37 && begin + size_t{64} <= c.size && PlainIpv6(c.data + begin, size, words + 2 * i);
  }
}

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_IPV6_VBMI2_H_
