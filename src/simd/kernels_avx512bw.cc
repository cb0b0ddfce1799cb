// The kernels for avx512bw.
#include "src/simd/bits.h"
#include "src/simd/columns_avx512.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

const Kernels* Avx512bwKernels() {
  static constexpr Kernels kKernels = {
      "avx512bw", XsimdIndex<xsimd::avx512bw>, IntegersByRecord, ShuffledAddresses, NoIpv6, VectorTexts};
  return &kKernels;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
