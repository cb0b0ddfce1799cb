// HeavyHitters: the keys with the greatest totals, in memory that does not grow.
//
// Example:
//   vpcflow::HeavyHitters<uint64_t> talkers(1000);
//   talkers.Add(/*key=*/0x0A000001, /*weight=*/4249);
//   for (const auto& hit : talkers.Top(20)) Print(hit.key, hit.count - hit.error, hit.count);
//
// Error: a key's true total lies in [count - error, count], and error is at most the sum of all weights / counters; a
// key whose true total is more than that is always among the counters. No chance is in it. Merged sketches keep both,
// in any order; which of the light keys they hold depends on the order.
//
// Memory: about 120 bytes a counter. O(log counters) an update.
//
// Sources: A. Metwally, D. Agrawal, A. El Abbadi, Efficient computation of frequent and top-k elements in data streams
// (ICDT 2005); merging: P. Agarwal et al., Mergeable summaries (PODS 2012).
#ifndef VPCFLOW_SKETCH_HEAVY_HITTERS_H_
#define VPCFLOW_SKETCH_HEAVY_HITTERS_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "vpcflow/state/value.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// `Key` has an order.
// Any number of threads may use one at once through const members; changes are for one thread alone.
template <class Key>
class HeavyHitters {
 public:
  struct Hit {
    Key key;
    uint64_t count = 0;  // the total at most
    uint64_t error = 0;  // count - error is the total at least
  };

  explicit HeavyHitters(size_t counters = 1000) : counters_(std::max<size_t>(counters, 1)) {}

  void Add(const Key& key, uint64_t weight = 1) {
    total_ += weight;
    const auto found = hits_.find(key);
    if (found != hits_.end()) return Grow(found, weight);
    Entry entry{weight, 0};
    if (hits_.size() == counters_) {  // takes the place of the lightest, and inherits its count as error
      const auto lightest = by_count_.begin();
      entry = {lightest->first + weight, lightest->first};
      hits_.erase(lightest->second);
      by_count_.erase(lightest);
    }
    hits_.emplace(key, entry);
    by_count_.emplace(entry.count, key);
  }

  void Merge(const HeavyHitters& other) {
    // What a full sketch does not hold may have had as much as its lightest.
    const uint64_t own_floor = floor(), other_floor = other.floor();
    std::map<Key, Entry> all;
    for (const auto& [key, entry] : hits_) {
      const auto theirs = other.hits_.find(key);
      const Entry add = theirs == other.hits_.end() ? Entry{other_floor, other_floor} : theirs->second;
      all.emplace(key, Entry{entry.count + add.count, entry.error + add.error});
    }
    for (const auto& [key, entry] : other.hits_)
      all.try_emplace(key, Entry{entry.count + own_floor, entry.error + own_floor});
    hits_ = std::move(all);
    by_count_.clear();
    for (const auto& [key, entry] : hits_) by_count_.emplace(entry.count, key);
    while (hits_.size() > counters_) {
      hits_.erase(by_count_.begin()->second);
      by_count_.erase(by_count_.begin());
    }
    total_ += other.total_;
  }

  // Returns the `n` with the greatest counts, ties by key.
  std::vector<Hit> Top(size_t n) const {
    std::vector<Hit> out;
    for (const auto& [key, entry] : hits_) out.push_back({key, entry.count, entry.error});
    std::sort(out.begin(), out.end(),
              [](const Hit& a, const Hit& b) { return a.count != b.count ? a.count > b.count : a.key < b.key; });
    if (out.size() > n) out.resize(n);
    return out;
  }
  // Returns the sum of all weights.
  uint64_t total() const { return total_; }
  // Returns the most that a key that is not held can have.
  uint64_t floor() const { return hits_.size() < counters_ ? 0 : by_count_.begin()->first; }
  size_t counters() const { return counters_; }
  void Write(StateWriter* out) const {
    out->Number(counters_);
    out->Number(total_);
    out->Number(hits_.size());
    for (const auto& [key, entry] : hits_) {
      WriteValue(key, out);
      out->Number(entry.count);
      out->Number(entry.error);
    }
  }
  void Read(StateReader* in) {
    counters_ = in->Number();
    total_ = in->Number();
    const uint64_t n = in->Count(3);
    if (counters_ == 0 || n > counters_) in->Fail();
    for (uint64_t i = 0; i < n && in->ok(); ++i) {
      Key key = ReadValue<Key>(in);
      const uint64_t count = in->Number(), error = in->Number();
      if (error > count || !hits_.emplace(key, Entry{count, error}).second) in->Fail();
      by_count_.emplace(count, std::move(key));
    }
  }
  size_t bytes() const { return hits_.size() * (sizeof(Key) * 2 + 104); }

 private:
  struct Entry {
    uint64_t count = 0, error = 0;
  };
  void Grow(typename std::map<Key, Entry>::iterator at, uint64_t weight) {
    by_count_.erase({at->second.count, at->first});
    at->second.count += weight;
    by_count_.emplace(at->second.count, at->first);
  }

  size_t counters_;
  uint64_t total_ = 0;
  std::map<Key, Entry> hits_;
  std::set<std::pair<uint64_t, Key>> by_count_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SKETCH_HEAVY_HITTERS_H_
