// Flat tables for groupings: open addressing over one array, looked up a batch at a time, so that the cache misses of a
// batch overlap.
//
// A batch is hashed first, with a prefetch for each slot, and probed afterwards. Keys come from the logs and with them
// from whoever sends packets; the hash depends on where the process lies in memory, so collisions cannot be prepared.
#ifndef VPCFLOW_SRC_KEYS_FLAT_TABLE_H_
#define VPCFLOW_SRC_KEYS_FLAT_TABLE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "vpcflow/result/array.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline uint64_t MixWords(uint64_t a, uint64_t b) {
  static const char place = 0;
  const uint64_t seed = reinterpret_cast<uintptr_t>(&place);
  __extension__ const auto product =
      static_cast<unsigned __int128>(a ^ seed ^ 0xA0761D6478BD642Full) * (b ^ 0xE7037ED1A0B428DBull);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// An insert-only table of slots. `Slot` has empty() and hash(); a default-made one is empty.
template <class Slot>
class FlatTable {
 public:
  static constexpr size_t kBatch = 256;

  // Finds or inserts n keys: hash(i) is the i-th one's, same(slot, i) tells whether a slot has it, fn(slot, i, added)
  // gets its slot, in order, and must fill it if it was added.
  template <class Hash, class Same, class Fn>
  void InsertAll(size_t n, Hash hash, Same same, Fn fn) {
    uint64_t hashes[kBatch];
    for (size_t begin = 0; begin < n; begin += kBatch) {
      const size_t some = std::min(kBatch, n - begin);
      Reserve(some);
      for (size_t i = 0; i < some; ++i) {
        hashes[i] = Place(hash(begin + i));
        __builtin_prefetch(&slots_[hashes[i]]);
      }
      for (size_t i = 0; i < some; ++i) {
        size_t at = hashes[i];
        while (!slots_[at].empty() && !same(slots_[at], begin + i)) at = (at + 1) & (slots_.size() - 1);
        const bool added = slots_[at].empty();
        fn(slots_[at], begin + i, added);
        size_ += added ? 1 : 0;
      }
    }
  }
  // Looks up n keys without inserting them: fn(i, found), in order. Several threads may look up at a time.
  template <class Hash, class Same, class Fn>
  void FindAll(size_t n, Hash hash, Same same, Fn fn) const {
    if (slots_.empty()) {
      for (size_t i = 0; i < n; ++i) fn(i, false);
      return;
    }
    uint64_t places[kBatch];
    for (size_t begin = 0; begin < n; begin += kBatch) {
      const size_t some = std::min(kBatch, n - begin);
      for (size_t i = 0; i < some; ++i) {
        places[i] = Place(hash(begin + i));
        __builtin_prefetch(&slots_[places[i]]);
      }
      for (size_t i = 0; i < some; ++i) {
        size_t at = places[i];
        while (!slots_[at].empty() && !same(slots_[at], begin + i)) at = (at + 1) & (slots_.size() - 1);
        fn(begin + i, !slots_[at].empty());
      }
    }
  }
  template <class Fn>
  void ForEach(Fn fn) const {
    ForEach(0, 1, fn);
  }
  // The part-th of so many parts.
  template <class Fn>
  void ForEach(size_t part, size_t parts, Fn fn) const {
    const size_t begin = slots_.size() * part / parts, end = slots_.size() * (part + 1) / parts;
    for (size_t at = begin; at < end; ++at) {
      if (!slots_[at].empty()) fn(slots_[at]);
    }
  }
  size_t size() const { return size_; }
  size_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  // Room for `more` slots at no more than two thirds full.
  void Reserve(size_t more) {
    if ((size_ + more) * 3 <= slots_.size() * 2) return;
    size_t capacity = std::max<size_t>(slots_.size(), 512);
    int bits = 0;
    while ((size_ + more) * 3 > capacity * 2) capacity *= 2;
    while (size_t{1} << bits < capacity) ++bits;
    Array<Slot> old;
    old.assign(capacity, Slot());
    old.swap(slots_);
    shift_ = 64 - bits;
    for (const Slot& slot : old) {
      if (slot.empty()) continue;
      size_t at = Place(slot.hash());
      while (!slots_[at].empty()) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }
  // Each table has an order of its own. If two had the same, one filled by walking over the other would be filled from
  // its beginning on, in one run of neighbours that each new slot walks along: quadratic, and workers are merged so.
  size_t Place(uint64_t hash) const { return (hash ^ salt_) * 0x9E3779B97F4A7C15ull >> shift_; }
  static uint64_t NewSalt() {
    static std::atomic<uint64_t> tables{0};
    return (tables.fetch_add(1, std::memory_order_relaxed) + 1) * 0xD6E8FEB86659FD93ull;
  }

  Array<Slot> slots_;
  size_t size_ = 0;
  int shift_ = 63;
  uint64_t salt_ = NewSalt();
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_KEYS_FLAT_TABLE_H_
