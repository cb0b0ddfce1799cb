// Sessions: two unidirectional records, or forty over many windows and several interfaces, become one conversation.
//
//   vpcflow::PlanSpec spec;
//   spec.sessions = vpcflow::SessionSpec{.idle = 600};
//   absl::StatusOr<vpcflow::Result> result = vpcflow::Plan::Make(spec)->Run(sources, {});
//
// Records of the same two endpoints (address and port) and protocol are one session as long as no two that follow each
// other are further apart than `idle` seconds. Endpoints are the packets' (pkt-srcaddr, pkt-dstaddr) where the log has
// them, so that a NAT gateway's records belong to the conversation behind it.
//
// Columns of the result, a row a session, sorted by start, client, server:
//   client, client_port, server, server_port, protocol    ports are null for protocols without
//   start, end, duration                                   of the first and last record; seconds
//   client_bytes, server_bytes, client_packets, server_packets   sent by each
//   records                                                of all interfaces
//   interface, interfaces                                  the vantage point of the client's bytes; how many saw it
//   client_flags, server_flags                             TCP flags of all its records
//   state            rejected: nothing was let through. half: one direction was let through and the other was not (a
//                    security group lets answers out, a network ACL does not). reset: a side sent RST. unanswered: only
//                    the client sent. established: both did.
//   decided_by       what told client from server, the best of: syn (the side whose records have SYN without ACK, or
//                    SYN-ACK on the other), flow-direction (the side that was seen first by interfaces that tell
//                    ingress from egress), service-port (one port is a service's), first-seen, none (the lower
//                    endpoint)
//   counted          false for the second leg of a conversation that is in the result already: from a NAT gateway to
//                    the server, from a load balancer to its target. The sum of bytes over counted sessions has every
//                    byte once.
//
// The same bytes at several interfaces (source, destination, NAT, load balancer) count once: each direction has the
// figures of one vantage point, see SessionSpec::vantage.
//
// A session is a second leg if some record shows its client standing for its server (a NAT gateway's records have the
// gateway as srcaddr or dstaddr and the server as pkt-srcaddr or pkt-dstaddr), or if its client's address is an
// intermediary's: of an interface whose interface-type is nat_gateway, regional_nat_gateway or network_load_balancer,
// or named in SessionSpec::intermediaries.
//
// Needs srcaddr, dstaddr, start and end; the better the more it has of srcport, dstport, protocol, interface-id,
// packets, bytes, action, tcp-flags, flow-direction, pkt-srcaddr, pkt-dstaddr, interface-type. O(1) a record, expected;
// memory for all sessions (about 200 bytes each), within ScanOptions::max_memory. The result does not depend on the
// order of the records, nor on threads.
#ifndef VPCFLOW_PLAN_SESSIONS_H_
#define VPCFLOW_PLAN_SESSIONS_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Whose figures a session has.
enum class Vantage : uint8_t {
  kMost,    // each direction's of the interface that saw most of it
  kClient,  // of the interface at the client's side, if one tells, else as kMost
  kServer,  // likewise at the server's
  kAll      // of all interfaces together: bytes count as often as they were seen
};
inline constexpr std::array<std::string_view, 4> kVantageNames = {"most", "client", "server", "all"};

struct SessionSpec {
  int64_t idle = 600;  // seconds, at least 1
  Vantage vantage = Vantage::kMost;
  std::vector<Ip> intermediaries;  // addresses of NAT gateways and load balancers, beyond those that the log tells
  bool ordered = true;             // false: rows in any order, a tenth faster; for what does not go by it (Detection)
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_PLAN_SESSIONS_H_
