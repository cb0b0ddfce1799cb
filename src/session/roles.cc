// Who was the client of a session, and whether the logs hold both directions: what the session's own records do not
// tell, all sessions together may.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/session/state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr uint32_t kFirstEphemeral = 32768;  // Linux's; others begin at 49152
constexpr uint32_t kFirstPrivileged = 600;   // from here to 1023 privileged clients call, too (NFS, rsh)

constexpr uint64_t kLeastUnheard = 3;  // sessions without the answer they must have had, that are no accident

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

}  // namespace

void SessionState::Peers::Add(uint32_t port) {
  const auto end = ports.begin() + count;
  if (count < ports.size() && std::find(ports.begin(), end, port) == end) ports[count++] = port;
}

void SessionState::Directions::Add(const Directions& other) {
  two_way += other.two_way;
  one_way += other.one_way;
  tcp += other.tcp;
  unheard += other.unheard;
}

void SessionState::CountDirections(const Key& key, const Run& run, Directions* out) const {
  if (run.two_way()) {
    ++out->two_way;
    return;
  }
  ++out->one_way;
  if (key.protocol != kTcp) return;
  Sight sight;
  Look(run, 0, &sight);
  const size_t sender = run.seen(0) ? 0 : 1;
  if (sight.passage[sender] != Passage::kPassed) return;
  ++out->tcp;
  const uint64_t packets = sight.most_packets[sender];
  const bool closed = packets >= 3 && (run.flags[sender] & kFin) != 0;  // nobody takes leave of who did not answer
  if (closed || !IsTry(packets, sight.most_bytes[sender], kTcp, !key.address[0].is_v4())) ++out->unheard;
}

// Whether something was said, whoever began.
bool SessionState::CameAbout(const Key& key, const Run& run) const {
  if (!run.two_way()) {  // most are tries, so this takes nothing but their views
    for (uint32_t v = run.views; v != kNone; v = views_[v].next) {
      const View& view = views_[v];
      if (view.rejected < view.records && !IsTry(view.packets, view.bytes, key.protocol, !key.address[0].is_v4()))
        return true;
    }
    return false;
  }
  Sight sight;
  Look(run, 0, &sight);
  const auto answered = [&](size_t client) {
    const SessionFacts facts = FactsOf(key, run, client, sight);
    return AnsweredOf(facts, KindOf(facts)) == true;
  };
  return answered(0) && answered(1);
}

// The server by flags: a side whose records have SYN without ACK is the client, one with SYN-ACK the server.
template <class Flags>
static std::optional<size_t> ServerBySyn(const Flags& flags) {
  std::array<bool, 2> is_client{};
  for (size_t i = 0; i < 2; ++i) is_client[i] = (flags[i] & kSynAck) == kSyn || (flags[1 - i] & kSynAck) == kSynAck;
  if (is_client[0] == is_client[1]) return std::nullopt;
  return is_client[0] ? 1 : 0;
}

SessionState::Evidence SessionState::Weigh() const {
  Evidence out;
  out.directions = ended_;
  std::vector<uint32_t> open;  // keys with sessions that are told by their peers, if by anything
  for (uint32_t k = 0; k < keys_.size(); ++k) {
    const Key& key = keys_[k];
    for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) {
      const Run& run = runs_[r];
      ++(run.two_way() ? out.directions.two_way : out.directions.one_way);
      if (!HasPorts(key.protocol) || key.port[0] == kNone || key.port[1] == kNone || ServerBySyn(run.flags) ||
          SureServer(key.port) || key.port[0] == key.port[1] || (!open.empty() && open.back() == k) ||
          !CameAbout(key, run))
        continue;
      open.push_back(k);
    }
  }
  // The sizes of sessions are looked at only where hardly any has two directions, or records go one way.
  if (OneFlow() || out.directions.two_way * 100 <= out.directions.one_way) {
    out.directions = ended_;
    for (uint32_t k = 0; k < keys_.size(); ++k) {
      for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) CountDirections(keys_[k], runs_[r], &out.directions);
    }
    const auto& [two_way, one_way, tcp, unheard] = out.directions;
    out.one_direction = unheard >= kLeastUnheard && unheard * 20 >= tcp && (OneFlow() || two_way * 100 <= unheard);
  }
  for (const uint32_t k : open) {
    const Key& key = keys_[k];
    for (size_t i = 0; i < 2; ++i) out.peers[{key.address[i], key.port[i], key.protocol}].Add(key.port[1 - i]);
  }
  if (out.peers.empty()) return out;
  for (uint32_t k = 0; k < keys_.size(); ++k) {
    const Key& key = keys_[k];
    for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) {
      const std::optional<size_t> server = ServerBySyn(runs_[r].flags);
      if (!server || (runs_[r].flags[*server] & kSynAck) != kSynAck) continue;
      const auto found = out.peers.find({key.address[*server], key.port[*server], key.protocol});
      if (found != out.peers.end()) found->second.accepted = true;
    }
  }
  return out;
}

std::string SessionState::WarningOf(const Evidence& evidence) const {
  if (!evidence.one_direction) return {};
  const auto& [two_way, one_way, tcp, unheard] = evidence.directions;
  return absl::StrCat(filtered_ ? "what the filter leaves of the logs holds" : "the logs hold", " one direction only: ",
                      OneFlow()
                          ? absl::StrCat("every accepted record is ", flows_ == 2 ? "ingress" : "egress")
                          : absl::StrCat(two_way, " of ", two_way + one_way, " sessions have records of both ends"),
                      "; answers cannot be seen, so no session is unanswered");
}

SessionState::Role SessionState::RoleOf(const Key& key, const Run& run, const Evidence& evidence) const {
  if (const std::optional<size_t> server = ServerBySyn(run.flags)) return {1 - *server, kBySyn};
  if (!HasPorts(key.protocol)) return {AheadOf(key, run), kByNone};
  const bool ports = key.port[0] != kNone && key.port[1] != kNone;
  if (ports) {
    if (const std::optional<size_t> server = SureServer(key.port)) return {1 - *server, kByServicePort};
    if (key.port[0] != key.port[1] && !evidence.peers.empty()) {
      std::array<bool, 2> serves{};
      for (size_t i = 0; i < 2; ++i) {
        const auto found = evidence.peers.find({key.address[i], key.port[i], key.protocol});
        serves[i] = found != evidence.peers.end() && found->second.serves();
      }
      if (serves[0] != serves[1]) return {serves[0] ? size_t{1} : 0, kByServicePort};
    }
    if (const std::optional<size_t> server = RegisteredServer(key.port)) return {1 - *server, kByServicePort};
  }
  // Who was seen first tells nothing where the other end cannot be seen.
  const bool times = !evidence.one_direction || run.two_way();
  const auto earlier = [](const std::array<int64_t, 2>& first) { return first[0] < first[1] ? size_t{0} : 1; };
  if (times && run.first_seen[0] != run.first_seen[1]) return {earlier(run.first_seen), kByFlowDirection};
  if (ports && (run.two_way() || evidence.one_direction)) {
    if (const std::optional<size_t> server = LowServer(key.port)) return {1 - *server, kByServicePort};
  }
  if (times && run.first[0] != run.first[1]) return {earlier(run.first), kByFirstSeen};
  return {AheadOf(key, run), kByNone};
}

// Where nothing tells the client: the end that stands first. The address comes last, so that it decides only between
// ends that are the same otherwise.
size_t SessionState::AheadOf(const Key& key, const Run& run) const {
  if (run.first[0] != run.first[1]) return run.first[0] < run.first[1] ? 0 : 1;
  Sight sight;
  Look(run, 0, &sight);
  if (sight.most_bytes[0] != sight.most_bytes[1]) return sight.most_bytes[0] > sight.most_bytes[1] ? 0 : 1;
  if (sight.most_packets[0] != sight.most_packets[1]) return sight.most_packets[0] > sight.most_packets[1] ? 0 : 1;
  return key.port[1] < key.port[0] ? 1 : 0;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
