// GroupBy: an aggregate per key, composed at compile time. It is itself an accumulator, so groupings nest.
//
// Example:
//   using Talkers = vpcflow::GroupBy<vpcflow::Keys<vpcflow::f::SrcAddr, vpcflow::f::DstPort>,
//                                    vpcflow::Aggregate<vpcflow::Count, vpcflow::Sum<vpcflow::f::Bytes>>>;
//   Talkers talkers;
//   talkers.Update(rec);
//   for (const auto& row : talkers.Top<1>(10)) Print(row.key<0>(), row.value<1>());   // by sum of bytes
#ifndef VPCFLOW_AGGREGATE_GROUP_BY_H_
#define VPCFLOW_AGGREGATE_GROUP_BY_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "vpcflow/aggregate/accumulator.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

template <class... Fs>
struct Keys {
  // Returns the key of a record; empty for null.
  using Owned = std::tuple<std::optional<internal::Owned<typename Fs::value_type>>...>;
  using View = std::tuple<std::optional<typename Fs::value_type>...>;
  static View Of(const RecordView& record) { return View(record.get<Fs>()...); }
  static constexpr std::array<Field, sizeof...(Fs)> kFields = {Fs::kField...};
  static std::string Name() { return (std::string() + ... + (std::string(Info(Fs::kField).name) + " ")); }
};

// Any number of threads may use a grouping at once through const members; changes are for one thread alone.
template <class KeysT, Accumulator A>
class GroupBy {
 public:
  using Key = typename KeysT::Owned;
  static constexpr auto kFields = internal::Joined(KeysT::kFields, FieldsOf<A>());

  class Row {
   public:
    Row(const Key* key, const A* aggregate) : key_(key), aggregate_(aggregate) {}
    // Returns the I-th key; empty for null.
    template <size_t I>
    const auto& key() const {
      return std::get<I>(*key_);
    }
    // Returns the I-th value, if A is an Aggregate.
    template <size_t I>
    decltype(auto) value() const {
      return aggregate_->template Value<I>();
    }
    const Key& key() const { return *key_; }
    const A& aggregate() const { return *aggregate_; }

   private:
    const Key* key_;
    const A* aggregate_;
  };

  void Update(const RecordView& record) {
    const typename KeysT::View view = KeysT::Of(record);
    auto it = groups_.find(view);
    if (it == groups_.end()) it = groups_.emplace(Own(view), A()).first;
    it->second.Update(record);
  }
  void Merge(const GroupBy& other) {
    for (const auto& [key, aggregate] : other.groups_) groups_[key].Merge(aggregate);
  }
  // Returns the number of groups.
  size_t Value() const { return groups_.size(); }

  // Returns all groups by key, null first. Rows borrow this grouping. O(n log n).
  std::vector<Row> Rows() const& {
    std::vector<Row> rows;
    for (const auto& [key, aggregate] : groups_) rows.emplace_back(&key, &aggregate);
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key() < b.key(); });
    return rows;
  }
  std::vector<Row> Rows() const&& = delete;
  // Returns the n groups with the largest I-th value, equal ones by key. Rows borrow this grouping. O(groups).
  template <size_t I>
  std::vector<Row> Top(size_t n) const& {
    std::vector<Row> rows = Rows();
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return b.template value<I>() < a.template value<I>(); });
    if (rows.size() > n) rows.erase(rows.begin() + static_cast<ptrdiff_t>(n), rows.end());
    return rows;
  }
  template <size_t I>
  std::vector<Row> Top(size_t n) const&& = delete;
  static std::string Name() { return "group(" + KeysT::Name() + "; " + A::Name() + ")"; }
  void Write(StateWriter* out) const {
    out->Number(groups_.size());
    for (const Row& row : Rows()) {
      std::apply([&](const auto&... v) { (WriteOptional(v, out), ...); }, row.key());
      row.aggregate().Write(out);
    }
  }
  void Read(StateReader* in) {
    for (uint64_t n = in->Count(2); n > 0 && in->ok(); --n) {
      Key key;
      std::apply([&](auto&... v) { (ReadOptional(in, &v), ...); }, key);
      const auto [at, added] = groups_.try_emplace(std::move(key));
      at->second.Read(in);
      if (!added) in->Fail();
    }
  }

 private:
  static Key Own(const typename KeysT::View& view) {
    return std::apply(
        [](const auto&... v) {
          return Key((v ? std::make_optional<internal::Owned<std::decay_t<decltype(*v)>>>(*v) : std::nullopt)...);
        },
        view);
  }
  struct Hash {
    using is_transparent = void;
    template <class Tuple>
    size_t operator()(const Tuple& key) const {
      size_t hash = 0;
      std::apply([&](const auto&... v) { ((hash = absl::HashOf(hash, v ? One(*v) : size_t{0})), ...); }, key);
      return hash;
    }
    static size_t One(const Ip& ip) { return absl::HashOf(ip.hi, ip.lo); }
    static size_t One(std::string_view text) { return absl::HashOf(absl::string_view(text.data(), text.size())); }
    template <class T>
    requires(std::is_integral_v<T> || std::is_enum_v<T>) static size_t One(T value) {
      return static_cast<size_t>(value) + 1;
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A1, class A2>
    bool operator()(const A1& a, const A2& b) const {
      return a == b;
    }
  };
  absl::flat_hash_map<Key, A, Hash, Equal> groups_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_AGGREGATE_GROUP_BY_H_
