// What is new: talks that a baseline of the past has not.
#include <map>
#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/detect/detectors.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Talks of one source with hosts: sessions by host.
struct Fresh {
  Counts hosts;
  uint64_t sessions = 0;
  Span span;

  void Add(uint32_t host, std::span<const SessionRow> rows) {
    for (const SessionRow& row : rows) {
      if ((row.traits & kTalked) == 0) continue;
      if (hosts.empty() || hosts.back().first != host) hosts.emplace_back(host, 0);
      ++hosts.back().second;
      ++sessions;
      span.Add(row);
    }
  }
  Finding Tell(const Asked& asked, uint32_t source, std::string_view detector, std::string_view technique,
               Severity severity) const {
    Finding f = Made(detector, technique, severity, asked.sessions.address(source), MostOf(asked.sessions, hosts), span,
                     1 - 0.5 / static_cast<double>(hosts.size()));
    f.Note("hosts", Signed(hosts.size())).Note("sessions", Signed(sessions));
    return f;
  }
};

// Inside hosts that talk to outside ones.
bool Outwards(const Asked& asked, uint32_t client, uint32_t server) {
  return asked.inside(client) && !asked.inside(server);
}

}  // namespace

std::vector<Finding> FindNewAdminEdges(const Asked& asked) {
  std::vector<Finding> out;
  if (!asked.sessions.has_past()) return out;
  absl::flat_hash_set<std::tuple<uint32_t, uint32_t, int32_t>> known;
  for (const PastEdge& edge : asked.sessions.past()) known.insert({edge.client, edge.server, edge.port});
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    if (!asked.inside(source)) continue;
    std::map<int32_t, Fresh> by_port;
    ForEachRun(asked.sessions.of(source), ByService, [&](std::span<const SessionRow> rows) {
      const uint32_t host = rows[0].server;
      const int32_t port = rows[0].port;
      if (!IsOneOf(kLateralPorts, port) || !asked.inside(host) || known.contains({source, host, port})) return;
      by_port[port].Add(host, rows);
    });
    for (const auto& [port, fresh] : by_port) {
      if (fresh.hosts.empty()) continue;
      Finding f = fresh.Tell(asked, source, "new_admin_edge", "T1021", Severity::kMedium);
      f.Note("dstport", int64_t{port});
      f.sentence = absl::StrCat(asked.text(source), " reached port ", port, " of ", Commas(fresh.hosts.size()),
                                " inside hosts for the first time", When(fresh.span));
      out.push_back(std::move(f));
    }
  }
  return out;
}

// Hosts without any past are left out.
std::vector<Finding> FindNewPorts(const Asked& asked) {
  std::vector<Finding> out;
  absl::flat_hash_set<std::pair<uint32_t, int32_t>> known;
  absl::flat_hash_set<uint32_t> sources;
  for (const PastEdge& edge : asked.sessions.past()) {
    if (edge.port == kNullInt32 || edge.port >= kDynamicPorts || !Outwards(asked, edge.client, edge.server)) continue;
    known.insert({edge.client, edge.port});
    sources.insert(edge.client);
  }
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    if (!sources.contains(source)) continue;
    std::map<int32_t, Fresh> by_port;
    ForEachRun(asked.sessions.of(source), ByService, [&](std::span<const SessionRow> rows) {
      const int32_t port = rows[0].port;
      if (port == kNullInt32 || port >= kDynamicPorts || asked.inside(rows[0].server) || known.contains({source, port}))
        return;
      by_port[port].Add(rows[0].server, rows);
    });
    for (const auto& [port, fresh] : by_port) {
      if (fresh.hosts.empty()) continue;
      Finding f = fresh.Tell(asked, source, "new_port", "T1571", Severity::kLow);
      f.Note("dstport", int64_t{port});
      f.sentence = absl::StrCat(asked.text(source), " used port ", port, " of outside hosts (", ToString(f.targets[0]),
                                ") for the first time", When(fresh.span));
      out.push_back(std::move(f));
    }
  }
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
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    if (!asked.inside(source)) continue;
    std::map<uint32_t, Fresh> by_country;
    ForEachRun(asked.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const uint32_t host = rows[0].server;
      if (asked.inside(host)) return;
      const uint32_t country = countries->OfAddress(asked.sessions.address(host), rows[0].start);
      if (country != Labels::kNone && !known.contains(country)) by_country[country].Add(host, rows);
    });
    for (const auto& [country, fresh] : by_country) {
      if (fresh.hosts.empty()) continue;
      const std::string& name = countries->label(country);
      Finding f = fresh.Tell(asked, source, "new_country", "T1071", Severity::kMedium);
      f.Note(asked.settings.countries_are_networks ? "network" : "country", name);
      f.Note("geo_of", asked.settings.countries_date);
      f.sentence = absl::StrCat(asked.text(source), " talked to ", ToString(f.targets[0]), " in ", name,
                                ", where none of your hosts has talked to before", When(fresh.span));
      out.push_back(std::move(f));
    }
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
