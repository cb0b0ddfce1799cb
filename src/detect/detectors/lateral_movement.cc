// lateral_movement: an inside host that tries administration services of many inside hosts, or gets into many at once.
#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"
#include "src/detect/regularity.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kLateralHosts = {
    "lateral_hosts", 10, "hosts",
    "inside hosts tried within a day, or reached within lateral_seconds, at services by which one gets into another"};
constexpr Setting<double> kLateralFailed = {"lateral_failed", 0.3, "share",
                                            "share of the hosts tried that gave no answer, at least"};
constexpr Setting<int64_t> kLateralSeconds = {"lateral_seconds", 7200, "seconds",
                                              "time within which so many hosts are reached for the first time"};
constexpr const SettingInfo* kSettings[] = {&kLateralHosts, &kLateralFailed, &kLateralSeconds};

// A host that the source tried: when it did first, or when the host answered first.
struct Tried {
  int64_t start;
  std::span<const SessionRow> rows;
  bool answered;
};

// More than a look whether somebody answers: what a log-in takes both ways.
bool GotIn(const SessionRow& row) {
  constexpr uint64_t kLogin = 1500;
  return row.Is(kAnswered) && row.sent >= kLogin && row.received >= kLogin;
}

// Outside hosts get into it, and from there further in: a bastion, whose business is to reach many.
bool IsBastion(const DetectorContext& context, uint32_t host) {
  constexpr int64_t kVisitors = 2;
  constexpr int32_t kTcp = 6;
  return std::any_of(kAdminPorts.begin(), kAdminPorts.end(), [&](int32_t port) {
    return context.prevalence.strangers({host, port, kTcp}) >= kVisitors;
  });
}

// What a source did at some hosts.
struct Movement {
  Counts hosts;  // by sessions
  ServicePorts ports;
  uint64_t tries = 0, failed = 0, failed_hosts = 0;
  Span span;

  explicit Movement(std::span<const Tried> tried) {
    for (const Tried& host : tried) {
      hosts.emplace_back(host.rows[0].server, host.rows.size());
      failed_hosts += host.answered ? 0 : 1;
      for (const SessionRow& row : host.rows) {
        ports.Add(row);
        ++tries;
        failed += row.Is(kFailed) ? 1 : 0;
        span.Add(row);
      }
    }
  }
  Finding ToFinding(const DetectorContext& context, uint32_t source, Severity severity, std::string sentence) const {
    Finding f =
        MakeFinding(severity, context.sessions.address(source), MostOf(context.sessions, hosts), span,
                    ScoreOf(static_cast<double>(context.Get(kLateralHosts)), static_cast<double>(hosts.size())));
    f.sentence = absl::StrCat(sentence, When(span));
    f.AddEvidence("hosts", Signed(hosts.size()))
        .AddEvidence("failed_hosts", Signed(failed_hosts))
        .AddEvidence("failed", Signed(failed))
        .AddEvidence("tries", Signed(tries));
    ports.AddTo(&f);
    return f;
  }
};

void MovementsOf(const DetectorContext& context, uint32_t source, std::vector<Finding>* out) {
  std::vector<SessionRow> rows;
  for (const SessionRow& row : context.sessions.of(source)) {
    if (IsOneOf(kLateralPorts, row.port) && context.inside(row.server)) rows.push_back(row);
  }
  if (Signed(rows.size()) < context.Get(kLateralHosts)) return;
  std::vector<Tried> tried, reached;
  ForEachRun(std::span<const SessionRow>(rows), ByServer, [&](std::span<const SessionRow> own) {
    if (AreSteady(own)) return;
    constexpr auto kNever = std::numeric_limits<int64_t>::max();
    int64_t first = own[0].start, answered = kNever, entered = kNever;
    bool failed = false;
    for (const SessionRow& row : own) {
      first = std::min(first, row.start);
      failed |= row.Is(kFailed);
      if (row.Is(kAnswered)) answered = std::min(answered, row.start);
      if (GotIn(row)) entered = std::min(entered, row.start);
    }
    if (failed || answered != kNever) tried.push_back({first, own, answered != kNever});
    if (entered != kNever) reached.push_back({entered, own, true});
  });
  const auto busiest = [](std::vector<Tried>* hosts, int64_t seconds) {
    std::stable_sort(hosts->begin(), hosts->end(), [](const Tried& a, const Tried& b) { return a.start < b.start; });
    return BusiestOf(std::span<const Tried>(*hosts), seconds, [](const Tried&) { return 1u; });
  };
  const int64_t least = std::max<int64_t>(context.Get(kLateralHosts), 1);
  if (const auto day = busiest(&tried, kDay); Signed(day.size()) >= least) {
    const Movement all(day);
    if (static_cast<double>(all.failed_hosts) >= context.Get(kLateralFailed) * static_cast<double>(day.size())) {
      out->push_back(all.ToFinding(
          context, source, Severity::kHigh,
          absl::StrCat(context.text(source), " tried ", all.ports.Text(), " of ", Counted(day.size(), "inside host"),
                       " within a day, ", Commas(all.failed_hosts), " of which did not answer")));
      return;
    }
  }
  const auto soon = busiest(&reached, context.Get(kLateralSeconds));
  if (Signed(soon.size()) < least || IsBastion(context, source)) return;
  const Movement all(soon);
  out->push_back(
      all.ToFinding(context, source, Severity::kMedium,
                    absl::StrCat(context.text(source), " got into ", Counted(soon.size(), "inside host"), " at ",
                                 all.ports.Text(), " for the first time in these logs within ",
                                 Counted(static_cast<uint64_t>(context.Get(kLateralSeconds) / 60), "minute"))));
  out->back().AddEvidence("seconds", context.Get(kLateralSeconds));
}

// A session of an administration service between two inside hosts that hardly meet there.
struct Hop {
  const SessionRow* session;
  size_t length = 1;  // of the longest chain that ends with it
  const Hop* before = nullptr;
};

// From host to host: into one, and while that session is open from it into the next.
void HopChains(const DetectorContext& context, std::vector<Finding>* out) {
  constexpr size_t kRareMeetings = 3, kLeastHops = 3, kMostOpen = 64;
  std::vector<Hop> hops;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      if (!IsOneOf(kLateralPorts, rows[0].port) || !context.inside(rows[0].server) || rows.size() > kRareMeetings)
        return;
      for (const SessionRow& row : rows) {
        if (row.Is(kAnswered) && row.Is(kBegan)) hops.push_back({&row});
      }
    });
  }
  std::stable_sort(hops.begin(), hops.end(),
                   [](const Hop& a, const Hop& b) { return a.session->start < b.session->start; });
  std::map<uint32_t, std::deque<Hop*>> into;  // by host, the last that began
  std::set<const Hop*> inner;                 // that another one follows
  for (Hop& hop : hops) {
    for (Hop* before : into[hop.session->client]) {
      const bool open = before->session->end >= hop.session->start && before->session->start < hop.session->start;
      if (open && before->session->client != hop.session->server && before->length >= hop.length) {
        hop.length = before->length + 1;
        hop.before = before;
      }
    }
    if (hop.before != nullptr) inner.insert(hop.before);
    std::deque<Hop*>& open = into[hop.session->server];
    open.push_back(&hop);
    if (open.size() > kMostOpen) open.pop_front();
  }
  for (const Hop& hop : hops) {
    if (hop.length < kLeastHops || inner.contains(&hop)) continue;
    std::vector<const Hop*> chain;
    for (const Hop* at = &hop; at != nullptr; at = at->before) chain.push_back(at);
    std::reverse(chain.begin(), chain.end());
    Span span;
    std::string way = context.text(chain[0]->session->client);
    std::vector<Ip> targets;
    std::vector<int64_t> ports;
    std::set<int32_t> protocols;
    for (const Hop* at : chain) {
      span.Add(*at->session);
      absl::StrAppend(&way, ", into ", context.text(at->session->server), " at ", ServiceText(*at->session));
      protocols.insert(at->session->protocol);
      targets.push_back(context.sessions.address(at->session->server));
      ports.push_back(at->session->port);
    }
    Finding f = MakeFinding(Severity::kHigh, context.sessions.address(chain[0]->session->client), std::move(targets),
                            span, ScoreOf(static_cast<double>(kLeastHops), static_cast<double>(chain.size())));
    f.sentence = absl::StrCat("from host to host, each while the session before was open: ", way, When(span));
    f.AddEvidence("hops", Signed(chain.size()))
        .AddEvidence("ports", ports)
        .AddEvidence("protocols", ProtocolsOf(protocols));
    out->push_back(std::move(f));
  }
}

std::vector<Finding> FindLateralMovement(const DetectorContext& context) {
  std::vector<Finding> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (context.inside(source)) MovementsOf(context, source, &out);
  }
  HopChains(context, &out);
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who reaches is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who is reached is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("services, such as SSH and RDP, are unknown", {Field::kDstPort}),
    Essential("what is new cannot be told from what is old", {Field::kStart}),
    Essential("a try cannot be told from silence", {Field::kPackets}),
    Helpful("the side that opened the connection is told by ports alone", {Field::kTcpFlags}),
    Helpful("attempts that were refused look like successes", {Field::kAction}),
    Helpful("tries of one source port after the other look like one", {Field::kSrcPort}),
    Helpful("refused and accepted tries look alike", {Field::kProtocol}),
    Helpful("closed ports that answer look like open ones", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
    Helpful("a try that only the sender's side let through looks like a success", {Field::kInterfaceId}),
};

}  // namespace

constinit const DetectorInfo detectors::lateral_movement = {
    .name = "lateral_movement",
    .technique = "T1021",
    .meaning = "an inside host that tries or gets into the administration services of many others",
    .method =
        "An inside host that tries administration services of many inside hosts within a day, without answer from a "
        "good "
        "part of them; or that gets into as many within two hours. Hosts that it asks by the clock do not count, nor "
        "does "
        "the second of a bastion, which outside hosts get into; or that gets into a host, and while "
        "that session is open from there into a third and a fourth.",
    .misses = "edges that are new but few (`new_admin_edge`)",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindLateralMovement,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
