// Random numbers that are the same on every machine: xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64.
#ifndef VPCFLOW_SRC_SYNTH_RANDOM_H_
#define VPCFLOW_SRC_SYNTH_RANDOM_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "vpcflow/aggregate/total.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15ull;
      uint64_t z = seed;
      z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
      z = (z ^ z >> 27) * 0x94D049BB133111EBull;
      word = z ^ z >> 31;
    }
  }
  uint64_t Next() {
    const uint64_t out = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return out;
  }
  // In [0, n), n > 0 (Lemire's multiplication; the bias is below 2^-32 here).
  uint32_t Below(uint64_t n) { return static_cast<uint32_t>(static_cast<uint128>(Next()) * n >> 64); }
  uint32_t Between(uint32_t first, uint32_t last) { return first + Below(uint64_t{last} - first + 1); }
  // In [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double p) { return Unit() < p; }
  // About normal(0, 1): the sum of four 16-bit uniforms, which is close enough for sizes and costs one number.
  double Normal() {
    const uint64_t x = Next();
    const auto sum = static_cast<double>((x & 0xFFFF) + (x >> 16 & 0xFFFF) + (x >> 32 & 0xFFFF) + (x >> 48));
    return (sum * 0x1p-16 - 2) * 1.7320508;
  }

 private:
  uint64_t state_[4];
};

// Draws indices by weight in constant time (Walker's alias method).
class Sampler {
 public:
  Sampler() = default;
  explicit Sampler(const std::vector<double>& weights) : cut_(weights.size()), alias_(weights.size()) {
    double sum = 0;
    for (double w : weights) sum += w;
    std::vector<double> p;
    std::vector<uint32_t> small, large;
    for (uint32_t i = 0; i < weights.size(); ++i) {
      p.push_back(weights[i] / sum * static_cast<double>(weights.size()));
      (p[i] < 1 ? small : large).push_back(i);
      cut_[i] = 1;
      alias_[i] = i;
    }
    while (!small.empty() && !large.empty()) {
      const uint32_t a = small.back(), b = large.back();
      small.pop_back();
      cut_[a] = p[a];
      alias_[a] = b;
      p[b] -= 1 - p[a];
      if (p[b] < 1) {
        large.pop_back();
        small.push_back(b);
      }
    }
  }
  // Zipf's law with exponent s over n items in random order.
  static Sampler Zipf(uint32_t n, double s, Random* random) {
    std::vector<double> weights;
    for (uint32_t i = 1; i <= n; ++i) weights.push_back(std::pow(i, -s));
    for (uint32_t i = n; i > 1; --i) std::swap(weights[i - 1], weights[random->Below(i)]);
    return Sampler(weights);
  }
  uint32_t Draw(Random* random) const {
    const uint32_t i = random->Below(cut_.size());
    return random->Unit() < cut_[i] ? i : alias_[i];
  }

 private:
  std::vector<double> cut_;
  std::vector<uint32_t> alias_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SYNTH_RANDOM_H_
