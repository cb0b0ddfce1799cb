// What is new: talks that a baseline of the past has not.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <type_traits>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/detect/detectors.h"
#include "vpcflow/enrich/aws.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::array<int32_t, 4> kUsualProtocols = {1, 6, 17, 58};  // ICMP, TCP, UDP, ICMP of IPv6

// Talks of one source with hosts: sessions by host.
struct Fresh {
  Counts hosts;
  uint64_t sessions = 0;
  Span span;

  void Add(std::span<const SessionRow> rows) {
    for (const SessionRow& row : rows) {
      if (!row.Is(kAnswered)) continue;
      if (hosts.empty() || hosts.back().first != row.server) hosts.emplace_back(row.server, 0);
      ++hosts.back().second;
      ++sessions;
      span.Add(row);
    }
  }
  double score() const { return 1 - 0.5 / static_cast<double>(hosts.size()); }
  Finding Tell(const Asked& asked, uint32_t source, std::string_view detector, std::string_view technique,
               Severity severity, double score) const {
    Finding f =
        Made(detector, technique, severity, asked.sessions.address(source), MostOf(asked.sessions, hosts), span, score);
    f.Note("hosts", Signed(hosts.size())).Note("sessions", Signed(sessions));
    return f;
  }
};

// Calls tell(source, what, talks) for what each source did for the first time: what_of(row) says what the sessions of
// that server, port and protocol are, and is none if that is nothing new.
template <class Of, class Tell>
void ForEachFresh(const Asked& asked, Of what_of, Tell tell) {
  using What = typename std::invoke_result_t<Of, const SessionRow&>::value_type;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    std::map<What, Fresh> fresh;
    ForEachRun(asked.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      if (const std::optional<What> what = what_of(rows[0])) fresh[*what].Add(rows);
    });
    for (const auto& [what, talks] : fresh) {
      if (!talks.hosts.empty()) tell(source, what, talks);
    }
  }
}

// Inside hosts that talk to outside ones.
bool Outwards(const Asked& asked, uint32_t client, uint32_t server) {
  return asked.inside(client) && !asked.inside(server);
}

// What sources did before, each in how many sessions; and how likely something new is by that: the share of sessions
// that were the only one of their kind (I. J. Good, "The population frequencies of species", 1953, and Turing), here
// with one more of both. A host whose past has few sessions, or something new all day, is surprised by nothing.
template <class What>
class Habits {
 public:
  // what_of(edge): none for what does not count.
  template <class Of>
  Habits(const Asked& asked, Of what_of) : chance_(asked.settings.new_chance) {
    for (const PastEdge& edge : asked.sessions.past()) {
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
  Finding Tell(const Asked& asked, uint32_t source, const Fresh& fresh, std::string_view detector,
               std::string_view technique, Severity severity) const {
    const Past& past = past_.at(source);
    Finding f = fresh.Tell(asked, source, detector, technique, severity, 1 - 0.5 * past.chance() / chance_);
    f.Note("past_sessions", Signed(past.sessions)).Note("past_once", Signed(past.once));
    return f;
  }
  std::string FirstTime(uint32_t source) const {
    return absl::StrCat(" for the first time in ", Commas(past_.at(source).sessions), " sessions");
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
Habits(const Asked&, Of) -> Habits<typename std::invoke_result_t<Of, const PastEdge&>::value_type>;

}  // namespace

std::vector<Finding> FindNewAdminEdges(const Asked& asked) {
  std::vector<Finding> out;
  if (!asked.sessions.has_past()) return out;
  absl::flat_hash_set<std::tuple<uint32_t, uint32_t, int32_t>> known;
  for (const PastEdge& edge : asked.sessions.past()) known.insert({edge.client, edge.server, edge.port});
  const auto port_of = [&](const SessionRow& row) -> std::optional<int32_t> {
    if (!IsOneOf(kLateralPorts, row.port) || !asked.inside(row.client) || !asked.inside(row.server)) return {};
    return known.contains({row.client, row.server, row.port}) ? std::nullopt : std::optional(row.port);
  };
  ForEachFresh(asked, port_of, [&](uint32_t source, int32_t port, const Fresh& fresh) {
    Finding f = fresh.Tell(asked, source, "new_admin_edge", "T1021", Severity::kMedium, fresh.score());
    f.Note("dstport", int64_t{port});
    f.sentence = absl::StrCat(asked.text(source), " reached port ", port, " of ", Commas(fresh.hosts.size()),
                              " inside hosts for the first time", When(fresh.span));
    out.push_back(std::move(f));
  });
  return out;
}

std::vector<Finding> FindNewPorts(const Asked& asked) {
  std::vector<Finding> out;
  const auto port_of = [&](const auto& row) -> std::optional<int32_t> {
    if (!HasPort(row.port) || row.port >= kDynamicPorts || !Outwards(asked, row.client, row.server)) return {};
    return row.port;
  };
  const Habits habits(asked, port_of);
  ForEachFresh(asked, habits.Unusual(port_of), [&](uint32_t source, int32_t port, const Fresh& fresh) {
    Finding f = habits.Tell(asked, source, fresh, "new_port", "T1571", Severity::kLow);
    f.Note("dstport", int64_t{port});
    f.sentence = absl::StrCat(asked.text(source), " used port ", port, " of outside hosts (", ToString(f.targets[0]),
                              ")", habits.FirstTime(source), When(fresh.span));
    out.push_back(std::move(f));
  });
  return out;
}

std::vector<Finding> FindNewProtocols(const Asked& asked) {
  std::vector<Finding> out;
  const auto protocol_of = [&](const auto& row) -> std::optional<int32_t> {
    return row.protocol == kNullInt32 || !asked.inside(row.client) ? std::nullopt : std::optional(row.protocol);
  };
  const Habits habits(asked, protocol_of);
  ForEachFresh(asked, habits.Unusual(protocol_of), [&](uint32_t source, int32_t protocol, const Fresh& fresh) {
    const Severity severity = IsOneOf(kUsualProtocols, protocol) ? Severity::kLow : Severity::kMedium;
    Finding f = habits.Tell(asked, source, fresh, "new_protocol", "T1095", severity);
    f.Note("protocol", int64_t{protocol});
    f.sentence = absl::StrCat(asked.text(source), " used protocol ", protocol, " (", ToString(f.targets[0]), ")",
                              habits.FirstTime(source), When(fresh.span));
    out.push_back(std::move(f));
  });
  return out;
}

// Without those of S3, whose addresses change all day.
std::vector<Finding> FindNewDestinations(const Asked& asked) {
  std::vector<Finding> out;
  const std::shared_ptr<const Labels> s3 = AwsS3();
  const auto server_of = [&](const auto& row) -> std::optional<uint32_t> {
    if (!Outwards(asked, row.client, row.server)) return {};
    return s3->OfAddress(asked.sessions.address(row.server), 0) == Labels::kNone ? std::optional(row.server)
                                                                                 : std::nullopt;
  };
  const Habits habits(asked, server_of);
  ForEachFresh(asked, habits.Unusual(server_of), [&](uint32_t source, uint32_t, const Fresh& fresh) {
    Finding f = habits.Tell(asked, source, fresh, "new_destination", "T1071", Severity::kLow);
    f.sentence = absl::StrCat(asked.text(source), " talked to ", ToString(f.targets[0]), habits.FirstTime(source),
                              When(fresh.span));
    out.push_back(std::move(f));
  });
  return out;
}

std::vector<Finding> FindNewCountries(const Asked& asked) {
  std::vector<Finding> out;
  const Labels* countries = asked.settings.countries.get();
  if (!asked.sessions.has_past() || countries == nullptr) return out;
  std::set<uint32_t> known;  // numbers of labels
  for (const PastEdge& edge : asked.sessions.past()) {
    if (Outwards(asked, edge.client, edge.server))
      known.insert(countries->OfAddress(asked.sessions.address(edge.server), 0));
  }
  const auto country_of = [&](const SessionRow& row) -> std::optional<uint32_t> {
    if (!Outwards(asked, row.client, row.server)) return {};
    const uint32_t country = countries->OfAddress(asked.sessions.address(row.server), row.start);
    return country == Labels::kNone || known.contains(country) ? std::nullopt : std::optional(country);
  };
  ForEachFresh(asked, country_of, [&](uint32_t source, uint32_t country, const Fresh& fresh) {
    const std::string& name = countries->label(country);
    Finding f = fresh.Tell(asked, source, "new_country", "T1071", Severity::kMedium, fresh.score());
    f.Note(asked.settings.countries_are_networks ? "network" : "country", name);
    f.Note("geo_of", asked.settings.countries_date);
    f.sentence = absl::StrCat(asked.text(source), " talked to ", ToString(f.targets[0]), " in ", name,
                              ", where none of your hosts has talked to before", When(fresh.span));
    out.push_back(std::move(f));
  });
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
