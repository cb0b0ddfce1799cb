// Fuzz targets: one function each, which takes any bytes and must not crash, hang, or find a contradiction.
//
// Every target is linked twice: with libFuzzer where the compiler is clang (VPCFLOW_FUZZ), and with main.cc, which
// needs no clang: it replays files and mutates with a fixed seed.
#ifndef VPCFLOW_TESTS_FUZZ_TARGETS_H_
#define VPCFLOW_TESTS_FUZZ_TARGETS_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace vpcflow_fuzz {

struct Target {
  const char* name;
  void (*run)(std::string_view bytes);
  // Inputs to begin with: what the target reads in good times.
  std::vector<std::string> (*seeds)();
};
const std::vector<Target>& Targets();
std::vector<Target> ExpressionTargets();  // some of them
std::vector<Target> StateTargets();
std::vector<Target> DetectTargets();
std::vector<Target> ArrowTargets();
std::vector<Target> JsonTargets();
std::vector<Target> EventTargets();

// A contradiction: says where, and ends the process as a crash.
#define VPCFLOW_FUZZ_CHECK(condition)                                                \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                  \
    }                                                                                \
  } while (false)

}  // namespace vpcflow_fuzz

#endif  // VPCFLOW_TESTS_FUZZ_TARGETS_H_
