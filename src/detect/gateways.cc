#include "src/detect/gateways.h"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// What both legs of a translated session share.
uint64_t LegOf(const SessionRow& row) {
  return absl::HashOf(row.server, row.port, row.protocol, row.sent, row.received);
}
// What the first leg has in common with the host's own record of the session.
uint64_t FirstLegOf(const SessionRow& row) {
  return absl::HashOf(row.client, row.port, row.protocol, row.sent, row.received);
}

bool GoesOut(const Sessions& sessions, const SessionRow& row) {
  return sessions.Is(row.client, kInside) && sessions.IsOutside(row.server);
}

constexpr uint32_t kNobody = 0xFFFFFFFF;

// The inside hosts that have sessions of one leg.
struct Clients {
  uint32_t first, second = kNobody;
  bool more = false;
  bool two() const { return second != kNobody && !more; }
};
using ClientsByLeg = absl::flat_hash_map<uint64_t, Clients>;

// Marks the hosts to which others went first: four in five of their sessions, and kLeastFirst or more, are those of just
// one other host that has the same with them, too.
void MarkByFirstLegs(const Sessions& sessions, const Array<SessionRow>& rows, const ClientsByLeg& clients,
                     std::vector<bool>* out) {
  constexpr uint64_t kLeastFirst = 4;
  absl::flat_hash_set<uint64_t> expected;  // first legs, with where they lead
  absl::flat_hash_map<uint32_t, uint64_t> outgoing, confirmed;
  for (const SessionRow& row : rows) {
    if (!GoesOut(sessions, row)) continue;
    const auto at = clients.find(LegOf(row));
    if (at == clients.end()) continue;
    ++outgoing[row.client];
    if (at->second.two())
      expected.insert(absl::HashOf(FirstLegOf(row), at->second.first ^ at->second.second ^ row.client));
  }
  if (expected.empty()) return;
  for (const SessionRow& row : rows) {
    if (!sessions.Is(row.client, kInside) || !sessions.Is(row.server, kInside)) continue;
    if (expected.contains(absl::HashOf(FirstLegOf(row), row.server))) ++confirmed[row.server];
  }
  for (const auto& [host, first] : confirmed) {
    if (first >= kLeastFirst && 5 * first >= 4 * outgoing[host]) (*out)[host] = true;
  }
}

// By address whether it is a gateway. Of many sessions a part is looked at, which has both legs or none of them.
std::vector<bool> FindGateways(const Sessions& sessions, const Array<SessionRow>& rows) {
  constexpr size_t kLooked = 1'000'000;
  const uint64_t parts = rows.size() / kLooked + 1;
  ClientsByLeg clients;
  for (const SessionRow& row : rows) {
    if (!GoesOut(sessions, row)) continue;
    const uint64_t leg = LegOf(row);
    if (leg % parts != 0) continue;
    const auto [at, added] = clients.try_emplace(leg, Clients{row.client});
    Clients& own = at->second;
    if (added || own.first == row.client || own.second == row.client) continue;
    if (own.second == kNobody) {
      own.second = row.client;
    } else {
      own.more = true;
    }
  }
  struct Shared {
    uint64_t alone = 0, shared = 0;
    std::vector<uint32_t> partners{};  // three at most
  };
  absl::flat_hash_map<uint32_t, Shared> shared;
  const auto add = [&](uint32_t client, uint32_t partner) {
    Shared& own = shared[client];
    ++own.shared;
    if (own.partners.size() < 3 && std::find(own.partners.begin(), own.partners.end(), partner) == own.partners.end())
      own.partners.push_back(partner);
  };
  for (const auto& [leg, own] : clients) {
    if (own.more) continue;
    if (own.second == kNobody) {
      ++shared[own.first].alone;
    } else {
      add(own.first, own.second);
      add(own.second, own.first);
    }
  }
  std::vector<bool> out(sessions.address_count());
  for (const auto& [client, own] : shared)
    out[client] = own.shared >= 20 && own.shared >= 4 * own.alone && own.partners.size() >= 3;
  MarkByFirstLegs(sessions, rows, clients, &out);
  return out;
}

}  // namespace

std::map<uint32_t, uint64_t> DropRepeated(const Sessions& sessions, Array<SessionRow>* rows) {
  const std::vector<bool> gateway = FindGateways(sessions, *rows);
  if (std::find(gateway.begin(), gateway.end(), true) == gateway.end()) return {};
  absl::flat_hash_set<uint64_t> legs, repeated, first_legs;
  for (const SessionRow& row : *rows) {
    if (GoesOut(sessions, row) && gateway[row.client]) legs.insert(LegOf(row));
  }
  for (const SessionRow& row : *rows) {
    if (!GoesOut(sessions, row) || gateway[row.client] || !legs.contains(LegOf(row))) continue;
    repeated.insert(LegOf(row));
    first_legs.insert(FirstLegOf(row));
  }
  Array<SessionRow> kept;
  std::map<uint32_t, uint64_t> dropped;
  for (const SessionRow& row : *rows) {
    const bool second = GoesOut(sessions, row) && gateway[row.client] && repeated.contains(LegOf(row));
    const bool first = sessions.Is(row.client, kInside) && gateway[row.server] && first_legs.contains(FirstLegOf(row));
    if (!second && !first) {
      kept.push_back(row);
    } else {
      ++dropped[second ? row.client : row.server];
    }
  }
  *rows = std::move(kept);
  return dropped;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
