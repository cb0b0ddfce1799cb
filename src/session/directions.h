// DirectionCounts: how many sessions the logs show in both directions, for logs that hold one direction only.
#ifndef VPCFLOW_SRC_SESSION_DIRECTIONS_H_
#define VPCFLOW_SRC_SESSION_DIRECTIONS_H_

#include <cstdint>
#include <string>

#include "src/session/store.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct DirectionCounts {
  uint64_t two_way = 0, one_way = 0;  // sessions with records of both ends, of one
  uint64_t tcp = 0;                   // of those seen one way: of TCP, and let through
  uint64_t unheard = 0;               // of those: they must have been answered

  // Adds a session. `names` has the names of interfaces.
  void Add(const SessionStore& store, const Interner& names, const EndpointPair& pair, const Session& session);
  void Merge(const DirectionCounts& other);
};

// Which directions accepted records have: a bit for each value of InterfaceView::flow.
struct FlowBits {
  uint8_t bits = 0;
  void Add(uint8_t flow) { bits |= static_cast<uint8_t>(1 << flow); }
  bool ingress_only() const { return bits == 1 << InterfaceView::kIngress; }
  bool egress_only() const { return bits == 1 << InterfaceView::kEgress; }
  bool one() const { return ingress_only() || egress_only(); }
};

// Whether logs with these counts hold one direction only (vpcflow/session/sessions.h has the rule), and the warning
// that says so. `filtered` tells that a filter stands before the sessions.
bool IsOneDirection(const DirectionCounts& counts, FlowBits flows);
std::string OneDirectionWarning(const DirectionCounts& counts, FlowBits flows, bool filtered);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_DIRECTIONS_H_
