// SeenBefore: when something was last seen, over periods that roll: "first time ever", "not for 30 days".
//
// Example:
//   vpcflow::SeenBefore edges(/*period=*/86400, /*keep=*/30);
//   edges.Add(hash, time);
//   edges.LastSeen(hash, time);   // start of the last period before that of `time` in which it was seen, or nothing
//
// Error: none, but for two values that share a 64-bit hash. Values not seen for `keep` periods before the newest are
// forgotten. Memory: 40 bytes a value of the periods kept; beyond `most` values the oldest periods are dropped whole,
// and floor() says from when on the memory is complete: what was not seen since then is not known to be new.
//
// A function of what was added: any order and merge gives the same, as long as `most` is not reached.
#ifndef VPCFLOW_SKETCH_SEEN_BEFORE_H_
#define VPCFLOW_SKETCH_SEEN_BEFORE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "vpcflow/state/bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one at once through const members; changes are for one thread alone.
class SeenBefore {
 public:
  // Makes an empty one. `period` in seconds; `keep`, how many periods; `most`, how many values in all.
  explicit SeenBefore(int64_t period = 86400, int64_t keep = 30, size_t most = size_t{10} << 20)
      : period_(std::max<int64_t>(period, 1)), keep_(std::max<int64_t>(keep, 1)), most_(std::max<size_t>(most, 1)) {}

  // Adds a value. O(log values).
  void Add(uint64_t hash, int64_t time) {
    const int64_t period = PeriodOf(time);
    if (period < first_) return;
    if (periods_[period].insert(hash).second) ++held_;
    if (periods_.rbegin()->first - keep_ > first_) first_ = periods_.rbegin()->first - keep_;
    Forget();
  }
  // Returns the start of the last period before the one of `time` in which a value was seen; nothing if it was not, as
  // far back as the memory goes. O(periods log values).
  std::optional<int64_t> LastSeen(uint64_t hash, int64_t time) const {
    for (auto at = periods_.lower_bound(PeriodOf(time)); at != periods_.begin();) {
      --at;
      if (at->second.contains(hash)) return at->first * period_;
    }
    return std::nullopt;
  }
  void Merge(const SeenBefore& other) {
    for (const auto& [period, hashes] : other.periods_) {
      for (const uint64_t hash : hashes) held_ += periods_[period].insert(hash).second ? size_t{1} : 0;
    }
    first_ = std::max(first_, other.first_);
    if (!periods_.empty()) first_ = std::max(first_, periods_.rbegin()->first - keep_);
    dropped_ = std::max(dropped_, other.dropped_);
    Forget();
  }
  // Returns the time from which on the memory is complete.
  std::optional<int64_t> floor() const {
    if (dropped_ == kNothing) return std::nullopt;
    return (dropped_ + 1) * period_;
  }
  size_t size() const { return held_; }
  size_t bytes() const { return held_ * 40 + periods_.size() * 96; }

  void Write(StateWriter* out) const {
    out->Signed(period_);
    out->Signed(keep_);
    out->Word(most_);
    out->Signed(first_);
    out->Signed(dropped_);
    out->Number(periods_.size());
    for (const auto& [period, hashes] : periods_) {
      out->Signed(period);
      out->Number(hashes.size());
      for (const uint64_t hash : hashes) out->Word(hash);
    }
  }
  // Reads saved bytes; of bytes that cannot be one, in->ok() is false afterwards.
  void Read(StateReader* in) {
    const int64_t period = in->Signed(), keep = in->Signed();
    const uint64_t most = in->Word();
    if (period < 1 || keep < 1 || most < 1) return in->Fail();
    *this = SeenBefore(period, keep, most);
    first_ = in->Signed();
    dropped_ = in->Signed();
    for (uint64_t n = in->Count(9); n > 0 && in->ok(); --n) {
      std::set<uint64_t>& hashes = periods_[in->Signed()];
      for (uint64_t m = in->Count(sizeof(uint64_t)); m > 0 && in->ok(); --m) held_ += hashes.insert(in->Word()).second;
    }
  }

 private:
  static constexpr int64_t kNothing = INT64_MIN / 2;

  int64_t PeriodOf(int64_t time) const { return time >= 0 ? time / period_ : -((-time + period_ - 1) / period_); }
  void Forget() {
    while (!periods_.empty() && (periods_.begin()->first < first_ || (held_ > most_ && periods_.size() > 1))) {
      if (periods_.begin()->first >= first_) dropped_ = std::max(dropped_, periods_.begin()->first);
      held_ -= periods_.begin()->second.size();
      periods_.erase(periods_.begin());
    }
    first_ = std::max(first_, dropped_ + 1);
  }

  int64_t period_, keep_;
  size_t most_;
  std::map<int64_t, std::set<uint64_t>> periods_;  // by number of the period
  int64_t first_ = kNothing;                       // the first period that is kept
  int64_t dropped_ = kNothing;                     // the last one that there was no room for
  size_t held_ = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SKETCH_SEEN_BEFORE_H_
