// brute_force: many short answered sessions of one client at a service that asks for a password.
#include <algorithm>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kBruteSessions = {
    "brute_sessions", 30, "sessions",
    "sessions of one client at one service (Zeek: 30 failed logins); from twice as many on the severity is `high`"};
constexpr Setting<int64_t> kBruteBytes = {"brute_bytes", 12'000, "bytes",
                                          "median size of these sessions, sent by the client, at most"};
constexpr const SettingInfo* kSettings[] = {&kBruteSessions, &kBruteBytes};

std::vector<Finding> FindBruteForce(const DetectorContext& context) {
  std::vector<Finding> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    const std::span<const SessionRow> all = context.sessions.of(source);
    if (Signed(all.size()) < context.Get(kBruteSessions)) continue;
    ForEachRun(all, ByService, [&](std::span<const SessionRow> rows) {
      const int32_t port = rows[0].port;
      if (Signed(rows.size()) < context.Get(kBruteSessions)) return;
      if (!IsOneOf(kAdminPorts, port) && (!IsOneOf(kDatabasePorts, port) || context.inside(source))) return;
      Span span;
      std::vector<uint64_t> sizes;
      for (const SessionRow& row : rows) {
        if (!row.Is(kAnswered) || !row.Is(kBegan)) continue;
        sizes.push_back(row.sent);
        span.Add(row);
      }
      const auto sessions = Signed(sizes.size());
      if (sizes.empty() || sessions < context.Get(kBruteSessions)) return;
      const auto typical = Signed(QuantileOf(&sizes, 0.5)), most = Signed(QuantileOf(&sizes, 0.95));
      if (typical > context.Get(kBruteBytes) || most > 4 * context.Get(kBruteBytes)) return;
      const Ip& host = context.sessions.address(rows[0].server);
      const auto seconds = static_cast<double>(std::max<int64_t>(span.last - span.first, 60));
      Finding f = MakeFinding(sessions >= 2 * context.Get(kBruteSessions) ? Severity::kHigh : Severity::kMedium,
                              context.sessions.address(source), {host}, span,
                              ScoreOf(static_cast<double>(context.Get(kBruteSessions)), static_cast<double>(sessions)));
      f.sentence = absl::StrCat(context.text(source), " opened ", Commas(sizes.size()), " short sessions to ",
                                ToString(host), " port ", port, When(span));
      f.AddEvidence("sessions", sessions)
          .AddEvidence("dstport", int64_t{port})
          .AddEvidence("typical", typical)
          .AddEvidence("most", most)
          .AddEvidence("sessions_per_hour", Rounded(static_cast<double>(sessions) * 3600 / seconds, 1));
      out.push_back(std::move(f));
    });
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who tries is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("which host is tried is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("which service is tried is unknown", {Field::kDstPort}),
    Essential("tries cannot be counted over time", {Field::kStart}),
    Essential("a session that came about cannot be told from a refused one", {Field::kPackets}),
    Helpful("one try, which ends by itself, cannot be told from a part of a long session", {Field::kTcpFlags}),
    Helpful("a log-in that succeeded cannot be seen by its size", {Field::kBytes}),
    Helpful("how long a try took is unknown", {Field::kEnd}),
    Helpful("tries of one source port after the other look like one", {Field::kSrcPort}),
    Helpful("refused tries look like accepted ones", {Field::kAction}),
    Helpful("refused and accepted tries look alike", {Field::kProtocol}),
};

}  // namespace

constinit const DetectorInfo detectors::brute_force = {
    .name = "brute_force",
    .technique = "T1110",
    .meaning = "many short sessions to a service that asks for a password",
    .method =
        "Many short answered sessions of one client at a service that asks a person for a password; of databases only "
        "from outside.",
    .misses = "tries within one session; one try from each of many hosts",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindBruteForce,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
