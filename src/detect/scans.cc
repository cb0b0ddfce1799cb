// Those who try what does not answer: port scans, and what they found.
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/detect/detectors.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Tries of one source at one target.
struct Tries {
  uint64_t different = 0, failed = 0, all = 0;
  Span span;
  bool MostlyFailed(const DetectSettings& s) const {
    return static_cast<double>(failed) >= s.scan_failed * static_cast<double>(all);
  }
  void Add(const SessionRow& row) {
    ++all;
    failed += row.Is(kFailed) ? 1 : 0;
    span.Add(row);
  }
};

// The ports at which a host answered, the first twenty by sessions. `rows` are of one host, by port.
std::vector<int64_t> AnsweredPorts(std::span<const SessionRow> rows) {
  std::vector<std::pair<int64_t, uint64_t>> counts;
  for (const SessionRow& row : rows) {
    if (!row.Is(kOpen) || row.port == kNullInt32) continue;
    if (counts.empty() || counts.back().first != row.port) counts.emplace_back(row.port, 0);
    ++counts.back().second;
  }
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<int64_t> out;
  for (size_t i = 0; i < std::min<size_t>(20, counts.size()); ++i) out.push_back(counts[i].first);
  return out;
}

// Many ports of one host.
void Vertical(const Asked& asked, uint32_t source, std::vector<Finding>* out) {
  const DetectSettings& s = asked.settings;
  ForEachRun(asked.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
    if (Signed(rows.size()) < s.scan_ports) return;
    std::map<int32_t, std::pair<Tries, int32_t>> by_protocol;  // with the last port that did not answer
    for (const SessionRow& row : rows) {
      auto& [tries, last] = by_protocol.try_emplace(row.protocol, Tries(), kNullInt32).first->second;
      tries.Add(row);
      if (!row.Is(kFailed) || row.port == last) continue;
      last = row.port;
      ++tries.different;
    }
    for (const auto& [protocol, found] : by_protocol) {
      const Tries& tries = found.first;
      const auto ports = Signed(tries.different);
      if (ports < s.scan_ports || !tries.MostlyFailed(s)) continue;
      const std::vector<int64_t> answered = AnsweredPorts(rows);
      // What the whole internet gets all day long is no news, as long as nobody answers.
      const bool daily = ports < 2 * s.scan_ports && !asked.inside(source);
      const Severity severity = ports >= 4 * s.scan_ports || !answered.empty() ? Severity::kHigh
                                : daily                                        ? Severity::kLow
                                                                               : Severity::kMedium;
      Finding f =
          Made("port_scan", "T1046", severity, asked.sessions.address(source), {asked.sessions.address(rows[0].server)},
               tries.span, ScoreOf(static_cast<double>(s.scan_ports), static_cast<double>(ports)));
      f.sentence =
          absl::StrCat(asked.text(source), " tried ", Commas(tries.different), " ports of ", asked.text(rows[0].server),
                       answered.empty() ? ", none of which answered" : ", which answered on ",
                       absl::StrJoin(answered, ", "), When(tries.span));
      f.Note("ports", ports)
          .Note("failed", Signed(tries.failed))
          .Note("tries", Signed(tries.all))
          .Note("protocol", NumberOrNone(protocol))
          .Note("answered_ports", answered);
      out->push_back(std::move(f));
    }
  });
}

// One port of many hosts.
void Horizontal(const Asked& asked, uint32_t source, std::vector<Finding>* out) {
  const DetectSettings& s = asked.settings;
  const std::span<const SessionRow> all = asked.sessions.of(source);
  std::vector<SessionRow> by_port(all.begin(), all.end());
  std::sort(by_port.begin(), by_port.end(), [](const SessionRow& a, const SessionRow& b) {
    return std::tie(a.port, a.protocol, a.server) < std::tie(b.port, b.protocol, b.server);
  });
  const auto of_port = [](const SessionRow& row) { return row.port; };
  ForEachRun(by_port, of_port, [&](std::span<const SessionRow> rows) {
    if (Signed(rows.size()) < s.scan_hosts) return;
    ForEachRun(
        rows, [](const SessionRow& row) { return row.protocol; },
        [&](std::span<const SessionRow> own) {
          Tries tries;
          uint32_t last = std::numeric_limits<uint32_t>::max();
          for (const SessionRow& row : own) {
            tries.Add(row);
            if (!row.Is(kFailed) || row.server == last) continue;
            last = row.server;
            ++tries.different;
          }
          const auto hosts = Signed(tries.different);
          if (hosts < s.scan_hosts || !tries.MostlyFailed(s)) return;
          std::map<uint32_t, uint64_t> counts;  // of all protocols
          for (const SessionRow& row : rows) ++counts[row.server];
          const bool small = hosts < 10 * s.scan_hosts && !asked.inside(source);
          Finding f = Made("port_scan", "T1046", small ? Severity::kLow : Severity::kMedium,
                           asked.sessions.address(source), MostOf(asked.sessions, Counts(counts.begin(), counts.end())),
                           tries.span, ScoreOf(static_cast<double>(s.scan_hosts), static_cast<double>(hosts)));
          f.sentence = absl::StrCat(asked.text(source), " tried port ", PortText(rows[0].port), " of ",
                                    Commas(tries.different), " hosts without answer", When(tries.span));
          f.Note("hosts", hosts)
              .Note("failed", Signed(tries.failed))
              .Note("tries", Signed(tries.all))
              .Note("dstport", NumberOrNone(own[0].port))
              .Note("protocol", NumberOrNone(own[0].protocol));
          out->push_back(std::move(f));
        });
  });
}

// Many ports of many hosts: from so many findings of one source on they are one.
constexpr size_t kBlock = 4;

void Block(const Asked& asked, uint32_t source, size_t first, std::vector<Finding>* out) {
  Tries tries;
  std::map<uint32_t, uint64_t> hosts;
  std::set<int32_t> ports;
  for (const SessionRow& row : asked.sessions.of(source)) {
    tries.Add(row);
    if (!row.Is(kFailed)) continue;
    ++hosts[row.server];
    if (row.port != kNullInt32) ports.insert(row.port);
  }
  Severity severity = Severity::kLow;
  double score = 0;
  for (size_t i = first; i < out->size(); ++i) {
    severity = std::min(severity, (*out)[i].severity);
    score = std::max(score, (*out)[i].score);
  }
  out->resize(first);
  Finding f = Made("port_scan", "T1046", severity, asked.sessions.address(source),
                   MostOf(asked.sessions, Counts(hosts.begin(), hosts.end())), tries.span, score);
  f.sentence =
      absl::StrCat(asked.text(source), " tried ", Commas(ports.size()), " ports of ", Commas(hosts.size()), " hosts, ",
                   Commas(tries.failed), " of ", Commas(tries.all), " tries without answer", When(tries.span));
  f.Note("ports", Signed(ports.size()))
      .Note("hosts", Signed(hosts.size()))
      .Note("failed", Signed(tries.failed))
      .Note("tries", Signed(tries.all));
  out->push_back(std::move(f));
}

// Scans of few or slow tries: threshold random walk over the services that a source tries, in their order.
//
// Jung, Paxson, Berger, Balakrishnan, "Fast portscan detection using sequential hypothesis testing", 2004, with its
// constants: a try gets no answer with 0.2 from a benign source and 0.8 from a scanner, 1 % of benign ones may be
// blamed, 99 % of scanners found. So each outcome weighs log 4, and 4 more failures than answers decide.
constexpr int kWalk = 4;

void Walk(const Asked& asked, uint32_t source, std::vector<Finding>* out) {
  struct Service {
    uint32_t host;
    int32_t port;
    Tries tries;
    bool missed() const { return tries.failed == tries.all; }
  };
  std::vector<Service> services;
  ForEachRun(asked.sessions.of(source), ByService, [&](std::span<const SessionRow> rows) {
    services.push_back({rows[0].server, rows[0].port, {}});
    for (const SessionRow& row : rows) services.back().tries.Add(row);
  });
  std::sort(services.begin(), services.end(), [&](const Service& a, const Service& b) {
    if (a.tries.span.first != b.tries.span.first) return a.tries.span.first < b.tries.span.first;
    const int order = CompareAddressText(asked.sessions.address(a.host), asked.sessions.address(b.host));
    return order != 0 ? order < 0 : static_cast<uint32_t>(a.port) < static_cast<uint32_t>(b.port);  // none last
  });
  int walk = 0;
  for (const Service& service : services) {
    walk += service.missed() ? 1 : -1;
    if (std::abs(walk) >= kWalk) break;
  }
  uint64_t missed = 0;
  Span span;
  span.first = services.empty() ? 0 : services.front().tries.span.first;
  std::vector<uint32_t> hosts;
  std::set<uint32_t> known;
  for (const Service& service : services) {
    span.last = std::max(span.last, service.tries.span.last);
    if (!service.missed()) continue;
    ++missed;
    if (known.insert(service.host).second) hosts.push_back(service.host);
  }
  if (walk < kWalk || static_cast<double>(missed) < asked.settings.scan_failed * static_cast<double>(services.size()))
    return;
  std::vector<Ip> targets;
  for (size_t i = 0; i < std::min<size_t>(20, hosts.size()); ++i) targets.push_back(asked.sessions.address(hosts[i]));
  const Severity severity = missed >= 10 && asked.inside(source) ? Severity::kMedium : Severity::kLow;
  Finding f = Made("port_scan", "T1046", severity, asked.sessions.address(source), std::move(targets), span,
                   1 - 2 / (static_cast<double>(missed) + 1));
  f.sentence = absl::StrCat(asked.text(source), " tried ", Commas(missed), " services of ", Commas(hosts.size()),
                            " hosts without answer", When(span));
  f.Note("services", Signed(missed))
      .Note("hosts", Signed(hosts.size()))
      .Note("answered", Signed(services.size() - missed));
  out->push_back(std::move(f));
}

}  // namespace

std::vector<Finding> FindPortScans(const Asked& asked) {
  const DetectSettings& s = asked.settings;
  const int64_t least = std::min(s.scan_ports, s.scan_hosts);
  std::vector<Finding> out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    const std::span<const SessionRow> rows = asked.sessions.of(source);
    Tries tries;
    for (const SessionRow& row : rows) tries.Add(row);
    if (tries.failed == 0) continue;
    const size_t before = out.size();
    if (Signed(tries.failed) >= least) {
      Vertical(asked, source, &out);
      Horizontal(asked, source, &out);
    }
    if (out.size() - before >= kBlock) Block(asked, source, before, &out);
    if (out.size() > before || tries.failed < kWalk || !tries.MostlyFailed(s)) continue;
    if (s.walk_outside || asked.inside(source)) Walk(asked, source, &out);
  }
  return out;
}

namespace {

// "The open port they found": rows of one source at one host, or at one port.
struct Found {
  std::set<int64_t> failed, answered;  // ports or hosts
  int64_t refused_first = std::numeric_limits<int64_t>::max(), answered_last = std::numeric_limits<int64_t>::min();
  Span span;

  void Add(const SessionRow& row, int64_t what, bool counts) {
    span.Add(row);
    if (row.Is(kFailed)) {
      if (counts) failed.insert(what);
      refused_first = std::min(refused_first, row.start);
    }
    if (row.Is(kOpen)) {
      if (counts) answered.insert(what);
      answered_last = std::max(answered_last, row.start);
    }
  }
  bool Tells(const DetectSettings& s) const {
    return Signed(failed.size()) >= s.found_failed && !answered.empty() && !failed.empty() &&
           answered_last > refused_first;
  }
  Finding Tell(const Asked& asked, uint32_t source, std::vector<Ip> targets, std::string_view where, Evidence place,
               std::string sentence) const {
    Finding f =
        Made("accepted_after_reject", "T1046", Severity::kHigh, asked.sessions.address(source), std::move(targets),
             span, ScoreOf(static_cast<double>(asked.settings.found_failed), static_cast<double>(failed.size())));
    f.sentence = std::move(sentence);
    f.Note("srcaddr", asked.sessions.address(source))
        .Note(where, std::move(place))
        .Note("failed", Signed(failed.size()))
        .Note("answered", Signed(answered.size()))
        .Note("refused_first", refused_first)
        .Note("answered_last", answered_last)
        .Note("seconds_later", answered_last - refused_first);
    return f;
  }
};

void FoundBy(const Asked& asked, uint32_t source, std::vector<Finding>* out) {
  std::map<int32_t, Found> by_port;
  ForEachRun(asked.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
    const uint32_t host = rows[0].server;
    if (!asked.inside(host)) return;
    Found found;
    for (const SessionRow& row : rows) {
      found.Add(row, row.port, row.port != kNullInt32);
      by_port[row.port].Add(row, host, true);
    }
    if (!found.Tells(asked.settings)) return;
    out->push_back(found.Tell(asked, source, {asked.sessions.address(host)}, "dstaddr", asked.sessions.address(host),
                              absl::StrCat(asked.text(source), " tried ", Commas(found.failed.size()), " ports of ",
                                           asked.text(host), ", then ", Commas(found.answered.size()), " answered")));
  });
  for (const auto& [port, found] : by_port) {
    if (!found.Tells(asked.settings)) continue;
    out->push_back(
        found.Tell(asked, source, {}, "dstport", NumberOrNone(port),
                   absl::StrCat(asked.text(source), " tried port ", PortText(port), " of ", Commas(found.failed.size()),
                                " hosts, then ", Commas(found.answered.size()), " did")));
  }
}

}  // namespace

std::vector<Finding> FindAcceptedAfterReject(const Asked& asked) {
  std::vector<Finding> out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    if (asked.inside(source)) continue;
    int64_t failed = 0, answered = 0;
    for (const SessionRow& row : asked.sessions.of(source)) {
      if (!asked.inside(row.server)) continue;
      failed += row.Is(kFailed) ? 1 : 0;
      answered += row.Is(kOpen) ? 1 : 0;
    }
    if (failed >= asked.settings.found_failed && answered > 0) FoundBy(asked, source, &out);
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
