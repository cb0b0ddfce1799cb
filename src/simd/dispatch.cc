// The portable kernels, and the choice among all.
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "src/simd/columns.h"
#include "vpcflow/lines/token_index.h"
#include "vpcflow/simd/simd.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

void SwarIndex(const char* data, size_t size, TokenArrays* out) { TextIndexer<SwarBits>(data, size, out).Run(); }

constexpr Kernels kSwar = {"swar", SwarIndex, EachColumn<SwarIntegers>, SwarAddresses, NoIpv6, SwarTexts};

#if defined(VPCFLOW_SIMD_X86)
// __builtin_cpu_supports asks the operating system too (XGETBV), which xsimd 8.1 does not. The AVX2 unit is compiled
// with BMI and POPCNT, which came with the same processors.
bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("popcnt");
}
bool HasAvx512bw() {  // and AVX512VL, which gcc uses in vinserti64x2 without being told to
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

const auto kBuilt = std::to_array<BuiltKernels>({
  {&kSwar, true},
#if defined(VPCFLOW_SIMD_X86)
      {Sse2Kernels(), true}, {Avx2Kernels(), HasAvx2()}, {Avx512bwKernels(), HasAvx512bw()},
      {Avx512Vbmi2Kernels(),
       HasAvx512bw() && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2")},
#elif defined(VPCFLOW_SIMD_NEON64)
      {Neon64Kernels(), true},
#endif
});

// The name that the environment asks for; empty for none.
std::string_view ForcedName() {
  const char* forced = std::getenv("VPCFLOW_FORCE_SIMD");
  return forced == nullptr ? "" : forced;
}

const Kernels& Choose() {
  const std::string_view forced = ForcedName();
  const Kernels* best = &kSwar;
  for (const BuiltKernels& built : kBuilt) {
    if (!built.usable) continue;
    if (forced == built.kernels->name) return *built.kernels;
    best = built.kernels;
  }
  return *best;
}

}  // namespace

size_t AllKernels(const BuiltKernels** out) {
  *out = kBuilt.data();
  return kBuilt.size();
}

const Kernels& ActiveKernels() {
  static const Kernels& active = Choose();
  return active;
}

}  // namespace internal

std::string_view ActiveKernelName() { return internal::ActiveKernels().name; }

std::vector<std::string_view> UsableKernelNames() {
  std::vector<std::string_view> names;
  for (const internal::BuiltKernels& built : internal::kBuilt) {
    if (built.usable) names.emplace_back(built.kernels->name);
  }
  return names;
}

std::optional<std::string_view> MissingForcedKernel() {
  static const std::string forced(internal::ForcedName());
  if (forced.empty() || forced == ActiveKernelName()) return std::nullopt;
  return std::string_view(forced);
}

VPCFLOW_NAMESPACE_END
