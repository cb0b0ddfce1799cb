// Match: which packets a rule of a security group or a network ACL is about, as AWS defines it.
//
// Example:
//   vpcflow::Match https;
//   https.protocol = 6;
//   https.first_port = https.last_port = 443;
//   vpcflow::Cidr anywhere;
//   if (vpcflow::ParseCidr("0.0.0.0/0", &anywhere)) https.peers.push_back(anywhere);
//   const vpcflow::Packet packet{.peer = vpcflow::Ip::V4(0x08080808), .protocol = 6, .port = 22};
//   const vpcflow::Missed missed = vpcflow::MissedBy(https, packet);   // missed.port: it is about another port
#ifndef VPCFLOW_REACH_MATCH_H_
#define VPCFLOW_REACH_MATCH_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// What rules say of a packet. kMaybe: what is known of the packet or of the rules does not decide it.
enum class Permit : uint8_t { kDeny, kMaybe, kAllow };

// A packet as one interface sees it, in one direction.
struct Packet {
  Ip peer{};             // the remote address: the source of what comes in, the destination of what goes out
  uint8_t protocol = 6;  // IANA's number
  uint16_t port = 0;     // the destination port of TCP and UDP; not looked at for other protocols
  // Of ICMP. Flow logs have neither: without them a rule for one type matches maybe.
  std::optional<uint8_t> icmp_type{}, icmp_code{};
};

struct Match {
  std::optional<uint8_t> protocol{};                // none: all ("-1"), whatever the ports
  uint16_t first_port = 0, last_port = 0xFFFF;      // destination ports of TCP and UDP, both ends included
  std::optional<uint8_t> icmp_type{}, icmp_code{};  // of ICMP; none: any
  std::vector<Cidr> peers{};                        // addresses, of either family
  bool peers_unknown = false;                       // there are more of them, which nobody knows
};

// What keeps a packet from matching. All false: it matches, or does maybe.
struct Missed {
  bool protocol = false, port = false, icmp = false, peer = false;
  bool any() const { return protocol || port || icmp || peer; }
};

inline bool HasPorts(uint8_t protocol) { return protocol == 6 || protocol == 17; }
inline bool IsIcmp(uint8_t protocol) { return protocol == 1 || protocol == 58; }

// Returns whether a packet's type and code are those of a rule for ICMP: kMaybe if the packet's are not known.
inline Permit MatchesIcmp(const Match& match, const Packet& packet) {
  if (!match.protocol || !IsIcmp(packet.protocol) || !match.icmp_type) return Permit::kAllow;
  if (packet.icmp_type && *packet.icmp_type != *match.icmp_type) return Permit::kDeny;
  if (packet.icmp_type && packet.icmp_code && match.icmp_code && *packet.icmp_code != *match.icmp_code)
    return Permit::kDeny;
  return packet.icmp_type && (packet.icmp_code || !match.icmp_code) ? Permit::kAllow : Permit::kMaybe;
}

// Returns whether an address lies in a prefix of its family: "::/0" holds no IPv4 address, as 0.0.0.0/0 no IPv6 one.
inline bool Holds(const Cidr& prefix, const Ip& address) {
  const bool v4 = prefix.first.is_v4() && prefix.last.is_v4();
  return address.is_v4() == v4 && prefix.first <= address && address <= prefix.last;
}

// Tells why a rule is not about a packet, part by part. For people: O(peers).
inline Missed MissedBy(const Match& match, const Packet& packet) {
  Missed out;
  out.protocol = match.protocol && *match.protocol != packet.protocol;
  if (!out.protocol && match.protocol && HasPorts(packet.protocol))
    out.port = packet.port < match.first_port || packet.port > match.last_port;
  out.icmp = !out.protocol && MatchesIcmp(match, packet) == Permit::kDeny;
  out.peer = !match.peers_unknown && std::none_of(match.peers.begin(), match.peers.end(),
                                                  [&](const Cidr& peers) { return Holds(peers, packet.peer); });
  return out;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_REACH_MATCH_H_
