// Those who get in, or try to: brute force, unauthorised access, lateral movement, known bad addresses.
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "src/detect/detectors.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

std::vector<Finding> FindBruteForce(const Asked& asked) {
  const DetectSettings& s = asked.settings;
  std::vector<Finding> out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    const std::span<const SessionRow> all = asked.sessions.of(source);
    if (Signed(all.size()) < s.brute_sessions) continue;
    ForEachRun(all, ByService, [&](std::span<const SessionRow> rows) {
      const int32_t port = rows[0].port;
      if (Signed(rows.size()) < s.brute_sessions) return;
      if (!IsOneOf(kAdminPorts, port) && (!IsOneOf(kDatabasePorts, port) || asked.inside(source))) return;
      Span span;
      std::vector<uint64_t> sizes;
      for (const SessionRow& row : rows) {
        if (!row.Is(kAnswered) || !row.Is(kBegan)) continue;
        sizes.push_back(row.sent);
        span.Add(row);
      }
      const auto sessions = Signed(sizes.size());
      if (sizes.empty() || sessions < s.brute_sessions) return;
      const auto typical = Signed(QuantileOf(&sizes, 0.5)), most = Signed(QuantileOf(&sizes, 0.95));
      if (typical > s.brute_bytes || most > 4 * s.brute_bytes) return;
      const Ip& host = asked.sessions.address(rows[0].server);
      const auto seconds = static_cast<double>(std::max<int64_t>(span.last - span.first, 60));
      Finding f = Made("brute_force", "T1110", sessions >= 2 * s.brute_sessions ? Severity::kHigh : Severity::kMedium,
                       asked.sessions.address(source), {host}, span,
                       ScoreOf(static_cast<double>(s.brute_sessions), static_cast<double>(sessions)));
      f.sentence = absl::StrCat(asked.text(source), " opened ", Commas(sizes.size()), " short sessions to ",
                                ToString(host), " port ", port, When(span));
      f.Note("sessions", sessions)
          .Note("dstport", int64_t{port})
          .Note("typical", typical)
          .Note("most", most)
          .Note("sessions_per_hour", Rounded(static_cast<double>(sessions) * 3600 / seconds, 1));
      out.push_back(std::move(f));
    });
  }
  return out;
}

namespace {

// The sessions that came about.
struct Talks {
  uint64_t sessions = 0;
  uint128 sent = 0, received = 0;  // of the client and of the server
  Span span;
};

Talks TalksOf(std::span<const SessionRow> rows) {
  Talks out;
  for (const SessionRow& row : rows) {
    if (!row.Is(kAnswered)) continue;
    ++out.sessions;
    out.sent += row.sent;
    out.received += row.received;
    out.span.Add(row);
  }
  return out;
}

// A sensitive service that a source did not get into, however often it tried.
std::optional<Finding> InVain(const Asked& asked, std::span<const SessionRow> rows) {
  Span span;
  int64_t tries = 0;
  for (const SessionRow& row : rows) {
    tries += row.Is(kFailed) ? 1 : 0;
    span.Add(row);
  }
  if (tries < std::max<int64_t>(asked.settings.access_tries, 1)) return std::nullopt;
  const Ip &from = asked.sessions.address(rows[0].client), &host = asked.sessions.address(rows[0].server);
  // Outside hosts try every address of the internet all day.
  const Severity severity = asked.inside(rows[0].client) ? Severity::kMedium : Severity::kLow;
  Finding f = Made("unauthorised_access", "T1133", severity, from, {host}, span,
                   ScoreOf(static_cast<double>(asked.settings.access_tries), static_cast<double>(tries)));
  f.sentence = absl::StrCat(ToString(from), " tried ", ToString(host), " port ", rows[0].port, " ", Commas(tries),
                            " times without answer", When(span));
  f.Note("dstport", int64_t{rows[0].port}).Note("tries", tries);
  return f;
}

}  // namespace

std::vector<Finding> FindUnauthorisedAccess(const Asked& asked) {
  std::vector<Finding> out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    const bool outside = !asked.inside(source);
    if (outside && asked.sessions.Is(source, kAdministers)) continue;
    ForEachRun(asked.sessions.of(source), ByService, [&](std::span<const SessionRow> rows) {
      const int32_t port = rows[0].port;
      if (!asked.inside(rows[0].server) || (!IsOneOf(kAdminPorts, port) && !IsOneOf(kDatabasePorts, port))) return;
      const auto [sessions, sent, received, span] = TalksOf(rows);
      if (sessions == 0) {
        if (std::optional<Finding> f = InVain(asked, rows)) out.push_back(*std::move(f));
        return;
      }
      if (!outside) return;
      const Ip &from = asked.sessions.address(source), &host = asked.sessions.address(rows[0].server);
      Finding f = Made("unauthorised_access", "T1133", Severity::kMedium, from, {host}, span,
                       ScoreOf(1, static_cast<double>(sessions)));
      f.sentence =
          absl::StrCat(ToString(from), ", outside, talked to ", ToString(host), " port ", port, ": ", Commas(sessions),
                       " sessions, ", Commas(sent), " bytes sent, ", Commas(received), " received");
      f.Note("srcaddr", from)
          .Note("dstaddr", host)
          .Note("dstport", int64_t{port})
          .Note("sessions", Signed(sessions))
          .Note("bytes", sent)
          .Note("received", received);
      out.push_back(std::move(f));
    });
  }
  return out;
}

std::vector<Finding> FindLateralMovement(const Asked& asked) {
  const DetectSettings& s = asked.settings;
  std::vector<Finding> out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    const std::span<const SessionRow> rows = asked.sessions.of(source);
    if (!asked.inside(source) || Signed(rows.size()) < s.lateral_hosts) continue;
    Span span;
    uint64_t tries = 0, failed = 0;
    std::map<uint32_t, uint64_t> hosts;
    std::set<int32_t> ports;
    for (const SessionRow& row : rows) {
      if (!IsOneOf(kLateralPorts, row.port) || !asked.inside(row.server)) continue;
      ++tries;
      failed += row.Is(kFailed) ? 1 : 0;
      ++hosts[row.server];
      ports.insert(row.port);
      span.Add(row);
    }
    const auto reached = Signed(hosts.size());
    if (hosts.empty() || reached < s.lateral_hosts ||
        static_cast<double>(failed) < s.lateral_failed * static_cast<double>(tries))
      continue;
    Finding f = Made("lateral_movement", "T1021", Severity::kHigh, asked.sessions.address(source),
                     MostOf(asked.sessions, Counts(hosts.begin(), hosts.end())), span,
                     ScoreOf(static_cast<double>(s.lateral_hosts), static_cast<double>(reached)));
    f.sentence = absl::StrCat(asked.text(source), " tried services of ", Commas(hosts.size()), " inside hosts, ",
                              Commas(failed), " of ", Commas(tries), " without answer", When(span));
    f.evidence = {
        {"hosts", reached}, {"services", Signed(ports.size())}, {"failed", Signed(failed)}, {"tries", Signed(tries)}};
    out.push_back(std::move(f));
  }
  return out;
}

namespace {

// Sessions that came about between two hosts, one of which is listed.
Finding Listed(const Asked& asked, std::span<const SessionRow> rows, bool server) {
  const auto [sessions, sent, received, span] = TalksOf(rows);
  const Ip &from = asked.sessions.address(rows[0].client), &to = asked.sessions.address(rows[0].server);
  std::vector<Ip> targets;
  if (server && from != to) targets.push_back(to);
  Finding f = Made("known_bad", "T1071", Severity::kHigh, server ? from : to, std::move(targets), span,
                   sessions == 0 ? 0.5 : ScoreOf(1, static_cast<double>(sessions)));
  f.sentence = absl::StrCat(ToString(server ? from : to), server ? " talked to " : " was reached by ",
                            ToString(server ? to : from), ", which is listed, ", Commas(sessions), " times");
  f.Note("srcaddr", from)
      .Note("dstaddr", to)
      .Note("sessions", Signed(sessions))
      .Note("bytes", sent)
      .Note("received", received);
  if (!asked.settings.bad_date.empty()) f.Note("list_of", asked.settings.bad_date);
  return f;
}

}  // namespace

std::vector<Finding> FindKnownBad(const Asked& asked) {
  std::vector<Finding> out;
  if (asked.settings.bad.empty()) return out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    const bool client = asked.sessions.Is(source, kListed);
    ForEachRun(asked.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const bool server = asked.sessions.Is(rows[0].server, kListed);
      const auto talked = [](const SessionRow& row) { return row.Is(kAnswered); };
      if ((!client && !server) || std::none_of(rows.begin(), rows.end(), talked)) return;
      if (server) out.push_back(Listed(asked, rows, true));
      if (client) out.push_back(Listed(asked, rows, false));
    });
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
