// beacon: sessions from inside to one outside service at regular times with like sizes.
#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/registry.h"
#include "src/detect/regularity.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kBeaconSessions = {
    "beacon_sessions", 6, "sessions",
    "sessions with one outside service; four times as many where the time between them varies by more than 0.1"};
constexpr Setting<double> kBeaconJitter = {"beacon_jitter", 0.45, "share",
                                           "how much the time between them may vary: median deviation by median, at "
                                           "most; 0.25 to 0.3 where each delay is drawn "
                                           "from within 50 % of the period, 0.7 for calls at any time"};
constexpr Setting<int64_t> kBeaconFailed = {"beacon_failed", 100, "sessions",
                                            "calls of one outside service within a day that all failed"};
constexpr const SettingInfo* kSettings[] = {&kBeaconSessions, &kBeaconJitter, &kBeaconFailed, &kCommonCallers};

struct Calls {
  uint32_t source = 0;
  SessionRow service{};
  int64_t sessions = 0, low = 0, high = 0;  // quartiles of bytes
  Regularity regularity{};
  Span span{};
  int64_t callers = 0;  // inside hosts that call the service often
};

// The sessions of a host with one outside service, if they are regular and of like sizes.
std::optional<Calls> RegularCalls(const DetectorContext& context, std::span<const SessionRow> rows) {
  constexpr double kSteady = 0.1;
  constexpr double kShort = 30;  // seconds: below, many calls are needed
  constexpr size_t kManyCalls = 100;
  const auto least = static_cast<size_t>(std::max<int64_t>(context.Get(kBeaconSessions), 2));
  std::vector<uint64_t> sizes;
  std::vector<int64_t> starts;
  Calls out{rows[0].client, rows[0]};
  for (const SessionRow& row : rows) {
    if (row.Is(kFailed)) continue;
    sizes.push_back(row.sent);
    starts.push_back(row.start);
    out.span.Add(row);
  }
  if (sizes.size() < least) return {};
  out.sessions = Signed(sizes.size());
  out.low = Signed(QuantileOf(&sizes, 0.25));
  out.high = Signed(QuantileOf(&sizes, 0.75));
  if (static_cast<double>(out.high - out.low) > 0.2 * static_cast<double>(std::max<int64_t>(out.high, 1))) return {};
  const int64_t seconds =
      *std::max_element(starts.begin(), starts.end()) - *std::min_element(starts.begin(), starts.end());
  out.regularity = RegularityOf(std::move(starts));
  const auto& [period, jitter] = out.regularity;
  if (period < 1 || (period < kShort && sizes.size() < kManyCalls)) return {};
  if (jitter > context.Get(kBeaconJitter) || (jitter > kSteady && sizes.size() < 4 * least)) return {};
  // Bursts have a small median between their calls, and long pauses that it does not show.
  if (period * static_cast<double>(out.sessions) < 0.3 * static_cast<double>(seconds)) return {};
  return out;
}

std::string Sentence(const DetectorContext& context, const Calls& calls) {
  return absl::StrCat(context.text(calls.source), " called ", context.text(calls.service.server), " ",
                      ServiceText(calls.service), " ", Counted(static_cast<uint64_t>(calls.sessions), "time"),
                      ", every ", Fixed(calls.regularity.period, 0), " s");
}

Finding ToFinding(const DetectorContext& context, const Calls& calls, Severity severity, std::string sentence) {
  const auto& [period, jitter] = calls.regularity;
  const double of_jitter = context.Get(kBeaconJitter) > 0 ? jitter / context.Get(kBeaconJitter) : 0;
  const double of_calls = static_cast<double>(context.Get(kBeaconSessions)) / static_cast<double>(calls.sessions);
  Finding f =
      MakeFinding(severity, context.sessions.address(calls.source), {context.sessions.address(calls.service.server)},
                  calls.span, 1 - 0.5 * (of_jitter + of_calls) / 2);
  f.sentence = absl::StrCat(sentence, When(calls.span));
  f.AddEvidence("sessions", calls.sessions)
      .AddEvidence("period", period)
      .AddEvidence("jitter", Rounded(jitter, 4))
      .AddEvidence("dstport", NumberOrNone(calls.service.port))
      .AddEvidence("protocol", NumberOrNone(calls.service.protocol))
      .AddEvidence("bytes", std::vector<int64_t>{calls.low, calls.high})
      .AddEvidence("callers", calls.callers);
  return f;
}

// Calls of a service that never answered: an implant whose server is gone or refuses.
std::optional<Finding> FailedCalls(const DetectorContext& context, std::span<const SessionRow> rows, int64_t callers) {
  std::vector<SessionRow> failed;
  for (const SessionRow& row : rows) {
    if (row.Is(kOpen) || row.Is(kAnswered)) return {};
    if (row.Is(kFailed)) failed.push_back(row);
  }
  const auto worst = BusiestOf(std::span<const SessionRow>(failed), kDay, [](const SessionRow&) { return 1u; });
  if (Signed(worst.size()) < std::max<int64_t>(context.Get(kBeaconFailed), 1)) return {};
  Span span;
  for (const SessionRow& row : worst) span.Add(row);
  const SessionRow& first = rows[0];
  Finding f =
      MakeFinding(Severity::kMedium, context.sessions.address(first.client), {context.sessions.address(first.server)},
                  span, ScoreOf(static_cast<double>(context.Get(kBeaconFailed)), static_cast<double>(worst.size())));
  f.sentence = absl::StrCat(context.text(first.client), " called ", context.text(first.server), " ", ServiceText(first),
                            " ", Counted(worst.size(), "time"), " in vain", When(span));
  f.AddEvidence("failed", Signed(worst.size()))
      .AddEvidence("dstport", NumberOrNone(first.port))
      .AddEvidence("protocol", NumberOrNone(first.protocol))
      .AddEvidence("callers", callers);
  return f;
}

// The time servers' own protocol in packets of its size: regular by its nature.
bool IsTimeClient(const Calls& calls) {
  constexpr int32_t kUdp = 17, kNtp = 123;
  constexpr int64_t kNtpBytes = 100;
  return calls.service.port == kNtp && calls.service.protocol == kUdp && calls.high <= 4 * kNtpBytes;
}

// How many inside hosts call each outside service often.
absl::flat_hash_map<Service, int64_t> CallersOf(const DetectorContext& context) {
  constexpr size_t kOften = 4;  // sessions
  absl::flat_hash_map<Service, int64_t> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      if (rows.size() >= kOften && context.outside(rows[0].server)) ++out[ServiceOf(rows[0])];
    });
  }
  return out;
}

std::vector<Finding> FindBeacons(const DetectorContext& context) {
  std::vector<Finding> out;
  const absl::flat_hash_map<Service, int64_t> callers_of = CallersOf(context);
  std::map<Service, std::vector<Calls>> common;  // one finding for each service
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      if (!context.outside(rows[0].server)) return;
      const auto found = callers_of.find(ServiceOf(rows[0]));
      const int64_t callers = found == callers_of.end() ? 1 : found->second;
      const bool is_common = callers >= context.Get(kCommonCallers);
      if (std::optional<Calls> calls = RegularCalls(context, rows)) {
        calls->callers = callers;
        if (is_common || IsTimeClient(*calls)) {
          common[ServiceOf(rows[0])].push_back(*calls);
        } else {
          out.push_back(ToFinding(context, *calls, Severity::kMedium, Sentence(context, *calls)));
        }
      } else if (!is_common) {
        if (std::optional<Finding> f = FailedCalls(context, rows, callers)) out.push_back(*std::move(f));
      }
    });
  }
  for (const auto& [service, all] : common) {
    const Calls& most = *std::min_element(all.begin(), all.end(), [&](const Calls& a, const Calls& b) {
      if (a.sessions != b.sessions) return a.sessions > b.sessions;
      return CompareAddressText(context.sessions.address(a.source), context.sessions.address(b.source)) < 0;
    });
    out.push_back(ToFinding(context, most, Severity::kLow,
                            absl::StrCat(Sentence(context, most), ", as ", Commas(all.size()), " of ",
                                         Commas(static_cast<uint64_t>(most.callers)), " callers do")));
    out.back().AddEvidence("regular_callers", Signed(all.size()));
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who calls is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who is called is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Helpful("starts of connections are guessed from gaps", {Field::kTcpFlags}),
    Helpful("where a connection goes on over several windows is guessed", {Field::kEnd}),
    Helpful("different services of a host are mixed", {Field::kDstPort}),
    Helpful("connections are told apart by time alone", {Field::kSrcPort}),
    Helpful("calls of the same size cannot be seen", {Field::kBytes}),
    Helpful("calls that failed look like calls", {Field::kPackets}),
    Helpful("calls that were refused look like calls", {Field::kAction}),
};

}  // namespace

constinit const DetectorInfo detectors::beacon = {
    .name = "beacon",
    .technique = "T1071",
    .meaning = "connections that come back at regular times",
    .method =
        "Sessions from inside to one outside service at regular times with like sizes, however much each delay is "
        "drawn "
        "at random, up to half of the period; and many calls of one that all failed. A service that several inside "
        "hosts call, and one that answers as time servers do, is one finding, `low`.",
    .misses = "what one long connection hides (`long_session`), and a server that many inside hosts call",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindBeacons,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
