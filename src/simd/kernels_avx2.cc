// The kernels for avx2.
#include "src/simd/bits.h"
#include "src/simd/columns_x86.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

const Kernels* Avx2Kernels() {
  static constexpr Kernels kKernels = {
      "avx2", XsimdIndex<xsimd::avx2>, EachColumn<PairedIntegers>, ShuffledAddresses, NoIpv6, VectorTexts};
  return &kKernels;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
