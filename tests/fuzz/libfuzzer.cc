// The same targets for libFuzzer; VPCFLOW_FUZZ_TARGET names the one, as each has a binary of its own.
#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const vpcflow_fuzz::Target* const target = [] {
    for (const vpcflow_fuzz::Target& t : vpcflow_fuzz::Targets()) {
      if (std::string_view(t.name) == VPCFLOW_FUZZ_TARGET) return &t;
    }
    std::abort();
  }();
  target->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
