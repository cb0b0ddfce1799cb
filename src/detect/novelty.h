// Novelty: what a source did for the first time, beside a baseline of the past.
#ifndef VPCFLOW_SRC_DETECT_NOVELTY_H_
#define VPCFLOW_SRC_DETECT_NOVELTY_H_

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr Setting<double> kNewChance = {
    "new_chance", 0.01, "chance",
    "how likely, by a host's past, a session with something new may be at most (Good and Turing): 0.01 takes a hundred "
    "sessions in which nothing came only once"};
// Settings and inputs of detectors that go by habits.
inline constexpr const SettingInfo* kHabitSettings[] = {&kNewChance};
inline constexpr std::string_view kBaseline[] = {"baseline"};

// The answered sessions of one source in which it did something for the first time, by host.
struct FirstSeen {
  Counts hosts;
  uint64_t sessions = 0;
  ServicePorts services;
  std::set<int32_t> protocols;
  Span span;

  void Add(std::span<const SessionRow> rows) {
    for (const SessionRow& row : rows) {
      if (!row.Is(kAnswered)) continue;
      protocols.insert(row.protocol);
      services.Add(row);
      if (hosts.empty() || hosts.back().first != row.server) hosts.emplace_back(row.server, 0);
      ++hosts.back().second;
      ++sessions;
      span.Add(row);
    }
  }
  double score() const { return 1 - 0.5 / static_cast<double>(hosts.size()); }
  Finding ToFinding(const DetectorContext& context, uint32_t source, Severity severity, double score) const {
    Finding f = MakeFinding(severity, context.sessions.address(source), MostOf(context.sessions, hosts), span, score);
    f.AddEvidence("hosts", Signed(hosts.size())).AddEvidence("sessions", Signed(sessions));
    services.AddTo(&f);
    return f;
  }
  // Returns "port 53", "UDP port 53"; "port 53" for several protocols, which the evidence names.
  std::string PortText(int32_t port) const {
    return ServiceText(port, protocols.size() == 1 ? *protocols.begin() : kNullInt32);
  }
};

// Calls fn(source, what, sessions) for what each source did for the first time: what_of(row) says what the sessions of
// that server, port and protocol are, and is none if that is nothing new.
template <class Of, class Fn>
void ForEachFirstSeen(const DetectorContext& context, Of what_of, Fn fn) {
  using What = typename std::invoke_result_t<Of, const SessionRow&>::value_type;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    std::map<What, FirstSeen> first_seen;
    ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      if (const std::optional<What> what = what_of(rows[0])) first_seen[*what].Add(rows);
    });
    for (const auto& [what, sessions] : first_seen) {
      if (!sessions.hosts.empty()) fn(source, what, sessions);
    }
  }
}

// Returns whether an inside host talks to an outside one.
inline bool Outwards(const DetectorContext& context, uint32_t client, uint32_t server) {
  return context.inside(client) && context.outside(server);
}

// What sources did before, each in how many sessions; and how likely something new is by that: the share of sessions
// that were the only one of their kind (I. J. Good, "The population frequencies of species", 1953, and Turing), here
// with one more of both. A host whose past has few sessions, or something new all day, is surprised by nothing.
template <class What>
class Habits {
 public:
  // what_of(edge): none for what does not count.
  template <class Of>
  Habits(const DetectorContext& context, Of what_of) : chance_(context.Get(kNewChance)) {
    for (const PastEdge& edge : context.sessions.past()) {
      if (const std::optional<What> what = what_of(edge)) sessions_[{edge.client, *what}] += edge.sessions;
    }
    for (const auto& [own, sessions] : sessions_) {
      Past& past = past_[own.first];
      past.sessions += sessions;
      past.once += sessions == 1 ? 1 : 0;
    }
  }
  // Of a session: what is new and should not be.
  template <class Of>
  auto Unusual(Of what_of) const {
    return [this, what_of](const SessionRow& row) -> std::optional<What> {
      const std::optional<What> what = what_of(row);
      if (!what || sessions_.contains({row.client, *what})) return {};
      const auto past = past_.find(row.client);
      return past == past_.end() || past->second.chance() > chance_ ? std::nullopt : what;
    };
  }
  Finding ToFinding(const DetectorContext& context, uint32_t source, const FirstSeen& first_seen,
                    Severity severity) const {
    const Past& past = past_.at(source);
    Finding f = first_seen.ToFinding(context, source, severity, 1 - 0.5 * past.chance() / chance_);
    f.AddEvidence("past_sessions", Signed(past.sessions)).AddEvidence("past_once", Signed(past.once));
    return f;
  }
  std::string FirstTime(uint32_t source) const {
    return absl::StrCat(" for the first time in ", Counted(past_.at(source).sessions, "session"));
  }

 private:
  struct Past {
    uint64_t sessions = 0, once = 0;
    double chance() const { return static_cast<double>(once + 1) / static_cast<double>(sessions + 1); }
  };
  double chance_;
  absl::flat_hash_map<std::pair<uint32_t, What>, uint64_t> sessions_;
  absl::flat_hash_map<uint32_t, Past> past_;
};
template <class Of>
Habits(const DetectorContext&, Of) -> Habits<typename std::invoke_result_t<Of, const PastEdge&>::value_type>;

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_NOVELTY_H_
