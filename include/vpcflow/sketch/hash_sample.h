// HashSample: a uniform sample of records with unbiased totals and their error bars.
//
// Example:
//   vpcflow::HashSample<std::string> sample(1000);
//   sample.Add(vpcflow::SketchHash(line), std::string(line), /*weight=*/4249);
//   vpcflow::SampledTotal bytes = sample.Total();            // bytes.value +- bytes.standard_error
//
// A reservoir whose dice are the hashes of what identifies a record: it keeps the `size` items with the smallest
// hashes. So it is a function of the set of records: any order, split and merge gives the same sample, and a record
// that comes twice is in it once. With fewer items than `size` it has all, and totals are exact.
//
// Totals are Horvitz-Thompson estimates given the smallest hash that is not in the sample (a priority sample with equal
// priorities): unbiased, and the standard error is estimated from the sample; about 95 of 100 totals lie within two of
// them for weights that are not extremely skewed.
//
// Sources: N. Duffield, C. Lund, M. Thorup, Priority sampling for estimation of arbitrary subset sums (JACM 2007);
// E. Cohen, H. Kaplan, Summarizing data using bottom-k sketches (PODC 2007).
#ifndef VPCFLOW_SKETCH_HASH_SAMPLE_H_
#define VPCFLOW_SKETCH_HASH_SAMPLE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

struct SampledTotal {
  double value = 0;
  double standard_error = 0;
};

// Any number of threads may use one at once through const members; changes are for one thread alone.
template <class Item>
class HashSample {
 public:
  struct Kept {
    Item item;
    double weight;
  };

  explicit HashSample(size_t size = 1000) : size_(std::max<size_t>(size, 1)) {}

  // Adds an item. O(log size).
  void Add(uint64_t hash, const Item& item, double weight = 1) {
    if (items_.size() > size_ && hash >= items_.rbegin()->first) return;
    items_.try_emplace(hash, Kept{item, weight});
    if (items_.size() > size_ + 1) items_.erase(std::prev(items_.end()));  // one more than the sample: the threshold
  }
  void Merge(const HashSample& other) {
    if (&other == this) return Merge(HashSample(other));
    for (const auto& [hash, kept] : other.items_) Add(hash, kept.item, kept.weight);
  }

  bool exact() const { return items_.size() <= size_; }
  // Returns the share of all items that the sample is expected to have.
  double Probability() const {
    return exact() ? 1 : static_cast<double>(items_.rbegin()->first) / 18446744073709551616.0;
  }
  // Returns the sum of the weights over all items, or over those that pass. O(size).
  template <class Passes>
  SampledTotal Total(Passes passes) const {
    SampledTotal out;
    const double p = Probability();
    double squares = 0;
    ForEach([&](const Item& item, double weight) {
      if (!passes(item)) return;
      out.value += weight / p;
      squares += weight * weight;
    });
    out.standard_error = std::sqrt(squares * (1 - p)) / p;
    return out;
  }
  SampledTotal Total() const {
    return Total([](const Item&) { return true; });
  }
  // Calls fn(item, weight) for each of the sample.
  template <class Fn>
  void ForEach(Fn fn) const {
    size_t n = 0;
    for (const auto& [hash, kept] : items_) {
      if (n++ == size_) break;
      fn(kept.item, kept.weight);
    }
  }
  size_t size() const { return std::min(items_.size(), size_); }
  size_t bytes() const { return items_.size() * (sizeof(Kept) + 48); }

 private:
  size_t size_;
  std::map<uint64_t, Kept> items_;  // by hash
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SKETCH_HASH_SAMPLE_H_
