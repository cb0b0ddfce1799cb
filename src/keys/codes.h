// Codes: any value of a column as one 64-bit number, equal exactly if the values are. Keys and distinct counts work on
// codes. 0 is null; integers and times are value + 1; IPv4 addresses are their AddressCode; IPv6 addresses and texts
// are numbered as they appear, by the Interner of the state that keeps them.
#ifndef VPCFLOW_SRC_KEYS_CODES_H_
#define VPCFLOW_SRC_KEYS_CODES_H_

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "src/keys/flat_table.h"
#include "vpcflow/record/batch.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct IpHash {
  size_t operator()(const Ip& ip) const { return absl::HashOf(ip.hi, ip.lo); }
};

// Hash and equality of std::string_view (absl's own may be of another string_view type).
struct TextHash {
  size_t operator()(std::string_view text) const {
    return absl::Hash<absl::string_view>()(absl::string_view(text.data(), text.size()));
  }
};

// Numbers IPv6 addresses and texts, from 0.
class Interner {
 public:
  uint32_t V6(const Ip& ip) {
    uint32_t id = 0;
    V6({&ip, 1}, [&](size_t, uint32_t found) { id = found; });
    return id;
  }
  // Calls fn(i, id) for each of some addresses, in order.
  template <class Fn>
  void V6(std::span<const Ip> ips, Fn fn) {
    if (!indexed_) Index();
    v6_ids_.InsertAll(
        ips.size(), [&](size_t i) { return MixWords(ips[i].hi, ips[i].lo); },
        [&](const V6Slot& slot, size_t i) { return slot.ip == ips[i]; },
        [&](V6Slot& slot, size_t i, bool added) {
          if (added) {
            slot = {ips[i], static_cast<uint32_t>(v6_.size())};
            v6_.push_back(ips[i]);
          }
          fn(i, slot.id);
        });
  }
  uint32_t Text(std::string_view text) {
    if (!indexed_) Index();
    const auto it = text_ids_.find(text);
    if (it != text_ids_.end()) return it->second;
    const auto id = static_cast<uint32_t>(texts_.size());
    texts_.emplace_back(text);
    text_bytes_ += sizeof(std::string) + text.size();
    text_ids_.emplace(texts_.back(), id);
    return id;
  }
  // Takes values that are all different, in their order; into an empty one. They are indexed when one is looked for:
  // what only holds a saved state takes no more memory than that.
  void Load(std::vector<Ip> v6, std::deque<std::string> texts) {
    v6_ = std::move(v6);
    texts_ = std::move(texts);
    for (const std::string& text : texts_) text_bytes_ += sizeof(std::string) + text.size();
    indexed_ = false;
  }
  const Ip& v6(uint32_t id) const { return v6_[id]; }
  const std::string& text(uint32_t id) const { return texts_[id]; }
  // Memory, about.
  size_t bytes() const {
    return text_bytes_ + v6_.capacity() * sizeof(Ip) + v6_ids_.bytes() + text_ids_.bucket_count() * sizeof(void*) +
           text_ids_.size() * (sizeof(std::string_view) + 4 * sizeof(void*));
  }
  size_t v6_size() const { return v6_.size(); }
  size_t text_size() const { return texts_.size(); }

 private:
  struct V6Slot {
    static constexpr uint32_t kNone = ~uint32_t{0};
    Ip ip;
    uint32_t id = kNone;
    bool empty() const { return id == kNone; }
    uint64_t hash() const { return MixWords(ip.hi, ip.lo); }
  };
  void Index() {
    indexed_ = true;
    const std::vector<Ip> ips = std::exchange(v6_, {});
    V6(ips, [](size_t, uint32_t) {});
    for (uint32_t id = 0; id < texts_.size(); ++id) text_ids_.emplace(texts_[id], id);
  }

  bool indexed_ = true;
  FlatTable<V6Slot> v6_ids_;
  std::vector<Ip> v6_;
  // Not Abseil's tables, here and elsewhere in the plan: an allocation that fails leaves them broken.
  std::unordered_map<std::string_view, uint32_t, TextHash> text_ids_;
  std::deque<std::string> texts_;  // does not move its strings
  size_t text_bytes_ = 0;
};

// Bits that the codes of a field need.
int CodeBits(const FieldRef& field);

// Codes of batch columns, numbered by an interner of its own.
class Encoder {
 public:
  // The codes of column `slot`.
  void Encode(const Batch& batch, size_t slot, std::vector<uint64_t>* out);
  Interner& interner() { return interner_; }
  const Interner& interner() const { return interner_; }

 private:
  // The codes of the texts of a batch's dictionary, as far as they were asked for (0: not yet).
  struct Numbers {
    uint64_t generation = 0;
    std::vector<uint64_t> codes;
  };
  Interner interner_;
  std::vector<Numbers> numbers_;  // by slot
  std::vector<Ip> v6_;            // scratch: the IPv6 addresses of a column, and their rows
  std::vector<uint32_t> v6_rows_;
};

// Whether a code can be one of a field, as far as an interner has numbers.
bool IsCode(uint64_t code, const FieldRef& field, const Interner& interner);

inline Ip DecodeAddress(uint64_t code, const Interner& interner) {
  return code < kCodeV6 ? Ip::V4(static_cast<uint32_t>(code)) : interner.v6(static_cast<uint32_t>(code));
}
inline int64_t DecodeInt(uint64_t code) { return static_cast<int64_t>(code - 1); }
inline const std::string& DecodeText(uint64_t code, const Interner& interner) {
  return interner.text(static_cast<uint32_t>(code - 1));
}

// Translates the codes of one interner into another's.
class CodeMap {
 public:
  CodeMap(const Interner& from, Interner* to);
  // New numbers for the IPv6 addresses and texts with these ids; for no others.
  CodeMap(std::vector<uint32_t> v6, std::vector<uint32_t> texts) : v6_(std::move(v6)), texts_(std::move(texts)) {}
  uint64_t operator()(uint64_t code, Kind kind) const {
    if (kind == Kind::kText) return code == 0 ? 0 : texts_[code - 1] + uint64_t{1};
    if (kind == Kind::kAddress && code >= kCodeV6) return kCodeV6 | v6_[static_cast<uint32_t>(code)];
    return code;
  }

 private:
  std::vector<uint32_t> v6_;
  std::vector<uint32_t> texts_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_KEYS_CODES_H_
