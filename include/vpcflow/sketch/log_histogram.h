// LogHistogram: quantiles of whole numbers with a bounded relative error.
//
// Example:
//   vpcflow::LogHistogram sizes;
//   sizes.Add(4249);
//   std::optional<uint64_t> p95 = sizes.Quantile(0.95);
//
// Error: the value that Quantile gives differs from the exact quantile by 1/256 (0.4 %) of it at most, always; values
// below 256 are exact. No chance is in it. Memory: 16 bytes for each bucket that has a value, of 7,424 that there are;
// bytes and durations of one host fill some hundreds.
//
// A function of the values: any order, any split and merge gives the same bytes. That is why plans use it and not KLL,
// whose state depends on the order: results are the same for any number of threads.
//
// Sources: buckets of equal width within each power of two: G. Tene, HdrHistogram (2012); the error bound for quantiles
// and merging: C. Masson, J. Rim, H. Lee, DDSketch (VLDB 2019).
#ifndef VPCFLOW_SKETCH_LOG_HISTOGRAM_H_
#define VPCFLOW_SKETCH_LOG_HISTOGRAM_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "vpcflow/state/bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one at once through const members; changes are for one thread alone.
class LogHistogram {
 public:
  static constexpr double kRelativeError = 1.0 / 256;

  // Adds values: O(log buckets), and a move of the buckets behind a new one.
  void Add(uint64_t value, uint64_t times = 1) {
    const uint32_t bucket = BucketOf(value);
    const auto at = Find(bucket);
    if (at != buckets_.end() && at->first == bucket) {
      at->second += times;
    } else {
      buckets_.insert(at, {bucket, times});
    }
    n_ += times;
  }
  void Merge(const LogHistogram& other) {
    std::vector<std::pair<uint32_t, uint64_t>> merged;
    merged.reserve(buckets_.size() + other.buckets_.size());
    auto a = buckets_.begin();
    auto b = other.buckets_.begin();
    while (a != buckets_.end() || b != other.buckets_.end()) {
      if (b == other.buckets_.end() || (a != buckets_.end() && a->first < b->first)) {
        merged.push_back(*a++);
      } else if (a == buckets_.end() || b->first < a->first) {
        merged.push_back(*b++);
      } else {
        merged.emplace_back(a->first, a->second + b->second);
        ++a;
        ++b;
      }
    }
    buckets_ = std::move(merged);
    n_ += other.n_;
  }
  uint64_t count() const { return n_; }

  // Returns the smallest value that at least the share `q` (0 to 1) of the values do not exceed; none without values.
  // O(buckets).
  std::optional<uint64_t> Quantile(double q) const {
    if (n_ == 0) return std::nullopt;
    const uint64_t rank = RankOf(q, n_);  // of n_ at most, which is the sum of the counts
    auto at = buckets_.begin();
    for (uint64_t seen = at->second; seen < rank; seen += at->second) ++at;
    return Middle(at->first);
  }
  // Returns the place, from 1, of the q-quantile among n values in order.
  static uint64_t RankOf(double q, uint64_t n) {
    const double all = static_cast<double>(n), rank = std::ceil(std::clamp(q, 0.0, 1.0) * all);
    return rank < all ? std::max(static_cast<uint64_t>(rank), uint64_t{1}) : n;
  }

  // Returns the memory besides the object itself.
  size_t bytes() const { return buckets_.capacity() * sizeof(buckets_[0]); }

  void Write(StateWriter* out) const {
    out->Word(buckets_.size());
    for (const auto& [bucket, count] : buckets_) {
      out->Fixed32(bucket);
      out->Number(count);
    }
  }
  // Reads saved bytes; of bytes that cannot be a histogram, in->ok() is false afterwards.
  void Read(StateReader* in) {
    *this = LogHistogram();
    const uint64_t size = in->Word();
    if (size > in->left() / 5) return in->Fail();
    buckets_.reserve(size);
    for (uint64_t i = 0; i < size && in->ok(); ++i) {
      const uint32_t bucket = in->Fixed32();
      const uint64_t count = in->Number();
      const bool rises = buckets_.empty() || buckets_.back().first < bucket;
      if (!rises || bucket >= kBuckets || count == 0 || n_ + count < n_) return in->Fail();
      buckets_.emplace_back(bucket, count);
      n_ += count;
    }
  }
  friend bool operator==(const LogHistogram&, const LogHistogram&) = default;

 private:
  static constexpr int kBits = 7;  // of a value below its highest one
  static constexpr uint32_t kBuckets = (64 - kBits) * (1u << kBits) + (1u << kBits);

  static uint32_t BucketOf(uint64_t value) {
    if (value < 1u << (kBits + 1)) return static_cast<uint32_t>(value);
    const int shift = static_cast<int>(std::bit_width(value)) - kBits - 1;
    return static_cast<uint32_t>(shift) * (1u << kBits) + static_cast<uint32_t>(value >> shift);
  }
  static uint64_t Middle(uint32_t bucket) {
    if (bucket < 1u << (kBits + 1)) return bucket;
    const uint32_t shift = (bucket >> kBits) - 1;
    const uint64_t low = uint64_t{(bucket & ((1u << kBits) - 1)) | 1u << kBits} << shift;
    return low + (uint64_t{1} << shift) / 2;
  }
  std::vector<std::pair<uint32_t, uint64_t>>::iterator Find(uint32_t bucket) {
    return std::lower_bound(buckets_.begin(), buckets_.end(), bucket,
                            [](const auto& entry, uint32_t b) { return entry.first < b; });
  }

  std::vector<std::pair<uint32_t, uint64_t>> buckets_;  // in order
  uint64_t n_ = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SKETCH_LOG_HISTOGRAM_H_
