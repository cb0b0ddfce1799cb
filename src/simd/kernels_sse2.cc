// The kernels for sse2.
#include "src/simd/bits.h"
#include "src/simd/columns.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

const Kernels* Sse2Kernels() {
  static constexpr Kernels kKernels = {
      "sse2", XsimdIndex<xsimd::sse2>, EachColumn<SwarIntegers>, SwarAddresses, NoIpv6, SwarTexts};
  return &kKernels;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
