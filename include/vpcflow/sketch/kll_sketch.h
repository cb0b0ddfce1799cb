// KllSketch: quantiles of any numbers by rank.
//
// Example:
//   vpcflow::KllSketch sizes;
//   sizes.Add(4249);
//   std::optional<uint64_t> median = sizes.Quantile(0.5);
//
// Error: the rank of the value that Quantile gives differs from q by no more than 1.65 % of the number of values in 99
// of 100 sketches (k = 200; measured over 100 seeds: docs/explanation/sketches.md). Memory: about 3 k numbers and the
// slack of growing arrays, 30 KB for k = 200, whatever comes.
//
// Merging keeps the bound in any order, but the state depends on the order: two merges of the same parts can hold other
// numbers. Plans, whose results must not depend on threads, use LogHistogram instead; this one is for ranks of numbers
// of any distribution in C++ programs of your own.
//
// Source: Z. Karnin, K. Lang, E. Liberty, Optimal quantile approximation in streams (FOCS 2016).
#ifndef VPCFLOW_SKETCH_KLL_SKETCH_H_
#define VPCFLOW_SKETCH_KLL_SKETCH_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "vpcflow/sketch/hash.h"
#include "vpcflow/sketch/log_histogram.h"
#include "vpcflow/state/bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one at once through const members; changes are for one thread alone.
class KllSketch {
 public:
  static constexpr uint32_t kDefaultK = 200;

  // `k`, 8 to 65,535, sets the accuracy; the error goes with 1 / k. `seed` decides which half of a level is kept.
  explicit KllSketch(uint32_t k = kDefaultK, uint64_t seed = 0)
      : k_(std::clamp<uint32_t>(k, kLeast, 65535)), dice_(seed) {
    SetLevels(1);
  }

  // Adds a value. Amortised O(log k).
  void Add(uint64_t value) {
    levels_[0].push_back(value);
    ++n_;
    ++held_;
    while (held_ > capacity_) Compress();
  }
  void Merge(const KllSketch& other) {
    if (&other == this) return Merge(KllSketch(other));
    if (levels_.size() < other.levels_.size()) SetLevels(other.levels_.size());
    for (size_t h = 0; h < other.levels_.size(); ++h)
      levels_[h].insert(levels_[h].end(), other.levels_[h].begin(), other.levels_[h].end());
    n_ += other.n_;
    held_ += other.held_;
    dice_ = SketchHash(dice_ ^ other.dice_);
    while (held_ > capacity_) Compress();
  }
  uint64_t count() const { return n_; }

  // Returns the value whose rank is about the share `q` (0 to 1) of the values; none without values. O(k log k).
  std::optional<uint64_t> Quantile(double q) const {
    if (n_ == 0) return std::nullopt;
    const std::vector<std::pair<uint64_t, uint64_t>> all = Weighted();
    const uint64_t rank = LogHistogram::RankOf(q, n_);  // of n_ at most, which is the sum of the weights
    auto at = all.begin();
    for (uint64_t seen = at->second; seen < rank; seen += at->second) ++at;
    return at->first;
  }
  // Returns the share of the values that are at most `value`, about. O(k).
  double Rank(uint64_t value) const {
    uint64_t below = 0;
    for (size_t h = 0; h < levels_.size(); ++h) {
      for (const uint64_t v : levels_[h]) below += v <= value ? uint64_t{1} << h : 0;
    }
    return n_ == 0 ? 0 : static_cast<double>(below) / static_cast<double>(n_);
  }

  size_t bytes() const {
    size_t bytes = levels_.capacity() * sizeof(levels_[0]);
    for (const auto& level : levels_) bytes += level.capacity() * sizeof(uint64_t);
    return bytes;
  }

  void Write(StateWriter* out) const {
    out->Word(k_);
    out->Word(dice_);
    out->Word(levels_.size());
    for (const auto& level : levels_) {
      out->Word(level.size());
      for (const uint64_t value : level) out->Word(value);
    }
  }
  // Reads saved bytes; of bytes that cannot be a sketch, in->ok() is false afterwards.
  void Read(StateReader* in) {
    const uint64_t k = in->Word(), dice = in->Word(), levels = in->Word();
    if (k < kLeast || k > 65535 || levels == 0 || levels > 60) return in->Fail();
    *this = KllSketch(static_cast<uint32_t>(k), dice);
    SetLevels(levels);
    for (size_t h = 0; h < levels; ++h) {
      const uint64_t size = in->Word();
      if (size > in->left() / sizeof(uint64_t)) return in->Fail();
      levels_[h].resize(size);
      for (uint64_t& value : levels_[h]) value = in->Word();
      held_ += size;
      if (size > (~uint64_t{0} - n_) >> h) return in->Fail();
      n_ += size << h;
    }
    if (held_ > capacity_) in->Fail();
  }

 private:
  static constexpr uint32_t kLeast = 8;

  size_t Capacity(size_t level) const {
    const auto depth = static_cast<double>(levels_.size() - 1 - level);
    return std::max<size_t>(kLeast, static_cast<size_t>(std::ceil(k_ * std::pow(2.0 / 3.0, depth))));
  }
  void SetLevels(size_t n) {
    levels_.resize(n);
    capacity_ = 0;
    for (size_t h = 0; h < n; ++h) capacity_ += Capacity(h);
  }
  // Halves the lowest level that is full: every second value, from the first or the second on by the dice, counts twice
  // from then on.
  void Compress() {
    size_t h = 0;
    while (levels_[h].size() < Capacity(h)) ++h;  // one is full: there are more values than room
    if (h + 1 == levels_.size()) SetLevels(levels_.size() + 1);
    std::vector<uint64_t>& level = levels_[h];
    std::sort(level.begin(), level.end());
    const size_t kept = level.size() % 2;  // an odd one out stays
    dice_ = SketchHash(dice_);
    size_t to = kept;
    for (size_t i = kept + (dice_ & 1); i < level.size(); i += 2) levels_[h + 1].push_back(level[i]);
    held_ -= (level.size() - kept) / 2;
    level.resize(to);
  }
  std::vector<std::pair<uint64_t, uint64_t>> Weighted() const {
    std::vector<std::pair<uint64_t, uint64_t>> all;
    all.reserve(held_);
    for (size_t h = 0; h < levels_.size(); ++h) {
      for (const uint64_t value : levels_[h]) all.emplace_back(value, uint64_t{1} << h);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  uint32_t k_;
  uint64_t dice_;
  std::vector<std::vector<uint64_t>> levels_;  // values of level h stand for 2^h
  uint64_t n_ = 0;
  size_t held_ = 0;
  size_t capacity_ = 0;  // of all levels
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SKETCH_KLL_SKETCH_H_
