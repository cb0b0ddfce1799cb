// brute_force: short sessions to services that ask for a password, of one client, of many, or to many hosts.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"
#include "src/detect/regularity.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kBruteSessions = {
    "brute_sessions", 30, "sessions",
    "sessions of one client at one service within brute_seconds (Zeek: 30 failed logins in 30 minutes); from twice as "
    "many on the severity is `high`"};
constexpr Setting<int64_t> kBruteSeconds = {"brute_seconds", 1800, "seconds", "time within which they are counted"};
constexpr Setting<int64_t> kBruteBytes = {"brute_bytes", 12'000, "bytes",
                                          "median size of these sessions, sent by the client, at most"};
constexpr Setting<int64_t> kBruteSources = {"brute_sources", 10, "hosts",
                                            "clients of one service, or services at one port that a client asks, with "
                                            "a few short sessions each: guesses shared "
                                            "out, and passwords tried on many hosts"};
constexpr const SettingInfo* kSettings[] = {&kBruteSessions, &kBruteSeconds, &kBruteBytes, &kBruteSources,
                                            &kOpenStrangers};

constexpr std::array<int32_t, 7> kMailPorts = {110, 143, 465, 587, 993, 995, 2525};
// Services of the web and of names, whose short sessions of like size are no guesses.
constexpr std::array<int32_t, 7> kAskedAllDay = {25, 53, 80, 123, 443, 8080, 8443};
constexpr uint64_t kLoginBytes = 2000;                   // of a client that does nothing but log in to a database
constexpr int64_t kSharedUsers = 5;                      // inside clients of a service
constexpr uint64_t kFewGuesses = 2, kSharedGuesses = 5;  // of a client or host among many, at least

bool AsksForPassword(const DetectorContext& context, const SessionRow& row) {
  if (IsOneOf(kAdminPorts, row.port)) return true;
  return (IsOneOf(kDatabasePorts, row.port) || IsOneOf(kMailPorts, row.port)) && context.outside(row.client);
}

// Answered sessions of one client at one service.
struct Guesses {
  std::vector<SessionRow> rows;    // by start
  uint64_t typical = 0, most = 0;  // bytes: the median, and what 95 % do not exceed
  uint64_t low = 0, high = 0;      // quartiles
};

Guesses GuessesOf(std::span<const SessionRow> all) {
  Guesses out;
  std::vector<uint64_t> sizes;
  for (const SessionRow& row : all) {
    if (!row.Is(kAnswered) || !row.Is(kBegan)) continue;
    out.rows.push_back(row);
    sizes.push_back(row.sent);
  }
  if (sizes.empty()) return out;
  out.typical = QuantileOf(&sizes, 0.5);
  out.most = QuantileOf(&sizes, 0.95);
  out.low = QuantileOf(&sizes, 0.25);
  out.high = QuantileOf(&sizes, 0.75);
  return out;
}

bool AreShort(const DetectorContext& context, const Guesses& guesses) {
  const int64_t limit = context.Get(kBruteBytes);
  return Signed(guesses.typical) <= limit && Signed(guesses.most) <= 4 * limit;
}

// One client at one service.
std::optional<Finding> OneClient(const DetectorContext& context, const Guesses& guesses) {
  const auto counts = [](const SessionRow&) { return 1u; };
  const std::span<const SessionRow> all = guesses.rows;
  if (Signed(all.size()) < context.Get(kBruteSessions) || !AreShort(context, guesses)) return {};
  const SessionRow& row = all[0];
  const bool asks = AsksForPassword(context, row);
  const auto varies = [&](double share) {
    return static_cast<double>(guesses.high - guesses.low) > share * static_cast<double>(guesses.typical);
  };
  // A service at a port of its own is known by what guesses are: short sessions that are all alike.
  const bool alike = !varies(0.3);
  // Slow guesses, at a service that few outside hosts use, are less so, but what people do there differs far more.
  const bool may_be_slow =
      asks && context.outside(row.client) && !varies(0.5) && !context.open(row) && !AreSteady(guesses.rows);
  int64_t seconds = context.Get(kBruteSeconds);
  std::span<const SessionRow> rows = BusiestOf(all, seconds, counts);
  const bool slow = may_be_slow && Signed(rows.size()) < context.Get(kBruteSessions);
  if (slow) rows = BusiestOf(all, seconds = kDay, counts);
  const auto sessions = Signed(rows.size());
  if (rows.empty() || sessions < context.Get(kBruteSessions)) return {};
  const bool odd =
      context.outside(row.client) && context.inside(row.server) && !IsOneOf(kAskedAllDay, row.port) && alike;
  // Applications log in to databases all day, each time in its own way, or by the clock.
  const bool inside_database = context.inside(row.client) && IsOneOf(kDatabasePorts, row.port) && alike &&
                               guesses.typical <= kLoginBytes && !AreSteady(guesses.rows);
  if (!asks && !inside_database && (!odd || context.open(row))) return {};
  // A service of which many inside hosts are clients all day, as those of a Windows domain.
  if (!inside_database && context.inside(row.client) && context.prevalence.users(ServiceOf(row)) >= kSharedUsers)
    return {};
  Span span;
  for (const SessionRow& own : guesses.rows) span.Add(own);
  const Ip& host = context.sessions.address(row.server);
  Finding f =
      MakeFinding(asks && !slow && sessions >= 2 * context.Get(kBruteSessions) ? Severity::kHigh : Severity::kMedium,
                  context.sessions.address(row.client), {host}, span,
                  ScoreOf(static_cast<double>(context.Get(kBruteSessions)), static_cast<double>(sessions)));
  f.sentence = absl::StrCat(context.text(row.client), " opened ", Counted(guesses.rows.size(), "short session"), " to ",
                            ToString(host), " ", ServiceText(row), ", ", Commas(sessions), " of them within ",
                            Counted(static_cast<uint64_t>(seconds / 60), "minute"), When(span));
  f.AddEvidence("sessions", Signed(guesses.rows.size()))
      .AddEvidence("within", sessions)
      .AddEvidence("seconds", seconds)
      .AddEvidence("dstport", NumberOrNone(row.port))
      .AddEvidence("protocol", NumberOrNone(row.protocol))
      .AddEvidence("typical", Signed(guesses.typical))
      .AddEvidence("most", Signed(guesses.most));
  return f;
}

// A few guesses of each of many clients at one service, or of one client at each of many hosts' services.
struct Shared {
  std::vector<Guesses> parts;
  uint64_t sessions() const {
    uint64_t out = 0;
    for (const Guesses& part : parts) out += part.rows.size();
    return out;
  }
  Span span() const {
    Span out;
    for (const Guesses& part : parts) {
      for (const SessionRow& row : part.rows) out.Add(row);
    }
    return out;
  }
  // Keeps the parts whose median is near the median of all, which people's sessions are not.
  void KeepAlike() {
    if (parts.empty()) return;
    std::vector<uint64_t> medians;
    for (const Guesses& part : parts) medians.push_back(part.typical);
    const auto middle = static_cast<double>(QuantileOf(&medians, 0.5));
    std::erase_if(parts, [&](const Guesses& part) {
      return std::abs(static_cast<double>(part.typical) - middle) > 0.3 * middle;
    });
  }
};

Finding SharedFinding(const DetectorContext& context, const Shared& shared, uint32_t actor, std::vector<Ip> targets,
                      std::string_view of, std::string sentence) {
  const SessionRow& row = shared.parts[0].rows[0];
  Finding f =
      MakeFinding(Severity::kMedium, context.sessions.address(actor), std::move(targets), shared.span(),
                  ScoreOf(static_cast<double>(context.Get(kBruteSources)), static_cast<double>(shared.parts.size())));
  f.sentence = absl::StrCat(sentence, When(shared.span()));
  f.AddEvidence(of, Signed(shared.parts.size()))
      .AddEvidence("sessions", Signed(shared.sessions()))
      .AddEvidence("dstport", NumberOrNone(row.port))
      .AddEvidence("protocol", NumberOrNone(row.protocol));
  return f;
}

// Many clients at one service.
void ManyClients(const DetectorContext& context, Shared shared, std::vector<Finding>* out) {
  shared.KeepAlike();
  if (Signed(shared.parts.size()) < std::max<int64_t>(context.Get(kBruteSources), 2)) return;
  const Guesses& most =
      *std::max_element(shared.parts.begin(), shared.parts.end(), [&](const Guesses& a, const Guesses& b) {
        if (a.rows.size() != b.rows.size()) return a.rows.size() < b.rows.size();
        if (a.rows[0].start != b.rows[0].start) return a.rows[0].start > b.rows[0].start;
        return CompareAddressText(context.sessions.address(a.rows[0].client),
                                  context.sessions.address(b.rows[0].client)) > 0;
      });
  const SessionRow& row = most.rows[0];
  out->push_back(SharedFinding(context, shared, row.client, {context.sessions.address(row.server)}, "sources",
                               absl::StrCat(Commas(shared.parts.size()), " outside hosts, ", context.text(row.client),
                                            " first, opened ", Counted(shared.sessions(), "short session"),
                                            " of like size to ", context.text(row.server), " ", ServiceText(row))));
}

// One client at many hosts.
void ManyHosts(const DetectorContext& context, Shared shared, std::vector<Finding>* out) {
  shared.KeepAlike();
  if (Signed(shared.parts.size()) < std::max<int64_t>(context.Get(kBruteSources), 2)) return;
  Counts hosts;
  for (const Guesses& part : shared.parts) hosts.emplace_back(part.rows[0].server, part.rows.size());
  const SessionRow& row = shared.parts[0].rows[0];
  out->push_back(SharedFinding(
      context, shared, row.client, MostOf(context.sessions, std::move(hosts)), "hosts",
      absl::StrCat(context.text(row.client), " opened ", Counted(shared.sessions(), "short session"),
                   " of like size to ", ServiceText(row), " of ", Commas(shared.parts.size()), " hosts")));
}

std::vector<Finding> FindBruteForce(const DetectorContext& context) {
  std::vector<Finding> out;
  std::map<Service, Shared> by_service;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    std::map<std::pair<int32_t, int32_t>, Shared> by_port;  // of one source
    ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      const bool asks = AsksForPassword(context, rows[0]) && context.inside(rows[0].server);
      if (!asks && Signed(rows.size()) < context.Get(kBruteSessions)) return;
      Guesses guesses = GuessesOf(rows);
      if (guesses.rows.empty()) return;
      if (std::optional<Finding> f = OneClient(context, guesses)) {
        out.push_back(*std::move(f));
        return;
      }
      if (!asks || !AreShort(context, guesses) || AreSteady(guesses.rows)) return;
      if (guesses.rows.size() >= kSharedGuesses && context.outside(source))
        by_service[ServiceOf(rows[0])].parts.push_back(guesses);
      if (guesses.rows.size() >= kFewGuesses)
        by_port[{rows[0].port, rows[0].protocol}].parts.push_back(std::move(guesses));
    });
    for (auto& [port, shared] : by_port) ManyHosts(context, std::move(shared), &out);
  }
  for (auto& [service, shared] : by_service) ManyClients(context, std::move(shared), &out);
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
        "Many short answered sessions of one client within half an hour, at a service that asks a person for a "
        "password; "
        "within a day if they are all alike and come from outside to a service that few use. Of mail only from "
        "outside; "
        "of databases from inside only sessions that are all alike; from outside at any other port if all sessions are "
        "alike. Likewise a few short sessions of like size of each of many outside hosts at one service, and of one "
        "host "
        "at each of many. Not of inside hosts at services that five of them use, nor at many hosts by the clock.",
    .misses = "tries within one session; guesses of many clients that are fewer than five each",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindBruteForce,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
