// What Debian's xsimd 8.1 lacks: the comparison masks of a batch as bits (batch_bool::mask() came with 9.0).
#ifndef VPCFLOW_SRC_SIMD_BITMASK_H_
#define VPCFLOW_SRC_SIMD_BITMASK_H_

#include <stdint.h>

#include <xsimd/xsimd.hpp>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

#if XSIMD_WITH_SSE2
[[maybe_unused]] inline uint64_t BitMask(const xsimd::batch_bool<uint8_t, xsimd::sse2>& b) {
  return static_cast<uint32_t>(_mm_movemask_epi8(b.data));
}
#endif
#if XSIMD_WITH_AVX2
[[maybe_unused]] inline uint64_t BitMask(const xsimd::batch_bool<uint8_t, xsimd::avx2>& b) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(b.data));
}
#endif
#if XSIMD_WITH_AVX512BW
[[maybe_unused]] inline uint64_t BitMask(const xsimd::batch_bool<uint8_t, xsimd::avx512bw>& b) { return b.data; }
#endif
#if XSIMD_WITH_NEON64
[[maybe_unused]] inline uint64_t BitMask(const xsimd::batch_bool<uint8_t, xsimd::neon64>& b) {
  // Each lane keeps the bit of its place; three pairwise sums bring eight lanes into a byte.
  constexpr uint8_t kBits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t x = vandq_u8(b.data, vld1q_u8(kBits));
  x = vpaddq_u8(x, x);
  x = vpaddq_u8(x, x);
  x = vpaddq_u8(x, x);
  return vgetq_lane_u16(vreinterpretq_u16_u8(x), 0);
}
#endif

}  // namespace
}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_BITMASK_H_
