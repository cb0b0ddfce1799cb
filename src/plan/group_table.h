// GroupTable: numbers the different keys of a grouping, from 0. A key is a fixed number of 64-bit words.
#ifndef VPCFLOW_SRC_PLAN_GROUP_TABLE_H_
#define VPCFLOW_SRC_PLAN_GROUP_TABLE_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "src/plan/codes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class GroupTable {
 public:
  explicit GroupTable(size_t words) : words_(words), wide_(0, Hash{this}, Equal{this}) {}
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  // The group of a key, a new one if it was not there. Expected O(words).
  uint32_t Find(const uint64_t* key) {
    if (words_ == 0) {
      if (size_ == 0) ++size_;
      return 0;
    }
    const auto next = static_cast<uint32_t>(size_);
    if (words_ == 1) {
      const auto [it, added] = narrow_.try_emplace(*key, next);
      if (added) Append(key);
      return it->second;
    }
    const auto it = wide_.find(Key{key});
    if (it != wide_.end()) return *it;
    Append(key);
    wide_.insert(next);
    return next;
  }

  size_t size() const { return size_; }
  const uint64_t* key(uint32_t group) const { return keys_.data() + size_t{group} * words_; }

 private:
  struct Key {
    const uint64_t* words;
  };
  struct Hash {
    using is_transparent = void;
    const GroupTable* table;
    size_t operator()(uint32_t group) const { return (*this)(Key{table->key(group)}); }
    size_t operator()(Key key) const {
      return TextHash()(std::string_view(reinterpret_cast<const char*>(key.words), table->words_ * sizeof(uint64_t)));
    }
  };
  struct Equal {
    using is_transparent = void;
    const GroupTable* table;
    bool Same(const uint64_t* a, const uint64_t* b) const {
      return std::memcmp(a, b, table->words_ * sizeof(uint64_t)) == 0;
    }
    bool operator()(uint32_t a, uint32_t b) const { return Same(table->key(a), table->key(b)); }
    bool operator()(uint32_t a, Key b) const { return Same(table->key(a), b.words); }
    bool operator()(Key a, uint32_t b) const { return Same(a.words, table->key(b)); }
  };

  void Append(const uint64_t* key) {
    keys_.insert(keys_.end(), key, key + words_);
    ++size_;
  }

  size_t words_;
  size_t size_ = 0;
  std::vector<uint64_t> keys_;
  absl::flat_hash_map<uint64_t, uint32_t> narrow_;   // one word
  absl::flat_hash_set<uint32_t, Hash, Equal> wide_;  // more
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_TABLE_H_
