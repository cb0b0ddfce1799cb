// The hash of sketches: the same on every machine and in every version, as saved sketches are merged.
//
// Example:
//   uint64_t number = vpcflow::SketchHash(uint64_t{443});
//   uint64_t address = vpcflow::SketchHash(ip);
//   uint64_t text = vpcflow::SketchHash("eni-1");
#ifndef VPCFLOW_SKETCH_HASH_H_
#define VPCFLOW_SKETCH_HASH_H_

#include <cstdint>
#include <string_view>

#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Applies the finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection, so different numbers never collide.
constexpr uint64_t SketchHash(uint64_t value) {
  value += 0x9E3779B97F4A7C15ull;
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ull;
  value = (value ^ value >> 27) * 0x94D049BB133111EBull;
  return value ^ value >> 31;
}
constexpr uint64_t SketchHash(const Ip& ip) { return SketchHash(SketchHash(ip.hi) + ip.lo); }
constexpr uint64_t SketchHash(std::string_view text) {
  uint64_t hash = text.size();
  while (!text.empty()) {
    uint64_t word = 0;
    const size_t n = text.size() < 8 ? text.size() : 8;
    for (size_t i = 0; i < n; ++i) word |= static_cast<uint64_t>(static_cast<uint8_t>(text[i])) << (8 * i);
    hash = SketchHash(hash + word);
    text.remove_prefix(n);
  }
  return hash;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SKETCH_HASH_H_
