// Bitmaps of 64 bytes by xsimd, for the unit that includes this with its architecture.
#ifndef VPCFLOW_SRC_SIMD_BITS_H_
#define VPCFLOW_SRC_SIMD_BITS_H_

#include "src/simd/bitmask.h"
#include "vpcflow/internal/text_indexer.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

template <class Arch>
struct XsimdBits {
  using Batch = xsimd::batch<uint8_t, Arch>;
  static constexpr unsigned kLanes = static_cast<unsigned>(Batch::size);

  static Batch LoadBatch(const char* p) { return Batch::load_unaligned(reinterpret_cast<const uint8_t*>(p)); }

  static Bitmaps Load(const char* p) {
    Bitmaps m{0, 0, 0};
    const Batch blank(uint8_t{0x20}), deleted(uint8_t{0x7F}), line_end(uint8_t{'\n'});
    for (unsigned at = 0; at < 64; at += kLanes) {
      const Batch x = LoadBatch(p + at);
      const uint64_t line_ends = BitMask(x == line_end);
      // x <= 0x20: there is no unsigned comparison before AVX-512.
      const uint64_t separators = BitMask((xsimd::min(x, blank) == x) | (x == deleted));
      m.separators |= separators << at;
      m.line_ends |= line_ends << at;
      m.odd |= (separators & ~line_ends & ~BitMask(x == blank)) << at;
    }
    return m;
  }
  static void Flatten(uint64_t bits, uint32_t base, uint32_t* out) {
#if XSIMD_WITH_AVX512F
    const __m512i places = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    for (uint32_t at = 0; at < 64; at += 16) {
      const auto part = static_cast<__mmask16>(bits >> at);
      const __m512i from = _mm512_add_epi32(places, _mm512_set1_epi32(static_cast<int>(base + at)));
      _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(part, from));
      out += __builtin_popcount(part);
    }
#else
    FlattenBits(bits, base, out);
#endif
  }
  static uint64_t Equal(const char* p, char c) {
    uint64_t bits = 0;
    for (unsigned at = 0; at < 64; at += kLanes)
      bits |= BitMask(LoadBatch(p + at) == Batch(static_cast<uint8_t>(c))) << at;
    return bits;
  }
};

template <class Arch>
void XsimdIndex(const char* data, size_t size, TokenArrays* out) {
  TextIndexer<XsimdBits<Arch>>(data, size, out).Run();
}

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_BITS_H_
