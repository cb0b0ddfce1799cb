// The vector kernels of this build: which are there, and which are in use. docs/explanation/performance-engine.md says what they do.
//
// Example:
//   std::cout << vpcflow::ActiveKernelName();   // "avx2"
#ifndef VPCFLOW_SIMD_SIMD_H_
#define VPCFLOW_SIMD_SIMD_H_

#include <optional>
#include <string_view>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Returns the name of the kernels in use: the best that the processor can run, or those that the environment variable
// VPCFLOW_FORCE_SIMD names ("swar", "sse2", "avx2", "avx512bw", "avx512vbmi2", "neon64"). Chosen at the first use, then
// never changed; any thread may ask.
std::string_view ActiveKernelName();

// Returns what VPCFLOW_FORCE_SIMD names if this build or processor does not have it, and nothing if all is well. The
// library itself prints nothing; a program that lets its users force kernels should report this.
std::optional<std::string_view> MissingForcedKernel();

// Returns the names of the kernels of this build that the processor can run, the portable one ("swar") first.
std::vector<std::string_view> UsableKernelNames();

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SIMD_SIMD_H_
