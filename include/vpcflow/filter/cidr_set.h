// CidrSet: membership of addresses in a set of prefixes and single addresses, IPv4 and IPv6 alike.
//
// Example:
//   vpcflow::CidrSet set;
//   vpcflow::Cidr cidr;
//   if (vpcflow::ParseCidr("10.0.0.0/8", &cidr)) set.Add(cidr);
//   set.Build();
//   set.Contains(ip);
#ifndef VPCFLOW_FILTER_CIDR_SET_H_
#define VPCFLOW_FILTER_CIDR_SET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one at once through const members; changes are for one thread alone.
class CidrSet {
 public:
  // Adds a prefix. Answers know it after Build. A prefix of IPv6 holds addresses of IPv6 alone: not even ::/0 holds IPv4.
  void Add(const Cidr& cidr);

  // Sorts and joins the prefixes. Call it once after the last Add. O(n log n).
  void Build();

  // Returns what was added, sorted and without overlaps, after Build.
  const std::vector<Cidr>& ranges() const& { return ranges_; }
  const std::vector<Cidr>& ranges() const&& = delete;

  // Returns whether an address lies in one of the prefixes. O(log n).
  bool Contains(const Ip& ip) const;
  // Returns the same for an IPv4 address in host order, faster.
  bool ContainsV4(uint32_t ip) const;

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

#include "vpcflow/filter/cidr_set-inl.h"

#endif  // VPCFLOW_FILTER_CIDR_SET_H_
