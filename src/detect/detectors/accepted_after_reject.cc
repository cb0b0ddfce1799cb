// accepted_after_reject: "the open port they found".
#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
  std::set<int64_t> failed, answered;  // ports or hosts
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
    if (row.Is(kOpen)) {
      if (counts) answered.insert(what);
      answered_last = std::max(answered_last, row.start);
    }
  }
  // The first twenty that answered.
  std::vector<int64_t> Some() const {
    const auto n = static_cast<ptrdiff_t>(std::min<size_t>(20, answered.size()));
    return {answered.begin(), std::next(answered.begin(), n)};
  }
  bool Decides(int64_t least) const {
    return Signed(failed.size()) >= least && !answered.empty() && !failed.empty() && answered_last > refused_first;
  }
  Finding ToFinding(const DetectorContext& context, uint32_t source, std::vector<Ip> targets, std::string_view where,
                    Evidence place, std::string sentence) const {
    Finding f =
        MakeFinding(Severity::kHigh, context.sessions.address(source), std::move(targets), span,
                    ScoreOf(static_cast<double>(context.Get(kFoundFailed)), static_cast<double>(failed.size())));
    f.sentence = std::move(sentence);
    f.AddEvidence("srcaddr", context.sessions.address(source))
        .AddEvidence(where, std::move(place))
        .AddEvidence("failed", Signed(failed.size()))
        .AddEvidence("answered", Signed(answered.size()))
        .AddEvidence("refused_first", refused_first)
        .AddEvidence("answered_last", answered_last)
        .AddEvidence("seconds_later", answered_last - refused_first);
    return f;
  }
};

void FoundBy(const DetectorContext& context, uint32_t source, std::vector<Finding>* out) {
  std::map<int32_t, Found> by_port;
  ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
    const uint32_t host = rows[0].server;
    if (!context.inside(host)) return;
    Found found;
    for (const SessionRow& row : rows) {
      const bool open = context.open(row);
      found.Add(row, row.port, row.port != kNullInt32, open);
      by_port[row.port].Add(row, host, true, open);
    }
    if (!found.Decides(context.Get(kFoundFailed))) return;
    out->push_back(
        found.ToFinding(context, source, {context.sessions.address(host)}, "dstaddr", context.sessions.address(host),
                        absl::StrCat(context.text(source), " tried ", Commas(found.failed.size()), " ports of ",
                                     context.text(host), ", then port", found.answered.size() == 1 ? " " : "s ",
                                     absl::StrJoin(found.Some(), ", "), " answered")));
    out->back().AddEvidence("answered_ports", found.Some());
  });
  for (const auto& [port, found] : by_port) {
    if (!found.Decides(context.Get(kFoundFailed))) continue;
    out->push_back(found.ToFinding(
        context, source, {}, "dstport", NumberOrNone(port),
        absl::StrCat(context.text(source), " tried port ", PortText(port), " of ", Commas(found.failed.size()),
                     " hosts, then ", Commas(found.answered.size()), " did")));
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
