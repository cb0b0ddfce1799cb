// accepted_after_reject: "the open port they found".
#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kFoundFailed = {
    "found_failed", 5, "ports or hosts", "ports of one host, or hosts at one port, that did not answer before one did"};
constexpr const SettingInfo* kSettings[] = {&kFoundFailed, &kOpenStrangers};

// The rows of one source at one host, or at one port.
struct Found {
  std::set<int64_t> failed, answered;  // numbers of what was tried: services of a host, or hosts
  ServicePorts ports;                  // that answered
  Counts hosts;                        // that answered, by sessions
  int64_t refused_first = std::numeric_limits<int64_t>::max(), answered_last = std::numeric_limits<int64_t>::min();
  Span span;

  // `open`: everybody may use the service, so that its answer is nothing that was found.
  void Add(const SessionRow& row, int64_t what, bool counts, bool open) {
    if (open && !row.Is(kFailed)) return;
    span.Add(row);
    if (row.Is(kFailed)) {
      if (counts) failed.insert(what);
      refused_first = std::min(refused_first, row.start);
    }
    if (!row.Is(kOpen)) return;
    answered_last = std::max(answered_last, row.start);
    if (!counts) return;
    answered.insert(what);
    ports.Add(row);
    if (hosts.empty() || hosts.back().first != row.server) hosts.emplace_back(row.server, 0);
    ++hosts.back().second;
  }
  bool Decides(int64_t least) const {
    return Signed(failed.size()) >= least && !answered.empty() && !failed.empty() && answered_last > refused_first;
  }
  Finding ToFinding(const DetectorContext& context, uint32_t source, std::string_view sentence) const {
    Finding f =
        MakeFinding(Severity::kHigh, context.sessions.address(source), MostOf(context.sessions, hosts), span,
                    ScoreOf(static_cast<double>(context.Get(kFoundFailed)), static_cast<double>(failed.size())));
    f.sentence = absl::StrCat(std::string(sentence), When(span));
    f.AddEvidence("srcaddr", context.sessions.address(source))
        .AddEvidence("failed", Signed(failed.size()))
        .AddEvidence("answered", Signed(answered.size()))
        .AddEvidence("refused_first", refused_first)
        .AddEvidence("answered_last", answered_last)
        .AddEvidence("seconds_later", answered_last - refused_first);
    return f;
  }
};

int64_t NumberOf(const SessionRow& row) { return int64_t{row.protocol} << 32 | static_cast<uint32_t>(row.port); }

void FoundBy(const DetectorContext& context, uint32_t source, std::vector<Finding>* out) {
  std::map<std::pair<int32_t, int32_t>, Found> by_port;
  ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
    const uint32_t host = rows[0].server;
    if (!context.inside(host)) return;
    Found found;
    for (const SessionRow& row : rows) {
      const bool open = context.open(row);
      found.Add(row, NumberOf(row), row.port != kNullInt32, open);
      by_port[{row.port, row.protocol}].Add(row, host, true, open);
    }
    if (!found.Decides(context.Get(kFoundFailed))) return;
    out->push_back(
        found.ToFinding(context, source,
                        absl::StrCat(context.text(source), " tried ", Counted(found.failed.size(), "port"), " of ",
                                     context.text(host), " in vain, then ", found.ports.Text(), " answered")));
    out->back().AddEvidence("dstaddr", context.sessions.address(host));
    found.ports.AddTo(&out->back(), "answered_ports");
  });
  for (const auto& [service, found] : by_port) {
    if (!found.Decides(context.Get(kFoundFailed))) continue;
    const auto [port, protocol] = service;
    out->push_back(found.ToFinding(context, source,
                                   absl::StrCat(context.text(source), " tried ", ServiceText(port, protocol), " of ",
                                                Counted(found.failed.size(), "host"), " in vain, then ",
                                                Commas(found.answered.size()), " answered")));
    out->back().AddEvidence("dstport", NumberOrNone(port)).AddEvidence("protocol", NumberOrNone(protocol));
  }
}

std::vector<Finding> FindAcceptedAfterReject(const DetectorContext& context) {
  std::vector<Finding> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.outside(source)) continue;
    int64_t failed = 0, answered = 0;
    for (const SessionRow& row : context.sessions.of(source)) {
      if (!context.inside(row.server)) continue;
      failed += row.Is(kFailed) ? 1 : 0;
      answered += row.Is(kOpen) && !context.open(row) ? 1 : 0;
    }
    if (failed >= context.Get(kFoundFailed) && answered > 0) FoundBy(context, source, &out);
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who tries is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("which host is tried is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("what came first is unknown", {Field::kStart}),
    Essential("a try cannot be told from silence", {Field::kPackets}),
    Helpful("which ports were tried is unknown: only tries at many hosts are seen", {Field::kDstPort}),
    Helpful("refused tries look like accepted ones", {Field::kAction}),
    Helpful("an open port that a half-open scan found is not seen", {Field::kTcpFlags}),
    Helpful("tries of one source port after the other look like one", {Field::kSrcPort}),
    Helpful("closed ports that answer look like open ones", {Field::kBytes}),
    Helpful("TCP and UDP tries look alike", {Field::kProtocol}),
    Helpful("tries and answers of different windows are not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::accepted_after_reject = {
    .name = "accepted_after_reject",
    .technique = "T1046",
    .meaning = "an outside host that tried in vain and then got an answer",
    .method =
        "An outside source that tried ports of a host (or hosts at a port) in vain and then got an answer of a service "
        "that is not open to everybody: \"the open port they found\".",
    .misses = "searches by one address and visits by another",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindAcceptedAfterReject,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
