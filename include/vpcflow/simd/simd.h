// Which kernels this build has and uses; see docs/performance.md.
//
//   std::cout << vpcflow::ActiveKernelName();   // "avx2"
#ifndef VPCFLOW_SIMD_SIMD_H_
#define VPCFLOW_SIMD_SIMD_H_

#include <string_view>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// The kernels in use: the best that the processor can run, or those that the environment variable VPCFLOW_FORCE_SIMD
// names ("swar", "sse2", "avx2", "avx512bw", "neon64"). Settled at the first use.
std::string_view ActiveKernelName();

// Those of this build that the processor can run, the portable one ("swar") first.
std::vector<std::string_view> UsableKernelNames();

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SIMD_SIMD_H_
