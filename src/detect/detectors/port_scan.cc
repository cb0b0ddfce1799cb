// port_scan: one source whose tries get no answer, at many ports of a host or at one port of many hosts.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kScanPorts = {"scan_ports", 25, "ports",
                                         "different ports of one host within scan_seconds that did not answer (Zeek's "
                                         "scan.zeek: 15 within 5 minutes)"};
constexpr Setting<int64_t> kScanHosts = {"scan_hosts", 25, "hosts",
                                         "hosts within scan_seconds that did not answer at one port (Zeek's scan.zeek: "
                                         "25 within 5 minutes)"};
constexpr Setting<int64_t> kScanSeconds = {"scan_seconds", 3600, "seconds", "time within which they are counted"};
constexpr Setting<double> kScanFailed = {"scan_failed", 0.5, "share",
                                         "share of a source's tries at its target that got no answer, at least"};
constexpr Setting<bool> kWalkOutside = {"walk_outside", false, "",
                                        "report few or slow tries of outside hosts, too (those of inside hosts always "
                                        "are): mostly what every address of the "
                                        "internet gets all day"};
constexpr const SettingInfo* kSettings[] = {&kScanPorts, &kScanHosts, &kScanSeconds, &kScanFailed, &kWalkOutside};

// The first try of each port or host that did not answer.
struct FirstTry {
  int64_t start;
};
int64_t MostWithin(const DetectorContext& context, std::vector<FirstTry>* tries) {
  std::sort(tries->begin(), tries->end(), [](const FirstTry& a, const FirstTry& b) { return a.start < b.start; });
  return Signed(BusiestOf(std::span<const FirstTry>(*tries), std::max<int64_t>(context.Get(kScanSeconds), 1),
                          [](const FirstTry&) { return 1u; })
                    .size());
}

// Tries of one source at one target.
struct Tries {
  std::vector<FirstTry> different{};
  uint64_t failed = 0, all = 0;
  Span span{};
  bool MostlyFailed(double share) const { return static_cast<double>(failed) >= share * static_cast<double>(all); }
  void Add(const SessionRow& row) {
    ++all;
    failed += row.Is(kFailed) ? 1 : 0;
    span.Add(row);
  }
};

// The ports of a protocol at which a host answered, the first twenty by sessions. `rows` are of one host, by port.
std::vector<int64_t> AnsweredPorts(std::span<const SessionRow> rows, int32_t protocol) {
  std::vector<std::pair<int64_t, uint64_t>> counts;
  for (const SessionRow& row : rows) {
    if (!row.Is(kOpen) || row.port == kNullInt32 || row.protocol != protocol) continue;
    if (counts.empty() || counts.back().first != row.port) counts.emplace_back(row.port, 0);
    ++counts.back().second;
  }
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<int64_t> out;
  for (size_t i = 0; i < std::min<size_t>(20, counts.size()); ++i) out.push_back(counts[i].first);
  return out;
}

// Many ports of one host.
void Vertical(const DetectorContext& context, uint32_t source, std::vector<Finding>* out) {
  ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
    if (Signed(rows.size()) < context.Get(kScanPorts)) return;
    std::map<int32_t, std::pair<Tries, int32_t>> by_protocol;  // with the last port that did not answer
    for (const SessionRow& row : rows) {
      auto& [tries, last] = by_protocol.try_emplace(row.protocol, Tries(), kNullInt32).first->second;
      tries.Add(row);
      if (!row.Is(kFailed) || row.port == last) continue;
      last = row.port;
      tries.different.push_back({row.start});
    }
    for (auto& [protocol, found] : by_protocol) {
      Tries& tries = found.first;
      const int64_t ports = MostWithin(context, &tries.different);
      if (ports < context.Get(kScanPorts) || !tries.MostlyFailed(context.Get(kScanFailed))) continue;
      const std::vector<int64_t> answered = AnsweredPorts(rows, protocol);
      // What the whole internet gets all day long is no news, as long as nobody answers.
      const bool daily = ports < 2 * context.Get(kScanPorts) && context.outside(source);
      const Severity severity = ports >= 4 * context.Get(kScanPorts) || !answered.empty() ? Severity::kHigh
                                : daily                                                   ? Severity::kLow
                                                                                          : Severity::kMedium;
      Finding f =
          MakeFinding(severity, context.sessions.address(source), {context.sessions.address(rows[0].server)},
                      tries.span, ScoreOf(static_cast<double>(context.Get(kScanPorts)), static_cast<double>(ports)));
      f.sentence = absl::StrCat(context.text(source), " tried ", PortsText(protocol, tries.different.size()), " of ",
                                context.text(rows[0].server),
                                answered.empty() ? ", none of which answered" : ", which answered on ",
                                absl::StrJoin(answered, ", "), When(tries.span));
      f.AddEvidence("ports", Signed(tries.different.size()))
          .AddEvidence("within", ports)
          .AddEvidence("failed", Signed(tries.failed))
          .AddEvidence("tries", Signed(tries.all))
          .AddEvidence("protocol", NumberOrNone(protocol))
          .AddEvidence("answered_ports", answered);
      out->push_back(std::move(f));
    }
  });
}

constexpr double kGone = 0.8;  // share

// One port of many hosts.
void Horizontal(const DetectorContext& context, uint32_t source, std::vector<Finding>* out) {
  const std::span<const SessionRow> all = context.sessions.of(source);
  std::vector<SessionRow> by_port(all.begin(), all.end());
  std::sort(by_port.begin(), by_port.end(), [](const SessionRow& a, const SessionRow& b) {
    return std::tie(a.port, a.protocol, a.server, a.start) < std::tie(b.port, b.protocol, b.server, b.start);
  });
  const auto of_port = [](const SessionRow& row) { return row.port; };
  ForEachRun(std::span<const SessionRow>(by_port), of_port, [&](std::span<const SessionRow> rows) {
    if (Signed(rows.size()) < context.Get(kScanHosts)) return;
    ForEachRun(
        rows, [](const SessionRow& row) { return row.protocol; },
        [&](std::span<const SessionRow> own) {
          Tries tries;
          uint32_t last = std::numeric_limits<uint32_t>::max();
          for (const SessionRow& row : own) {
            tries.Add(row);
            if (!row.Is(kFailed) || row.server == last) continue;
            last = row.server;
            tries.different.push_back({row.start});
          }
          const int64_t hosts = MostWithin(context, &tries.different);
          // Outside, many peers of a node of a peer-to-peer network are gone.
          const bool outwards =
              std::all_of(own.begin(), own.end(), [&](const SessionRow& row) { return context.outside(row.server); });
          const double share = outwards ? std::max(context.Get(kScanFailed), kGone) : context.Get(kScanFailed);
          if (hosts < context.Get(kScanHosts) || !tries.MostlyFailed(share)) return;
          std::map<uint32_t, uint64_t> counts;  // of all protocols
          for (const SessionRow& row : rows) ++counts[row.server];
          const bool small = hosts < 10 * context.Get(kScanHosts) && context.outside(source);
          Finding f = MakeFinding(small ? Severity::kLow : Severity::kMedium, context.sessions.address(source),
                                  MostOf(context.sessions, Counts(counts.begin(), counts.end())), tries.span,
                                  ScoreOf(static_cast<double>(context.Get(kScanHosts)), static_cast<double>(hosts)));
          f.sentence = absl::StrCat(context.text(source), " tried ", ServiceText(own[0]), " of ",
                                    Counted(tries.different.size(), "host"), " without answer", When(tries.span));
          f.AddEvidence("hosts", Signed(tries.different.size()))
              .AddEvidence("within", hosts)
              .AddEvidence("failed", Signed(tries.failed))
              .AddEvidence("tries", Signed(tries.all))
              .AddEvidence("dstport", NumberOrNone(own[0].port))
              .AddEvidence("protocol", NumberOrNone(own[0].protocol));
          out->push_back(std::move(f));
        });
  });
}

// Many sources share the ports of one host. What a host gets of the internet's noise are sources that try a port or two.
void Distributed(const DetectorContext& context, std::vector<Finding>* out) {
  constexpr size_t kLeastSources = 10, kPortsEach = 3;
  struct Target {
    std::map<uint32_t, std::pair<std::set<int32_t>, int64_t>> ports;  // by source, with its first try
    std::set<int32_t> protocols;
    Span span;
  };
  std::map<std::pair<uint32_t, int64_t>, Target> targets;  // by host and hour
  for (const SessionRow& row : context.sessions.rows()) {
    if (!row.Is(kFailed) || !context.inside(row.server) || !context.outside(row.client) || !HasPort(row.port)) continue;
    Target& target = targets[{row.server, row.start / kHour}];
    auto& [ports, first] = target.ports.try_emplace(row.client, std::set<int32_t>(), row.start).first->second;
    ports.insert(row.port);
    first = std::min(first, row.start);
    target.protocols.insert(row.protocol);
    target.span.Add(row);
  }
  struct Scan {
    std::set<int32_t> ports, protocols;
    uint32_t first = 0;  // the source with most ports
    size_t sources = 0, most = 0;
    int64_t began = 0;
    Span span;
  };
  std::map<uint32_t, Scan> scans;  // by host, of its worst hour
  for (const auto& [key, target] : targets) {
    Scan scan;
    scan.span = target.span;
    scan.protocols = target.protocols;
    for (const auto& [source, tried] : target.ports) {
      const auto& [ports, began] = tried;
      if (ports.size() < kPortsEach || Signed(ports.size()) >= context.Get(kScanPorts)) continue;  // such a one is told
      scan.ports.insert(ports.begin(), ports.end());
      ++scan.sources;
      const bool before =
          ports.size() == scan.most &&
          (began < scan.began || (began == scan.began && CompareAddressText(context.sessions.address(source),
                                                                            context.sessions.address(scan.first)) < 0));
      if (ports.size() > scan.most || before) {
        scan.first = source;
        scan.began = began;
      }
      scan.most = std::max(scan.most, ports.size());
    }
    if (scan.sources < kLeastSources || Signed(scan.ports.size()) < 2 * context.Get(kScanPorts)) continue;
    Scan& worst = scans[key.first];
    if (scan.ports.size() > worst.ports.size()) worst = std::move(scan);
  }
  for (const auto& [host, scan] : scans) {
    Finding f = MakeFinding(
        Severity::kMedium, context.sessions.address(scan.first), {context.sessions.address(host)}, scan.span,
        ScoreOf(2 * static_cast<double>(context.Get(kScanPorts)), static_cast<double>(scan.ports.size())));
    f.sentence = absl::StrCat(Counted(scan.sources, "outside host"), ", ", context.text(scan.first), " first, tried ",
                              Counted(scan.ports.size(), "port"), " of ", context.text(host),
                              " without answer within an hour, ", kPortsEach, " or more each", When(scan.span));
    f.AddEvidence("sources", Signed(scan.sources))
        .AddEvidence("ports", Signed(scan.ports.size()))
        .AddEvidence("ports_each", int64_t{kPortsEach})
        .AddEvidence("protocols", ProtocolsOf(scan.protocols));
    out->push_back(std::move(f));
  }
}

// Many ports of many hosts: from so many findings of one source on they are one.
constexpr size_t kBlock = 4;

void Block(const DetectorContext& context, uint32_t source, size_t first, std::vector<Finding>* out) {
  Tries tries;
  std::map<uint32_t, uint64_t> hosts;
  std::set<int32_t> ports, protocols;
  for (const SessionRow& row : context.sessions.of(source)) {
    tries.Add(row);
    if (!row.Is(kFailed)) continue;
    ++hosts[row.server];
    protocols.insert(row.protocol);
    if (row.port != kNullInt32) ports.insert(row.port);
  }
  Severity severity = Severity::kLow;
  double score = 0;
  for (size_t i = first; i < out->size(); ++i) {
    severity = std::min(severity, (*out)[i].severity);
    score = std::max(score, (*out)[i].score);
  }
  out->resize(first);
  Finding f = MakeFinding(severity, context.sessions.address(source),
                          MostOf(context.sessions, Counts(hosts.begin(), hosts.end())), tries.span, score);
  f.sentence = absl::StrCat(context.text(source), " tried ", Counted(ports.size(), "port"), " of ",
                            Counted(hosts.size(), "host"), ", ", Commas(tries.failed), " of ", Commas(tries.all),
                            tries.all == 1 ? " try" : " tries", " without answer", When(tries.span));
  f.AddEvidence("ports", Signed(ports.size()))
      .AddEvidence("hosts", Signed(hosts.size()))
      .AddEvidence("failed", Signed(tries.failed))
      .AddEvidence("tries", Signed(tries.all))
      .AddEvidence("protocols", ProtocolsOf(protocols));
  out->push_back(std::move(f));
}

// Scans of few or slow tries: threshold random walk over the services that a source tries, in their order.
//
// Jung, Paxson, Berger, Balakrishnan, "Fast portscan detection using sequential hypothesis testing", 2004, with its
// constants: a try gets no answer with 0.2 from a benign source and 0.8 from a scanner, 1 % of benign ones may be
// blamed, 99 % of scanners found. So each outcome weighs log 4, and 4 more failures than answers decide.
constexpr int kWalk = 4;

void Walk(const DetectorContext& context, uint32_t source, std::vector<Finding>* out) {
  struct Service {
    uint32_t host;
    int32_t port;
    std::set<int32_t> protocols;
    Tries tries;
    bool missed() const { return tries.failed == tries.all; }
  };
  std::vector<Service> services;
  ForEachRun(context.sessions.of(source), ByService, [&](std::span<const SessionRow> rows) {
    services.push_back({rows[0].server, rows[0].port, {}, {}});
    for (const SessionRow& row : rows) {
      services.back().tries.Add(row);
      services.back().protocols.insert(row.protocol);
    }
  });
  std::sort(services.begin(), services.end(), [&](const Service& a, const Service& b) {
    if (a.tries.span.first != b.tries.span.first) return a.tries.span.first < b.tries.span.first;
    const int order = CompareAddressText(context.sessions.address(a.host), context.sessions.address(b.host));
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
  std::set<int32_t> protocols;
  for (const Service& service : services) {
    span.last = std::max(span.last, service.tries.span.last);
    if (!service.missed()) continue;
    ++missed;
    protocols.insert(service.protocols.begin(), service.protocols.end());
    if (known.insert(service.host).second) hosts.push_back(service.host);
  }
  if (walk < kWalk || static_cast<double>(missed) < context.Get(kScanFailed) * static_cast<double>(services.size()))
    return;
  std::vector<Ip> targets;
  for (size_t i = 0; i < std::min<size_t>(20, hosts.size()); ++i) targets.push_back(context.sessions.address(hosts[i]));
  const Severity severity = missed >= 10 && context.inside(source) ? Severity::kMedium : Severity::kLow;
  Finding f = MakeFinding(severity, context.sessions.address(source), std::move(targets), span,
                          1 - 2 / (static_cast<double>(missed) + 1));
  f.sentence = absl::StrCat(context.text(source), " tried ", Counted(missed, "service"), " of ",
                            Counted(hosts.size(), "host"), " without answer", When(span));
  f.AddEvidence("services", Signed(missed))
      .AddEvidence("hosts", Signed(hosts.size()))
      .AddEvidence("answered", Signed(services.size() - missed))
      .AddEvidence("protocols", ProtocolsOf(protocols));
  out->push_back(std::move(f));
}

std::vector<Finding> FindPortScans(const DetectorContext& context) {
  const int64_t least = std::min(context.Get(kScanPorts), context.Get(kScanHosts));
  std::vector<Finding> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    const std::span<const SessionRow> rows = context.sessions.of(source);
    Tries tries;
    for (const SessionRow& row : rows) tries.Add(row);
    if (tries.failed == 0) continue;
    const size_t before = out.size();
    if (Signed(tries.failed) >= least) {
      Vertical(context, source, &out);
      Horizontal(context, source, &out);
    }
    if (out.size() - before >= kBlock) Block(context, source, before, &out);
    if (out.size() > before || tries.failed < kWalk || !tries.MostlyFailed(context.Get(kScanFailed))) continue;
    if (context.Get(kWalkOutside) || context.inside(source)) Walk(context, source, &out);
  }
  Distributed(context, &out);
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who probes is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("which hosts are probed is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("which ports are probed is unknown", {Field::kDstPort}),
    Essential("the order of probes, and with it first contacts, is unknown", {Field::kStart}),
    Essential("a try cannot be told from silence", {Field::kPackets}),
    Helpful("servers that answer many clients and backscatter of floods cannot be told from scanners by their flags",
            {Field::kTcpFlags}),
    Helpful("probes that were refused count no more than any other", {Field::kAction}),
    Helpful("answers cannot be told from probes", {Field::kSrcPort}),
    Helpful("TCP and UDP probes look alike", {Field::kProtocol}),
    Helpful("closed ports that answer look like open ones", {Field::kBytes}),
    Helpful("when probes ended is unknown", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::port_scan = {
    .name = "port_scan",
    .technique = "T1046",
    .meaning = "one source that tries many ports or hosts",
    .method =
        "One source whose tries at many ports of a host, or at one port of many hosts, get no answer (`rejected`, "
        "`unanswered`, or a `reset` from a closed port). Ports that did answer are in the evidence. Four such findings "
        "of one source, or more, become one: many ports of many hosts. Of inside hosts also few and slow tries, by the "
        "sequential test of Jung, Paxson, Berger and Balakrishnan (2004): each service without answer counts one, each "
        "answer takes one back, four decide. Many outside hosts that together try twice `scan_ports` ports of one host "
        "in an "
        "hour, five times what is usual of the hosts of these logs, are one finding.",
    .misses = "scans of many sources that try a port or two each; scans slower than the log is long",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindPortScans,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
