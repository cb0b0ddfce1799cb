// Protocol names: the IANA protocol numbers by the names that people and other tools write.
#ifndef VPCFLOW_SRC_FORMAT_PROTOCOLS_H_
#define VPCFLOW_SRC_FORMAT_PROTOCOLS_H_

#include <algorithm>
#include <optional>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct ProtocolName {
  std::string_view name;  // in lower case
  int number;
};
inline constexpr ProtocolName kProtocolNames[] = {
    {"icmp", 1},  {"igmp", 2},   {"ipip", 4},    {"tcp", 6},        {"udp", 17},      {"gre", 47},
    {"esp", 50},  {"ah", 51},    {"icmpv6", 58}, {"ipv6-icmp", 58}, {"eigrp", 88},    {"ospf", 89},
    {"pim", 103}, {"vrrp", 112}, {"l2tp", 115},  {"sctp", 132},     {"udplite", 136},
};

// The number of a protocol name in any case, or nothing.
constexpr std::optional<int> FindProtocol(std::string_view name) {
  for (const ProtocolName& known : kProtocolNames) {
    if (std::equal(name.begin(), name.end(), known.name.begin(), known.name.end(),
                   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; }))
      return known.number;
  }
  return std::nullopt;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FORMAT_PROTOCOLS_H_
