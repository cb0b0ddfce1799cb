// The kernels for 64-bit ARM, whose baseline has NEON.
#include "src/simd/bits.h"
#include "src/simd/columns.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

const Kernels* Neon64Kernels() {
  static constexpr Kernels kKernels = {
      "neon64", XsimdIndex<xsimd::neon64>, EachColumn<SwarIntegers>, SwarAddresses, NoIpv6, SwarTexts};
  return &kKernels;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
