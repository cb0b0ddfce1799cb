#include "src/session/roles.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "src/session/totals.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr uint32_t kFirstEphemeral = 32768;  // Linux's; others begin at 49152
constexpr uint32_t kFirstPrivileged = 600;   // from here to 1023 privileged clients call, too (NFS, rsh)

// Ports above 1023 that are services' (IANA, and what AWS's databases and common servers listen on). In order.
constexpr uint16_t kServicePorts[] = {1433, 1521, 1883, 2049, 2181, 2375, 2376,  2379,  2380,  3000,  3128,  3306,
                                      3389, 4317, 5000, 5044, 5432, 5439, 5601,  5671,  5672,  5900,  5985,  5986,
                                      6379, 6443, 6667, 7000, 7001, 8000, 8080,  8081,  8125,  8140,  8182,  8200,
                                      8300, 8443, 8500, 8883, 8888, 9000, 9042,  9090,  9092,  9093,  9094,  9096,
                                      9098, 9100, 9200, 9300, 9418, 9999, 10250, 11211, 15672, 27017, 27018, 50000};
// Services among the ports from which privileged clients call. In order.
constexpr uint16_t kPrivilegedServices[] = {601, 623, 631, 636, 646, 749, 750, 808, 843, 853, 860,
                                            873, 902, 903, 989, 990, 991, 992, 993, 994, 995};

// From the surest service to what is none's.
enum class PortClass : uint8_t { kWellKnown, kRegistered, kPrivileged, kOther };

PortClass ClassOf(uint32_t port) {
  if (port < kFirstPrivileged ||
      std::binary_search(std::begin(kPrivilegedServices), std::end(kPrivilegedServices), port))
    return PortClass::kWellKnown;
  if (port < 1024) return PortClass::kPrivileged;
  return std::binary_search(std::begin(kServicePorts), std::end(kServicePorts), port) ? PortClass::kRegistered
                                                                                      : PortClass::kOther;
}

// The end that is the server's by its port, whatever else is known of it.
std::optional<size_t> SureServer(const std::array<uint32_t, 2>& port) {
  const PortClass classes[] = {ClassOf(port[0]), ClassOf(port[1])};
  if (classes[0] == classes[1]) return std::nullopt;
  const size_t server = classes[0] < classes[1] ? 0 : 1;
  // A port of services may be a client's, too, if the system gives it to clients, or if the other one may be a
  // server's.
  const bool registered = classes[server] == PortClass::kRegistered && classes[1 - server] == PortClass::kOther;
  const bool sure = !registered || (port[server] < kFirstEphemeral && port[1 - server] >= kFirstEphemeral);
  return sure ? std::optional(server) : std::nullopt;
}

// The end that has a service's port, if just one has; then the end whose port no system gives to clients.
std::optional<size_t> RegisteredServer(const std::array<uint32_t, 2>& port) {
  const bool service[] = {ClassOf(port[0]) < PortClass::kOther, ClassOf(port[1]) < PortClass::kOther};
  if (service[0] == service[1]) return std::nullopt;
  return service[0] ? 0 : 1;
}
std::optional<size_t> LowServer(const std::array<uint32_t, 2>& port) {
  if ((port[0] < kFirstEphemeral) == (port[1] < kFirstEphemeral)) return std::nullopt;
  return port[0] < kFirstEphemeral ? 0 : 1;
}

bool HasPorts(int32_t protocol) {
  switch (protocol) {
    case 6:
    case 17:
    case 33:
    case 132:
    case 136: return true;
    default: return protocol < 0;  // not told
  }
}

// The server by flags: a side whose records have SYN without ACK is the client, one with SYN-ACK the server.
std::optional<size_t> ServerBySyn(const std::array<uint32_t, 2>& flags) {
  std::array<bool, 2> is_client{};
  for (size_t i = 0; i < 2; ++i) is_client[i] = (flags[i] & kSynAck) == kSyn || (flags[1 - i] & kSynAck) == kSynAck;
  if (is_client[0] == is_client[1]) return std::nullopt;
  return is_client[0] ? 1 : 0;
}

}  // namespace

void SessionRoles::Peers::Add(uint32_t port) {
  const auto end = ports.begin() + count;
  if (count < ports.size() && std::find(ports.begin(), end, port) == end) ports[count++] = port;
}

SessionRoles::SessionRoles(const SessionStore& store, const Interner& names, const DirectionCounts& ended,
                           FlowBits flows)
    : store_(store), names_(names), directions_(ended) {
  std::vector<uint32_t> open;  // pairs with sessions that are told by their peers, if by anything
  store.ForEach([&](uint32_t p, const Session& session) {
    ++(session.two_way() ? directions_.two_way : directions_.one_way);
    if ((open.empty() || open.back() != p) && NeedsPeers(store.pair(p), session)) open.push_back(p);
  });
  // The sizes of sessions are looked at only where hardly any has two directions, or records go one way.
  if (flows.one() || directions_.two_way * 100 <= directions_.one_way) {
    directions_ = ended;
    store.ForEach([&](uint32_t p, const Session& session) { directions_.Add(store, names, store.pair(p), session); });
    one_direction_ = IsOneDirection(directions_, flows);
  }
  for (const uint32_t p : open) {
    const EndpointPair& pair = store.pair(p);
    for (size_t i = 0; i < 2; ++i) peers_[{pair.address[i], pair.port[i], pair.protocol}].Add(pair.port[1 - i]);
  }
  if (peers_.empty()) return;
  store.ForEach([&](uint32_t p, const Session& session) {
    const std::optional<size_t> server = ServerBySyn(session.flags);
    if (!server || (session.flags[*server] & kSynAck) != kSynAck) return;
    const EndpointPair& pair = store.pair(p);
    const auto found = peers_.find({pair.address[*server], pair.port[*server], pair.protocol});
    if (found != peers_.end()) found->second.accepted = true;
  });
}

// Whether nothing but the peers of its ends tells the roles of a session.
bool SessionRoles::NeedsPeers(const EndpointPair& pair, const Session& session) const {
  return HasPorts(pair.protocol) && pair.has_ports() && !ServerBySyn(session.flags) && !SureServer(pair.port) &&
         pair.port[0] != pair.port[1] && SaidSomething(pair, session);
}

// Whether a session has more than tries, whoever began.
bool SessionRoles::SaidSomething(const EndpointPair& pair, const Session& session) const {
  if (!session.two_way()) {  // most are tries, so this takes nothing but their views
    return store_.AnyView(session, [&](const InterfaceView& view) {
      return view.rejected < view.records && !IsTry(view.packets, view.bytes, pair.protocol, pair.v6());
    });
  }
  SessionTotals totals;
  AddUpViews(store_, session, names_, Vantage::kMost, 0, &totals);
  const auto answered = [&](size_t client) {
    const SessionFacts facts = FactsOf(pair, session, client, totals);
    return AnsweredOf(facts, KindOf(facts)) == true;
  };
  return answered(0) && answered(1);
}

Role SessionRoles::RoleOf(const EndpointPair& pair, const Session& session) const {
  if (const std::optional<size_t> server = ServerBySyn(session.flags)) return {1 - *server, DecidedBy::kFlags};
  if (!HasPorts(pair.protocol)) return {FirstEnd(pair, session), DecidedBy::kNone};
  if (pair.has_ports()) {
    if (const std::optional<size_t> server = SureServer(pair.port)) return {1 - *server, DecidedBy::kServicePort};
    if (pair.port[0] != pair.port[1] && !peers_.empty()) {
      std::array<bool, 2> serves{};
      for (size_t i = 0; i < 2; ++i) {
        const auto found = peers_.find({pair.address[i], pair.port[i], pair.protocol});
        serves[i] = found != peers_.end() && found->second.serves();
      }
      if (serves[0] != serves[1]) return {serves[0] ? size_t{1} : 0, DecidedBy::kServicePort};
    }
    if (const std::optional<size_t> server = RegisteredServer(pair.port)) return {1 - *server, DecidedBy::kServicePort};
  }
  // Who was seen first tells nothing where the other end cannot be seen.
  const bool times = !one_direction_ || session.two_way();
  const auto earlier = [](const std::array<int64_t, 2>& first) { return first[0] < first[1] ? size_t{0} : 1; };
  if (times && session.first_seen[0] != session.first_seen[1])
    return {earlier(session.first_seen), DecidedBy::kFlowDirection};
  if (pair.has_ports() && (session.two_way() || one_direction_)) {
    if (const std::optional<size_t> server = LowServer(pair.port)) return {1 - *server, DecidedBy::kServicePort};
  }
  if (times && session.first[0] != session.first[1]) return {earlier(session.first), DecidedBy::kFirstSeen};
  return {FirstEnd(pair, session), DecidedBy::kNone};
}

// The end that stands first where nothing tells the client. The address comes last, so that it decides only between
// ends that are the same otherwise.
size_t SessionRoles::FirstEnd(const EndpointPair& pair, const Session& session) const {
  if (session.first[0] != session.first[1]) return session.first[0] < session.first[1] ? 0 : 1;
  SessionTotals totals;
  AddUpViews(store_, session, names_, Vantage::kMost, 0, &totals);
  if (totals.most_bytes[0] != totals.most_bytes[1]) return totals.most_bytes[0] > totals.most_bytes[1] ? 0 : 1;
  if (totals.most_packets[0] != totals.most_packets[1]) return totals.most_packets[0] > totals.most_packets[1] ? 0 : 1;
  return pair.port[1] < pair.port[0] ? 1 : 0;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
