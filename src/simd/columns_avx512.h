// Whole numbers for AVX-512: a record at a time, up to eight of its columns at once.
//
// Column by column, most of the work is finding each value: three loads, its size, its mask. The tokens of one record
// stand side by side, so here sizes and masks of eight columns come from two loads, and the text of the record from
// the first-level cache. Eight records of eight columns are turned to columns in registers.
#ifndef VPCFLOW_SRC_SIMD_COLUMNS_AVX512_H_
#define VPCFLOW_SRC_SIMD_COLUMNS_AVX512_H_

#include "src/simd/columns_x86.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Up to eight columns whose places differ by less than 16.
class RecordIntegers {
 public:
  RecordIntegers(const TokenColumn& records, IntegerColumn* columns, size_t n)
      : c_(records), columns_(columns), n_(n), base_(columns[0].place) {
    // Even columns before odd ones: packing two vectors then puts the values in the order of the columns.
    alignas(64) uint32_t pick[16] = {};
    alignas(32) uint32_t limits[8];
    alignas(64) int64_t most[8];
    for (size_t i = 0; i < 8; ++i) {
      const IntegerColumn& by_mask = columns[Used(i < 4 ? 2 * i : 2 * i - 7)];
      pick[i] = by_mask.place - base_;
      limits[i] = by_mask.max_digits;
      const IntegerColumn& by_number = columns[Used(i)];
      most[i] = by_number.max > INT64_MAX ? INT64_MAX : static_cast<int64_t>(by_number.max);
      columns[Used(i)].n_left = 0;
    }
    pick_ = _mm512_load_si512(pick);
    limits_ = _mm256_load_si256(reinterpret_cast<const __m256i*>(limits));
    most_ = _mm512_load_si512(most);
  }

  void Run() {
    size_t i = 0;
    for (; i < c_.count && c_.ends[c_.records[i] + base_] < 16; ++i) {
      for (size_t k = 0; k < n_; ++k) columns_[k].left[columns_[k].n_left++] = static_cast<uint32_t>(i);
    }
    while (i < c_.count) {
      const size_t rows = c_.count - i < 8 ? c_.count - i : 8;
      // Two passes, so that the steps of a value wait less for each other.
      bool odd = Find(i, rows);
      odd |= Convert(rows);
      if (odd) {
        for (size_t r = 0; r < rows; ++r) Settle(r, static_cast<uint32_t>(i + r));
      }
      if (rows == 8) {
        Turn(i);
      } else {
        for (size_t k = 0; k < n_; ++k) {
          for (size_t r = 0; r < rows; ++r) columns_[k].out[i + r] = values_[r][k];
        }
      }
      i += rows;
    }
  }

 private:
  size_t Used(size_t k) const { return k < n_ ? k : 0; }  // columns that are not there stand for the first one

  // Where the values are, and which of the sixteen bytes before their end are theirs. True if a size is wrong.
  bool Find(size_t i, size_t rows) {
    const __m256i bias = _mm256_set1_epi32(static_cast<int>(c_.bias)), one = _mm256_set1_epi32(1);
    // Copies, which stores cannot change.
    const __m512i pick = pick_;
    const __m256i limits = limits_;
    const uint32_t *const records = c_.records + i, *const all_begins = c_.begins + base_,
                          *const all_ends = c_.ends + base_;
    __m256i wrong = _mm256_setzero_si256();
    for (size_t r = 0; r < rows; ++r) {
      const size_t at = records[r];
      const __m512i ends = _mm512_permutexvar_epi32(pick, _mm512_loadu_si512(all_ends + at));
      const __m512i begins = _mm512_permutexvar_epi32(pick, _mm512_loadu_si512(all_begins + at));
      const __m256i end = _mm512_castsi512_si256(ends);
      const __m256i size = _mm256_sub_epi32(_mm256_sub_epi32(end, bias), _mm512_castsi512_si256(begins));
      wrong = _mm256_or_si256(wrong, _mm256_or_si256(_mm256_sub_epi32(size, one), _mm256_sub_epi32(limits, size)));
      // The last `size` of sixteen bits.
      const __m256i keep = _mm256_and_si256(_mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(0xFFFF0000u)), size),
                                            _mm256_set1_epi32(0xFFFF));
      _mm_store_si128(reinterpret_cast<__m128i*>(keep_[r]),
                      _mm_packus_epi32(_mm256_castsi256_si128(keep), _mm256_extracti128_si256(keep, 1)));
      _mm256_store_si256(reinterpret_cast<__m256i*>(ends_[r]), end);
      _mm256_store_si256(reinterpret_cast<__m256i*>(sizes_[r]), size);
    }
    return _mm256_movemask_ps(_mm256_castsi256_ps(wrong)) != 0;
  }

  // The values. True if one is not of digits or too large.
  bool Convert(size_t rows) {
    const __m512i zero = _mm512_set1_epi8('0'), nine = _mm512_set1_epi8(9);
    const __m512i tens = _mm512_set1_epi16(0x010A), hundreds = _mm512_set1_epi32(0x00010064);
    const __m512i most = most_;
    const char* const data = c_.data - 16;
    uint64_t odd = 0;
    for (size_t r = 0; r < rows; ++r) {
      const __m512i even = _mm512_maskz_sub_epi8(keep_[r][0], Four(data, ends_[r]), zero);
      const __m512i uneven = _mm512_maskz_sub_epi8(keep_[r][1], Four(data, ends_[r] + 4), zero);
      odd |= no_digits_[r][0] = _mm512_cmpgt_epu8_mask(even, nine);
      odd |= no_digits_[r][1] = _mm512_cmpgt_epu8_mask(uneven, nine);
      const __m512i parts =
          _mm512_madd_epi16(_mm512_packus_epi32(_mm512_madd_epi16(_mm512_maddubs_epi16(even, tens), hundreds),
                                                _mm512_madd_epi16(_mm512_maddubs_epi16(uneven, tens), hundreds)),
                            _mm512_set1_epi32(0x00012710));
      const __m512i values =
          _mm512_add_epi64(_mm512_mul_epu32(parts, _mm512_set1_epi64(100000000)), _mm512_srli_epi64(parts, 32));
      odd |= above_[r] = _mm512_cmpgt_epi64_mask(values, most);
      _mm512_store_si512(values_[r], values);
    }
    return odd != 0;
  }

  // The sixteen bytes from four places on.
  static __m512i Four(const char* data, const uint32_t* ends) {
    const auto text = [&](size_t k) __attribute__((always_inline)) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + ends[k]));
    };
    const __m512i two = _mm512_inserti32x4(_mm512_castsi128_si512(text(0)), text(1), 1);
    return _mm512_inserti32x4(_mm512_inserti32x4(two, text(2), 2), text(3), 3);
  }

  // Of a record with values that are not plain: nulls, and what is for the caller. Nulls are one byte that is '-'; no
  // branch on them, as in logs of many NODATA records they cannot be foreseen.
  void Settle(size_t r, uint32_t row) {
    constexpr uint64_t kLast = 0x8000800080008000ull;
    const __m256i sizes = _mm256_load_si256(reinterpret_cast<const __m256i*>(sizes_[r]));
    const auto signs = [](__m256i x) {
      return static_cast<uint64_t>(
          _mm256_movemask_ps(_mm256_castsi256_ps(x)));  // a bit for each: even columns, then odd ones
    };
    const __m256i one = _mm256_set1_epi32(1);
    const uint64_t wrong = signs(_mm256_or_si256(_mm256_sub_epi32(sizes, one), _mm256_sub_epi32(limits_, sizes)));
    const uint64_t single = signs(_mm256_cmpeq_epi32(sizes, one));
    // Alone, '-' - '0' is a value of 253.
    const uint64_t dash = _mm512_cmpeq_epi64_mask(_mm512_load_si512(values_[r]), _mm512_set1_epi64(253));
    const uint64_t null_even = _pext_u64(no_digits_[r][0], kLast) & single & _pext_u64(dash, 0x55);
    const uint64_t null_uneven = _pext_u64(no_digits_[r][1], kLast) & single >> 4 & _pext_u64(dash, 0xAA);
    const uint64_t null = _pdep_u64(null_even, 0x55) | _pdep_u64(null_uneven, 0xAA);
    const uint64_t no_digits[2] = {no_digits_[r][0] & ~_pdep_u64(null_even, kLast),
                                   no_digits_[r][1] & ~_pdep_u64(null_uneven, kLast)};
    const uint64_t above = above_[r] & ~null;
    _mm512_mask_store_epi64(values_[r], static_cast<__mmask8>(null), _mm512_set1_epi64(kNullInteger));
    if ((no_digits[0] | no_digits[1] | wrong | above) == 0) return;
    for (size_t k = 0; k < n_; ++k) {
      const bool plain =
          ((no_digits[k & 1] >> (k / 2 * 16) & 0xFFFF) | (wrong >> ((k & 1) * 4 + k / 2) & 1) | (above >> k & 1)) == 0;
      if (!plain) columns_[k].left[columns_[k].n_left++] = row;
    }
  }

  // Eight records of eight values to eight columns, at row i: pairs, then fours, then all.
  void Turn(size_t i) {
    __m512i pairs[8], fours[8];
    for (size_t k = 0; k < 8; k += 2) {
      const __m512i a = _mm512_load_si512(values_[k]), b = _mm512_load_si512(values_[k + 1]);
      pairs[k] = _mm512_unpacklo_epi64(a, b);
      pairs[k + 1] = _mm512_unpackhi_epi64(a, b);
    }
    for (size_t h = 0; h < 8; h += 4) {
      for (size_t k = 0; k < 2; ++k) {
        fours[h + k] = _mm512_shuffle_i64x2(pairs[h + k], pairs[h + k + 2], 0x88);
        fours[h + k + 2] = _mm512_shuffle_i64x2(pairs[h + k], pairs[h + k + 2], 0xDD);
      }
    }
    const auto put = [&](size_t k, __m512i column) __attribute__((always_inline)) {
      if (k < n_) _mm512_storeu_si512(columns_[k].out + i, column);
    };
    for (size_t k = 0; k < 2; ++k) {
      put(k, _mm512_shuffle_i64x2(fours[k], fours[k + 4], 0x88));
      put(k + 4, _mm512_shuffle_i64x2(fours[k], fours[k + 4], 0xDD));
      put(k + 2, _mm512_shuffle_i64x2(fours[k + 2], fours[k + 6], 0x88));
      put(k + 6, _mm512_shuffle_i64x2(fours[k + 2], fours[k + 6], 0xDD));
    }
  }

  const TokenColumn c_;
  IntegerColumn* const columns_;
  const size_t n_;
  const uint32_t base_;
  __m512i pick_, most_;
  __m256i limits_;
  // Of eight records: even columns before odd ones, but for values and `above`.
  alignas(32) uint32_t ends_[8][8];
  alignas(32) uint32_t sizes_[8][8];
  alignas(16) uint64_t keep_[8][2];  // a bit for each of the sixteen bytes before an end
  uint64_t no_digits_[8][2];         // likewise
  uint64_t above_[8];                // a bit for each
  alignas(64) int64_t values_[8][8];
};

inline void IntegersByRecord(const TokenColumn& records, IntegerColumn* columns, size_t n) {
  constexpr size_t kWorthIt = 5;  // columns at once; fewer go one by one
  for (size_t i = 0; i < n;) {
    size_t group = 1;
    while (group < 8 && i + group < n && columns[i + group].place - columns[i].place < 16) ++group;
    if (group >= kWorthIt) {
      RecordIntegers(records, columns + i, group).Run();
    } else {
      EachColumn<PairedIntegers>(records, columns + i, group);
    }
    i += group;
  }
}

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_COLUMNS_AVX512_H_
