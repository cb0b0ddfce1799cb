// The kernels for avx512bw.
#include "src/simd/bits.h"
#include "src/simd/columns_x86.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

const Kernels* Avx512bwKernels() {
  static constexpr Kernels kKernels = {"avx512bw", XsimdIndex<xsimd::avx512bw>, PairedIntegers, ShuffledAddresses};
  return &kKernels;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
