// Gateways: inside hosts that hand on what others send, as NAT gateways do. Logs without packet addresses (version 2)
// show what goes through them twice.
#ifndef VPCFLOW_SRC_DETECT_GATEWAYS_H_
#define VPCFLOW_SRC_DETECT_GATEWAYS_H_

#include <cstdint>
#include <map>

#include "src/detect/sessions.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Takes out the sessions that gateways repeat: with an outside host, if another inside host has one with it of the same
// port, protocol and bytes; and the first leg, from the host to the gateway. A gateway is an inside host of whose
// sessions with outside ones four in five, and 20 or more, are those of just one other host each, of three hosts or more;
// or of fewer hosts, and four or more sessions, if these hosts have the same with it, as the first legs.
// A host behind it is none: all of its sessions are the gateway's. Memory: an entry for each of up to a million sessions.
// Returns by gateway how many sessions were taken out.
std::map<uint32_t, uint64_t> DropRepeated(const Sessions& sessions, Array<SessionRow>* rows);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_GATEWAYS_H_
