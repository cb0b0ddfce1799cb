// CidrSet: membership of addresses in a set of prefixes and single addresses, IPv4 and IPv6 alike.
//
//   vpcflow::CidrSet set;
//   vpcflow::Cidr cidr;
//   if (vpcflow::ParseCidr("10.0.0.0/8", &cidr)) set.Add(cidr);
//   set.Build();
//   set.Contains(ip);
#ifndef VPCFLOW_FILTER_CIDR_SET_H_
#define VPCFLOW_FILTER_CIDR_SET_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one at once through const members; changes are for one thread alone.
class CidrSet {
 public:
  void Add(const Cidr& cidr) { ranges_.push_back(cidr); }

  // Sorts and joins the prefixes; call once after the last Add. O(n log n).
  void Build() {
    std::sort(ranges_.begin(), ranges_.end(), [](const Cidr& a, const Cidr& b) { return a.first < b.first; });
    std::vector<Cidr> joined;
    for (const Cidr& range : ranges_) {
      if (!joined.empty() && range.first <= joined.back().last) {
        joined.back().last = std::max(joined.back().last, range.last);
      } else {
        joined.push_back(range);
      }
    }
    ranges_ = std::move(joined);
    v4_.clear();
    for (const Cidr& range : ranges_) {
      const Ip first = std::max(range.first, Ip::V4(0)), last = std::min(range.last, Ip::V4(~uint32_t{0}));
      if (first <= last) v4_.push_back({first.v4(), last.v4() - first.v4()});
    }
    marks_.clear();
    if (v4_.size() > kFew && std::all_of(v4_.begin(), v4_.end(), [](const V4Range& r) { return r.span == 0; })) {
      constexpr size_t kBitsEach = 16;  // of each sixteen other addresses one is searched for
      const size_t bits = std::min(std::bit_ceil(v4_.size() * kBitsEach), size_t{1} << 32);
      marks_.resize(bits / 64);
      shift_ = 32 - std::countr_zero(bits);
      for (const V4Range& range : v4_) marks_[MarkOf(range.first) / 64] |= uint64_t{1} << (MarkOf(range.first) % 64);
    }
  }

  // What was added, sorted, without overlaps; after Build.
  const std::vector<Cidr>& ranges() const& { return ranges_; }
  const std::vector<Cidr>& ranges() const&& = delete;

  // O(log n).
  bool Contains(const Ip& ip) const {
    const auto after =
        std::upper_bound(ranges_.begin(), ranges_.end(), ip, [](const Ip& a, const Cidr& b) { return a < b.first; });
    return after != ranges_.begin() && ip <= std::prev(after)->last;
  }
  // The same of an IPv4 address.
  bool ContainsV4(uint32_t ip) const {
    if (v4_.size() <= kFew) {  // without branches that cannot be foreseen
      bool in = false;
      for (const V4Range& range : v4_) in |= ip - range.first <= range.span;
      return in;
    }
    if (!marks_.empty() && (marks_[MarkOf(ip) / 64] >> (MarkOf(ip) % 64) & 1) == 0) return false;
    const auto after =
        std::upper_bound(v4_.begin(), v4_.end(), ip, [](uint32_t a, const V4Range& b) { return a < b.first; });
    return after != v4_.begin() && ip - std::prev(after)->first <= std::prev(after)->span;
  }

 private:
  static constexpr size_t kFew = 8;
  struct V4Range {
    uint32_t first, span;  // last - first
  };
  size_t MarkOf(uint32_t ip) const { return size_t{ip * 0x9E3779B1u} >> shift_; }

  std::vector<Cidr> ranges_;
  std::vector<V4Range> v4_;  // what ranges_ hold of IPv4
  // Of many single addresses a bit by hash: most addresses are known not to be among them by one look.
  std::vector<uint64_t> marks_;
  int shift_ = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FILTER_CIDR_SET_H_
