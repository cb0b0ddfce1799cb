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

// Where tokens are. Most often each begins behind the separator that ends the one before it, and one array tells all;
// known when it is compiled, that saves the loops registers and loads.
template <bool kAdjacent>
class Tokens {
 public:
  explicit Tokens(const TokenColumn& c) : begins_(c.begins), ends_(c.ends), bias_(c.bias) {}
  size_t Begin(uint32_t at) const {  // before the first token, the end is 2^32 - 1
    return kAdjacent ? ends_[static_cast<ptrdiff_t>(at) - 1] + 1 : begins_[at] + bias_;
  }
  size_t End(uint32_t at) const { return ends_[at]; }

 private:
  const uint32_t *const begins_, *const ends_;
  const uint32_t bias_;
};
inline bool AreAdjacent(const TokenColumn& c) { return c.bias == 1 && c.begins + 1 == c.ends; }

constexpr size_t kTogether = 4;  // records; whether any of them needs care is asked once

// Dotted quads: where their dots are, of all that go together, and then the conversion, two at once.
template <bool kAdjacent>
class QuadColumn {
 public:
  explicit QuadColumn(const TokenColumn& c) : c_(c), tokens_(c) {}

  size_t Run(uint64_t* out, uint32_t* left) {
    size_t count = c_.count, i = 0;
    while (count > 0 && tokens_.Begin(c_.records[count - 1]) + 16 > c_.size) --count;
    size_t odd = 0;  // of the last chunk: where there are many, they are not looked for
    while (i < count) {
      const size_t end = count - i < kChunk ? count : i + kChunk;
      const bool many = odd > kChunk / 4;
      odd = 0;
      for (; !many && i + kTogether <= end; i += kTogether) {
        if (__builtin_expect(!ConvertAll(c_.records + i, out + i), false)) odd += Settle(i, i + kTogether, out, left);
      }
      odd += Settle(i, end, out, left);
      i = end;
    }
    for (; count < c_.count; ++count) left[n_left_++] = static_cast<uint32_t>(count);
    return n_left_;
  }

 private:
  static constexpr size_t kChunk = 64;

  // What is not plain so far makes `odd` not zero.
  const QuadShape& ShapeOf(uint32_t at, const char** place, uint32_t* odd) const {
    const size_t begin = tokens_.Begin(at);
    const auto size = static_cast<uint32_t>(tokens_.End(at) - begin);
    *place = c_.data + begin;
    const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(*place));
    const auto dots = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('.'))));
    const uint32_t bits = _bzhi_u32(dots, size) | 1u << (size & 31);
    const QuadShape& shape = kQuads.shapes[QuadTable::Slot(bits)];
    *odd |= (shape.bits ^ bits) | (size & ~31u);  // no shape has a bit from 16 on
    return shape;
  }

  static __m128i ConvertTwo(const char* a, const char* b, const QuadShape& of_a, const QuadShape& of_b, __m256i* odd) {
    const __m256i weights = _mm256_set1_epi32(0x00010A64), ones = _mm256_set1_epi16(1);
    // Digits are at most 9, the fourth byte is not '0'.
    const __m256i least = _mm256_set1_epi32(0x01000000), span = _mm256_set1_epi32(static_cast<int>(0xFE090909));
    // The parts' low bytes, the first part highest, and zeros.
    const __m256i gather = _mm256_set_epi64x(-1, 0xFFFFFFFF0004080C, -1, 0xFFFFFFFF0004080C);
    const __m256i text = _mm256_sub_epi8(Pair(a, b), _mm256_set1_epi8('0'));
    const __m256i digits = _mm256_sub_epi8(_mm256_shuffle_epi8(text, Pair(of_a.shuffle, of_b.shuffle)), least);
    const __m256i parts = _mm256_madd_epi16(_mm256_maddubs_epi16(digits, weights), ones);
    *odd = _mm256_or_si256(*odd, _mm256_or_si256(_mm256_xor_si256(_mm256_max_epu8(digits, span), span),
                                                 _mm256_cmpgt_epi32(parts, _mm256_set1_epi32(255))));
    const __m256i addresses = _mm256_shuffle_epi8(parts, gather);
    return _mm_or_si128(_mm_unpacklo_epi64(_mm256_castsi256_si128(addresses), _mm256_extracti128_si256(addresses, 1)),
                        _mm_set1_epi64x(int64_t{1} << 32));
  }

  // False if one of them is not plain.
  bool ConvertAll(const uint32_t* records, uint64_t* out) const {
    const char* places[kTogether];
    const QuadShape* shapes[kTogether];
    uint32_t odd = 0;
    __m256i odd_bytes = _mm256_setzero_si256();
    for (size_t k = 0; k < kTogether; ++k) shapes[k] = &ShapeOf(records[k], &places[k], &odd);
    for (size_t k = 0; k < kTogether; k += 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + k),
                       ConvertTwo(places[k], places[k + 1], *shapes[k], *shapes[k + 1], &odd_bytes));
    }
    return (odd == 0) & (_mm256_testz_si256(odd_bytes, odd_bytes) != 0);
  }

  // One by one; returns how many are not plain. No branch on what they are: in logs of many NODATA records that is
  // unforeseeable.
  size_t Settle(size_t first, size_t last, uint64_t* out, uint32_t* left) {
    size_t odd_ones = 0;
    for (size_t i = first; i < last; ++i) {
      const uint32_t at = c_.records[i];
      const char* place;
      uint32_t odd = 0;
      __m256i odd_bytes = _mm256_setzero_si256();
      const QuadShape& shape = ShapeOf(at, &place, &odd);
      const auto address = static_cast<uint64_t>(_mm_cvtsi128_si64(ConvertTwo(place, place, shape, shape, &odd_bytes)));
      const bool null = (*place == '-') & (tokens_.End(at) - tokens_.Begin(at) == 1);
      const bool plain = (odd == 0) & (_mm256_testz_si256(odd_bytes, odd_bytes) != 0);
      out[i] = null ? 0 : address;
      left[n_left_] = static_cast<uint32_t>(i);
      n_left_ += (null | plain) ? 0 : 1;
      odd_ones += plain ? 0 : 1;
    }
    return odd_ones;
  }

  const TokenColumn c_;
  const Tokens<kAdjacent> tokens_;
  size_t n_left_ = 0;
};

inline size_t ShuffledAddresses(const TokenColumn& c, uint64_t* out, uint32_t* left) {
  return AreAdjacent(c) ? QuadColumn<true>(c).Run(out, left) : QuadColumn<false>(c).Run(out, left);
}

template <bool kAdjacent>
class TextColumn {
 public:
  TextColumn(const TokenColumn& c, const RecentText* recent)
      : data_(c.data - kRecentBytes), records_(c.records), count_(c.count), tokens_(c), recent_(recent) {}

  size_t Run(uint32_t* codes, uint32_t* left) const {
    size_t n_left = 0, i = 0;
    while (i < count_ && tokens_.End(records_[i]) < kRecentBytes) left[n_left++] = static_cast<uint32_t>(i++);
    const auto settle = [&](size_t last) {
      for (; i < last; ++i) {
        const __m256i odd = Look(i, codes);
        left[n_left] = static_cast<uint32_t>(i);
        n_left += _mm256_testz_si256(odd, odd) == 0;
      }
    };
    while (i + kTogether <= count_) {
      __m256i odd = _mm256_setzero_si256();
      for (size_t k = 0; k < kTogether; ++k) odd = _mm256_or_si256(odd, Look(i + k, codes));
      if (__builtin_expect(_mm256_testz_si256(odd, odd) == 0, false)) {
        settle(i + kTogether);
      } else {
        i += kTogether;
      }
    }
    settle(count_);
    return n_left;
  }

 private:
  // Writes the code of what the text's slot has, and returns where that is another text: not zero.
  __m256i Look(size_t i, uint32_t* codes) const {
    const uint32_t at = records_[i];
    const size_t end = tokens_.End(at), size = end - tokens_.Begin(at);
    const uint64_t* const keep = kKeepLast.words[size <= kRecentBytes ? size : 0];
    const __m256i text = _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(data_ + end)),
                                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keep)));
    const RecentText& entry = recent_[RecentText::Slot(Load8(data_ + end + 24) & keep[3])];
    codes[i] = entry.code;
    return _mm256_xor_si256(text, _mm256_load_si256(reinterpret_cast<const __m256i*>(entry.words)));
  }

  const char* const data_;
  const uint32_t* const records_;
  const size_t count_;
  const Tokens<kAdjacent> tokens_;
  const RecentText* const recent_;
};

inline size_t VectorTexts(const TokenColumn& c, const RecentText* recent, uint32_t* codes, uint32_t* left) {
  return AreAdjacent(c) ? TextColumn<true>(c, recent).Run(codes, left) : TextColumn<false>(c, recent).Run(codes, left);
}

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_COLUMNS_X86_H_
