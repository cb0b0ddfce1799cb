// SessionRoles: which end of a session is the client. What the session's own records do not tell, all sessions
// together may.
#ifndef VPCFLOW_SRC_SESSION_ROLES_H_
#define VPCFLOW_SRC_SESSION_ROLES_H_

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "src/session/directions.h"
#include "src/session/store.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What told the client from the server.
enum class DecidedBy : int32_t { kFlags, kFlowDirection, kServicePort, kFirstSeen, kNone };
inline constexpr std::array<const char*, 5> kDecidedByNames = {"syn", "flow-direction", "service-port", "first-seen",
                                                               "none"};

struct Role {
  size_t client;  // an end
  DecidedBy decided;
};

class SessionRoles {
 public:
  // Weighs all sessions. `ended` counts those that were taken out before; `flows` has the directions of accepted
  // records. `store` and `names` must outlive it.
  SessionRoles(const SessionStore& store, const Interner& names, const DirectionCounts& ended, FlowBits flows);

  Role RoleOf(const EndpointPair& pair, const Session& session) const;
  // Whether the logs hold one direction only.
  bool one_direction() const { return one_direction_; }
  const DirectionCounts& directions() const { return directions_; }

 private:
  struct Endpoint {
    Ip address;
    uint32_t port;
    int32_t protocol;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
    template <class H>
    friend H AbslHashValue(H h, const Endpoint& e) {
      return H::combine(std::move(h), e.address.hi, e.address.lo, e.port, e.protocol);
    }
  };
  // The ports that talk with an endpoint: a client's has one peer or a few, a server's as many as come.
  struct Peers {
    std::array<uint32_t, 4> ports{};
    uint8_t count = 0;
    bool accepted = false;  // it sent SYN-ACK
    bool serves() const { return accepted || count == ports.size(); }
    void Add(uint32_t port);
  };

  bool SaidSomething(const EndpointPair& pair, const Session& session) const;
  bool NeedsPeers(const EndpointPair& pair, const Session& session) const;
  size_t FirstEnd(const EndpointPair& pair, const Session& session) const;

  const SessionStore& store_;
  const Interner& names_;
  absl::flat_hash_map<Endpoint, Peers> peers_;  // of sessions that their own records do not decide
  DirectionCounts directions_;
  bool one_direction_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_ROLES_H_
