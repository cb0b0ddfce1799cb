// Definitions of cidr_set.h; include that.
#ifndef VPCFLOW_FILTER_CIDR_SET_INL_H_
#define VPCFLOW_FILTER_CIDR_SET_INL_H_

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN

inline void CidrSet::Add(const Cidr& cidr) {
  constexpr Ip first = Ip::V4(0), last = Ip::V4(~uint32_t{0});  // IPv4 in its 128-bit form
  if (cidr.first < first && last < cidr.last) {
    ranges_.push_back({cidr.first, {first.hi, first.lo - 1}});
    ranges_.push_back({{last.hi, last.lo + 1}, cidr.last});
  } else {
    ranges_.push_back(cidr);
  }
}

inline void CidrSet::Build() {
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

inline bool CidrSet::Contains(const Ip& ip) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), ip, [](const Ip& a, const Cidr& b) { return a < b.first; });
  return after != ranges_.begin() && ip <= std::prev(after)->last;
}

inline bool CidrSet::ContainsV4(uint32_t ip) const {
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

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FILTER_CIDR_SET_INL_H_
