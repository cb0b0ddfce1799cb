// GroupTable: numbers the different keys of a grouping, from 0. A key is a fixed number of 64-bit words.
//
// By the size of the key: an array for keys of few bits (port, protocol, action) and for time bins, a table of the keys
// themselves for one word, and one of hashes that point to the keys for more.
#ifndef VPCFLOW_SRC_PLAN_GROUP_GROUP_TABLE_H_
#define VPCFLOW_SRC_PLAN_GROUP_GROUP_TABLE_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "src/keys/flat_table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr uint32_t kNoGroup = std::numeric_limits<uint32_t>::max();

// An array for keys of equal steps, as time bins are: those near the first one. A step of 0: not used.
class StepWindow {
 public:
  static constexpr uint64_t kMaxStep = uint64_t{1} << 44;  // kSteps of them are no overflow

  explicit StepWindow(uint64_t step) : step_(step), shift_(step > 0 ? std::countr_zero(step) : 0) {
    const uint64_t odd = step >> shift_;
    // Newton's iteration doubles the bits that are right, of which an odd number as its own inverse has three.
    inverse_ = odd;
    for (int bits = 3; bits < 64; bits *= 2) inverse_ *= 2 - odd * inverse_;
  }
  uint64_t step() const { return step_; }
  // The group at a key; null for keys that have no place here.
  uint32_t* At(uint64_t key) {
    if (groups_.empty() && key > 0) Begin(key);
    // A multiple of the step is divided by multiplying (Granlund and Montgomery 1994, section 9); others, and those
    // before the first, give some number.
    const uint64_t at = ((key - first_) >> shift_) * inverse_;
    return at < groups_.size() && first_ + at * step_ == key ? &groups_[at] : nullptr;
  }
  size_t bytes() const { return groups_.size() * sizeof(uint32_t); }

 private:
  static constexpr uint64_t kSteps = 16384;  // minutes of eleven days

  void Begin(uint64_t key) {
    const uint64_t before = std::min((key - 1) / step_, kSteps / 2);  // 0 has no place, be it a step away or not
    first_ = key - before * step_;
    groups_.assign(kSteps, kNoGroup);
  }

  uint64_t step_;
  int shift_;
  uint64_t inverse_;
  uint64_t first_ = 0;
  std::vector<uint32_t> groups_;
};

class GroupTable {
 public:
  // `bits`: of a key of one word, the lowest that can be set. `step`, if not 0: what most keys of one word, 0 apart,
  // are multiples of from each other.
  GroupTable(size_t words, int bits, uint64_t step = 0)
      : words_(words),
        bits_(words == 1 ? bits : 64),
        dense_bits_(words == 1 && bits <= kDenseBits ? bits : 0),
        steps_(words == 1 && step <= StepWindow::kMaxStep ? step : 0) {}
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  // The groups of n keys, one behind the other; new ones for those that were not there. Expected O(n * words).
  void FindAll(const uint64_t* keys, size_t n, uint32_t* groups) {
    if (!indexed_) Index();
    if (words_ == 0) {
      size_ = 1;
      std::fill_n(groups, n, 0u);
    } else if (dense_bits_ > 0) {
      if (dense_.empty()) dense_.assign(size_t{1} << dense_bits_, kNoGroup);
      for (size_t i = 0; i < n; ++i) {
        uint32_t& group = dense_[keys[i]];
        if (group == kNoGroup) group = Append(keys + i);
        groups[i] = group;
      }
    } else if (steps_.step() > 0) {
      for (size_t i = 0; i < n; ++i) {
        uint32_t* const group = steps_.At(keys[i]);
        if (group == nullptr) {
          InsertAll<Narrow>(&narrow_, keys + i, 1, groups + i);
          continue;
        }
        if (*group == kNoGroup) *group = Append(keys + i);
        groups[i] = *group;
      }
    } else if (bits_ <= Packed::kKeyBits) {
      InsertAll<Packed>(&packed_, keys, n, groups);
    } else if (words_ == 1) {
      InsertAll<Narrow>(&narrow_, keys, n, groups);
    } else {
      hashes_.resize(n);
      for (size_t i = 0; i < n; ++i) hashes_[i] = HashOf(keys + i * words_);
      wide_.InsertAll(
          n, [&](size_t i) { return hashes_[i]; },
          [&](const Wide& slot, size_t i) {
            return slot.hash_value == hashes_[i] &&
                   std::equal(keys + i * words_, keys + (i + 1) * words_, key(slot.group));
          },
          [&](Wide& slot, size_t i, bool added) {
            if (added) slot = {hashes_[i], Append(keys + i * words_)};
            groups[i] = slot.group;
          });
    }
  }
  uint32_t Find(const uint64_t* key) {
    uint32_t group;
    FindAll(key, 1, &group);
    return group;
  }

  // Takes `n` keys that are all different, into an empty table. They are indexed when one is looked for.
  void Load(std::vector<uint64_t> keys, size_t n) {
    keys_ = std::move(keys);
    size_ = n;
    indexed_ = false;
  }

  size_t size() const { return size_; }
  const uint64_t* key(uint32_t group) const { return keys_.data() + size_t{group} * words_; }
  size_t bytes() const {
    return keys_.capacity() * sizeof(uint64_t) + dense_.size() * sizeof(uint32_t) + steps_.bytes() + packed_.bytes() +
           narrow_.bytes() + wide_.bytes();
  }

 private:
  static constexpr int kDenseBits = 17;

  struct Narrow {
    uint64_t key_value = 0;
    uint32_t group_value = kNoGroup;
    static Narrow Of(uint64_t key, uint32_t group) { return {key, group}; }
    uint64_t key() const { return key_value; }
    uint32_t group() const { return group_value; }
    bool empty() const { return group_value == kNoGroup; }
    uint64_t hash() const { return MixWords(key_value, 0); }
  };
  // A key of an address, or something smaller, and its group in one word: half the memory to look into.
  struct Packed {
    static constexpr int kKeyBits = 34;
    static constexpr uint64_t kGroups = uint64_t{1} << (64 - kKeyBits);
    uint64_t word = 0;  // the group is from 1 on, so 0 is none
    static Packed Of(uint64_t key, uint32_t group) {
      if (group + 1 >= kGroups) throw std::bad_alloc();  // 2^30 groups would need 20 GiB anyway
      return {key << (64 - kKeyBits) | (group + 1)};
    }
    uint64_t key() const { return word >> (64 - kKeyBits); }
    uint32_t group() const { return static_cast<uint32_t>(word & (kGroups - 1)) - 1; }
    bool empty() const { return word == 0; }
    uint64_t hash() const { return MixWords(key(), 0); }
  };
  struct Wide {
    uint64_t hash_value = 0;
    uint32_t group = kNoGroup;
    bool empty() const { return group == kNoGroup; }
    uint64_t hash() const { return hash_value; }
  };

  template <class Slot>
  void InsertAll(FlatTable<Slot>* table, const uint64_t* keys, size_t n, uint32_t* groups) {
    table->InsertAll(
        n, [&](size_t i) { return MixWords(keys[i], 0); },
        [&](const Slot& slot, size_t i) { return slot.key() == keys[i]; },
        [&](Slot& slot, size_t i, bool added) {
          if (added) slot = Slot::Of(keys[i], Append(keys + i));
          groups[i] = slot.group();
        });
  }
  uint64_t HashOf(const uint64_t* key) const {
    uint64_t hash = 0;
    for (size_t w = 0; w < words_; ++w) hash = MixWords(hash ^ key[w], hash);
    return hash;
  }
  void Index() {
    indexed_ = true;
    const std::vector<uint64_t> keys = std::exchange(keys_, {});
    std::vector<uint32_t> groups(std::exchange(size_, 0));
    if (words_ > 0) keys_.reserve(keys.size());
    if (!groups.empty()) FindAll(keys.data(), groups.size(), groups.data());
  }
  uint32_t Append(const uint64_t* key) {
    keys_.insert(keys_.end(), key, key + words_);
    return static_cast<uint32_t>(size_++);
  }

  size_t words_;
  int bits_;
  int dense_bits_;
  size_t size_ = 0;
  bool indexed_ = true;
  std::vector<uint64_t> keys_;
  std::vector<uint32_t> dense_;  // by key
  StepWindow steps_;
  FlatTable<Packed> packed_;
  FlatTable<Narrow> narrow_;
  FlatTable<Wide> wide_;
  std::vector<uint64_t> hashes_;  // scratch
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_GROUP_TABLE_H_
