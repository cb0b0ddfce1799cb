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
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

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
  }

  // O(log n).
  bool Contains(const Ip& ip) const {
    const auto after =
        std::upper_bound(ranges_.begin(), ranges_.end(), ip, [](const Ip& a, const Cidr& b) { return a < b.first; });
    return after != ranges_.begin() && ip <= std::prev(after)->last;
  }

 private:
  std::vector<Cidr> ranges_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FILTER_CIDR_SET_H_
