// long_session: one session of hours with an outside host that hardly another inside host calls.
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kLongSeconds = {"long_seconds", 21'600, "seconds", "how long a session goes on, at least"};
constexpr Setting<int64_t> kLongBytes = {
    "long_bytes", 50'000'000, "bytes", "bytes that go either way in it, at most: more is work, and told by its volume"};
constexpr const SettingInfo* kSettings[] = {&kLongSeconds, &kLongBytes, &kCommonCallers};

// Ports at which browsers and agents keep connections to servers that many may use.
constexpr std::array<int32_t, 4> kKeptOpen = {80, 443, 8080, 8443};
constexpr int64_t kFewCallers = 20;  // inside hosts: at other ports as many may have the same miner

constexpr int64_t kLasting = 1800;  // seconds: of the sessions that make a caller

bool IsRare(const DetectorContext& context, const SessionRow& row, int64_t callers) {
  if (callers < context.Get(kCommonCallers)) return true;
  return !IsOneOf(kKeptOpen, row.port) && HasPort(row.port) && callers <= kFewCallers;
}

// How many inside hosts keep sessions with each outside host.
absl::flat_hash_map<uint32_t, int64_t> CallersOf(const DetectorContext& context) {
  absl::flat_hash_map<uint32_t, int64_t> out;
  const auto lasts = [](const SessionRow& row) { return row.end - row.start >= kLasting; };
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      if (context.outside(rows[0].server) && std::any_of(rows.begin(), rows.end(), lasts)) ++out[rows[0].server];
    });
  }
  return out;
}

std::vector<Finding> FindLongSessions(const DetectorContext& context) {
  std::vector<Finding> out;
  const absl::flat_hash_map<uint32_t, int64_t> callers_of = CallersOf(context);
  const auto least = std::max<int64_t>(context.Get(kLongSeconds), 1);
  const auto most = static_cast<uint64_t>(std::max<int64_t>(context.Get(kLongBytes), 0));
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      const auto found = callers_of.find(rows[0].server);
      const int64_t callers = found == callers_of.end() ? 1 : found->second;
      if (!context.outside(rows[0].server) || !IsRare(context, rows[0], callers)) return;
      const auto longest = std::max_element(rows.begin(), rows.end(), [](const SessionRow& a, const SessionRow& b) {
        return std::tuple(a.end - a.start, a.sent, a.received, b.start) <
               std::tuple(b.end - b.start, b.sent, b.received, a.start);
      });
      const SessionRow& row = *longest;
      const int64_t seconds = row.end - row.start;
      if (seconds < least || !row.Is(kAnswered) || !row.Is(kBegan) || std::max(row.sent, row.received) > most) return;
      Span span;
      span.Add(row);
      const Ip& to = context.sessions.address(row.server);
      Finding f = MakeFinding(Severity::kMedium, context.sessions.address(source), {to}, span,
                              ScoreOf(static_cast<double>(least), static_cast<double>(seconds)));
      f.sentence = absl::StrCat(context.text(source), " kept a session with ", ToString(to), " ", ServiceText(row),
                                " for ", Fixed(static_cast<double>(seconds) / 3600, 1), " hours, ", Commas(row.sent),
                                " bytes sent, ", Commas(row.received), " received", When(span));
      f.AddEvidence("seconds", seconds)
          .AddEvidence("dstport", NumberOrNone(row.port))
          .AddEvidence("protocol", NumberOrNone(row.protocol))
          .AddEvidence("bytes", Signed(row.sent))
          .AddEvidence("received", Signed(row.received))
          .AddEvidence("callers", callers);
      out.push_back(std::move(f));
    });
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who calls is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who is called is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("how long a session went on is unknown", {Field::kStart}),
    Essential("how long a session went on is unknown", {Field::kEnd}),
    Essential("an answered session cannot be told from tries", {Field::kPackets}),
    Helpful("sessions that follow each other look like a long one", {Field::kSrcPort}),
    Helpful("the services of a host are mixed", {Field::kDstPort}),
    Helpful("large transfers look like sessions that say little", {Field::kBytes}),
    Helpful("refused tries look like sessions", {Field::kAction}),
    Helpful("TCP and UDP look alike", {Field::kProtocol}),
};

}  // namespace

constinit const DetectorInfo detectors::long_session = {
    .name = "long_session",
    .technique = "T1095",
    .meaning = "a session of many hours with an outside host that hardly another inside host calls",
    .method =
        "One answered session of an inside host with an outside one that goes on for six hours or more, says little "
        "either way, and is with a host with which fewer than three inside hosts keep sessions (20 at ports that are "
        "none of the "
        "web's): reverse shells, tunnels, mining pools. RITA and Zeek's conn.log show such connections by duration "
        "alone.",
    .misses = "sessions that are idle for longer than `idle`, and those cut into short ones (`beacon`)",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindLongSessions,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
