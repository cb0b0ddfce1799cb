// Sessions: two unidirectional records, or forty over many windows and several interfaces, become one conversation.
//
// Example:
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
//   state            what became of it, see below
//   decided_by       the evidence for client and server, the first of these that decides:
//                    syn: the side whose records have SYN without ACK is the client, one with SYN-ACK the server.
//                    service-port: one port is a service's and the other is not, or is a less certain one (of two names
//                    the one below 1024 serves), whichever end was seen first or alone; or one port talks with four or
//                    more ports of others and the other does not.
//                    flow-direction: the side seen first by interfaces that tell ingress from egress.
//                    first-seen: the side seen first.
//                    none: protocols without ports, and what began in the same second between ports of no service.
//   counted          false for the second leg of a conversation that is in the result already: from a NAT gateway to
//                    the server, from a load balancer to its target. The sum of bytes over counted sessions has every
//                    byte once.
//   client_known     false without evidence (decided_by is none). The two ends then stand as client and server in an
//                    order that says nothing of roles, the same for the same records: who sent first; who sent more
//                    bytes; more packets; the lower port; the lower address.
//   conn_state       Zeek's name, of TCP with tcp-flags; null otherwise, see below
//   answered         whether it came about: established, or established and then reset; of TCP the client sent three
//                    packets, which neither a refused try nor half a handshake has. Null where the logs cannot show
//                    answers. The detectors' definition, too.
//
// State. The records of one end are let through, blocked or absent. They are blocked if an interface has only REJECT
// for them, unless the receiver's interface let them in. With ACCEPT (A), REJECT (R), or no record (-) at the sender's
// interface, egress, and at the receiver's, ingress:
//
//   sender  receiver  |  its records are         A and R at one interface, in whatever windows: A
//     A        A         let through             Logs without flow-direction: blocked if any interface has R alone
//     A        R         blocked
//     A        -         let through
//     R        A         let through (the receiver has them: a record of the sender is missing)
//     R      R or -      blocked
//     -        A         let through
//     -        R         blocked
//     -        -         absent
//
//   one end       the other      |  state
//   let through   let through       established; reset if a side sent RST, or if without flags it looks refused: TCP,
//                                   each answer a bare header (40 bytes, 60 of IPv6), no more of them than tries
//   let through   blocked           half (a security group lets answers out, a network ACL does not)
//   let through   absent            client's: unanswered, if it is what a try sends: three packets, or of TCP seven
//                                   (SYN and its six repetitions) and no more bytes than those take; reset if RST is
//                                   among them; one-way if it is more. The server's: one-way, or reset.
//   blocked       blocked, absent   rejected
//
// Logs that hold one direction only (exports of egress or ingress, filters on one side's port) are known by it that
// three sessions of TCP that must have been answered (more than a try, or FIN after it; a twentieth at least of those
// seen one way) have no answer, while all accepted records are ingress, or all egress, or hardly any session (one in a
// hundred of these) has both ends. The report then
// has a warning, and what was let through of one end alone is one-way, never unanswered. Logs of accepted traffic only
// hold both directions; that they hold no REJECT does not show.
//
// conn_state (C client, S server; flags of all records OR-ed, so order within a window is lost):
//   S0      C SYN, no record of S, no more than a try: certain if the server's side is logged
//   REJ     C SYN, S RST without SYN-ACK: certain
//   S1      SYN, SYN-ACK, no FIN or RST: certain; still open when the logs end
//   SF      FIN of both: certain
//   S2, S3  FIN of C, of S only: may be SF, cut at the end of the logs
//   RSTO, RSTR      RST of C, of S after SYN-ACK, FIN or not: certain; null if both sent RST (who was first is lost)
//   RSTOS0  C SYN and RST, no record of S: a half-open scan, or C gave up
//   SH      C SYN and FIN, no record of S
//   RSTRH, SHR      S SYN-ACK and RST, and FIN, no record of C: C is not logged, or its address was made up
//   OTH     no SYN: begun before the logs; or SYN-ACK alone
//   null    not TCP, no tcp-flags, rejected and half (Zeek has no such), one direction only, SYN or SYN-ACK of both
//           sides (connections OR-ed together), one-way with more than a try and no FIN or RST, and SYN answered by
//           neither SYN-ACK nor RST
//
// The same bytes at several interfaces (source, destination, NAT, load balancer) count once: each direction has the
// figures of one vantage point, see SessionSpec::vantage.
//
// A session is a second leg if some record shows its client standing for its server (a NAT gateway's records have the
// gateway as srcaddr or dstaddr and the server as pkt-srcaddr or pkt-dstaddr), or if its client's address is an
// intermediary's: of an interface whose interface-type is nat_gateway, regional_nat_gateway or network_load_balancer,
// or named in SessionSpec::intermediaries.
//
// With SessionSpec::fold_above there is a last column, `sources`, which is null in the rows of sessions. After these the
// rows follow that stand for folded tries, without client and not `counted`: for each server, minute, port and protocol
// of 16 tries or more (and each port of UDP senders, `client_port`; the rest of a server's minute has neither port nor
// protocol) the tries in `records`, their packets in `client_packets`, and the hosts that sent them in `sources`. The
// last one, without server, counts all folded tries, and their hosts by a DistinctSketch. What is folded is the same in
// any order of the records.
//
// Needs srcaddr, dstaddr, start and end; the better the more it has of srcport, dstport, protocol, interface-id,
// packets, bytes, action, tcp-flags, flow-direction, pkt-srcaddr, pkt-dstaddr, interface-type. O(1) a record, expected;
// memory for all sessions, within ScanOptions::max_memory: 224 bytes each while they are gathered, 500 to 660 at the
// peak with the result's table (525,000 sessions, 1 and 2 threads); 24 bytes for each folded try. The result does not depend on the order of the
// records, nor on threads.
#ifndef VPCFLOW_SESSION_SESSIONS_H_
#define VPCFLOW_SESSION_SESSIONS_H_

#include <array>
#include <cstdint>
#include <string>
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
  std::vector<Ip> intermediaries{};  // addresses of NAT gateways and load balancers, beyond those that the log tells
  bool ordered = true;               // false: rows in any order, a tenth faster; for what does not go by it (Detection)
  // If there are more tries than this, those of hosts that are seen once or twice, and by nothing but such tries, are
  // folded into counts (0: never). A try is a session of one record, of three packets at most, that nobody answered.
  uint64_t fold_above = 0;
  std::vector<std::string> fold_not{};  // prefixes of hosts whose tries stay sessions
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SESSION_SESSIONS_H_
