// unauthorised_access: administration and database ports that answered outside hosts, or left many tries in vain.
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/answered_sessions.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"
#include "src/detect/regularity.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<Prefixes> kAdminSources = {"admin_sources", "outside prefixes from which administration is fine"};
constexpr Setting<int64_t> kAccessTries = {"access_tries", 30, "tries",
                                           "tries of one source at one service within a day that all got no answer"};
constexpr const SettingInfo* kSettings[] = {&kAdminSources, &kAccessTries, &kOpenStrangers};

// A sensitive service that a source did not get into, however often it tried.
std::optional<Finding> FailedAccess(const DetectorContext& context, std::span<const SessionRow> rows) {
  std::vector<SessionRow> failed;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(failed),
               [](const SessionRow& row) { return row.Is(kFailed); });
  const auto day = BusiestOf(std::span<const SessionRow>(failed), kDay, [](const SessionRow&) { return 1u; });
  const auto tries = Signed(day.size());
  Span span;
  for (const SessionRow& row : day) span.Add(row);
  if (tries < std::max<int64_t>(context.Get(kAccessTries), 1)) return std::nullopt;
  const Ip &from = context.sessions.address(rows[0].client), &host = context.sessions.address(rows[0].server);
  // Outside hosts try every address of the internet all day; applications and tests wait for databases, monitors ask by
  // the clock.
  const bool waits = IsOneOf(kDatabasePorts, rows[0].port) || AreSteady(day);
  const Severity severity = context.inside(rows[0].client) && !waits ? Severity::kMedium : Severity::kLow;
  Finding f = MakeFinding(severity, from, {host}, span,
                          ScoreOf(static_cast<double>(context.Get(kAccessTries)), static_cast<double>(tries)));
  f.sentence = absl::StrCat(ToString(from), " tried ", ToString(host), " ", ServiceText(rows[0]), " ",
                            Counted(static_cast<uint64_t>(tries), "time"), " without answer", When(span));
  f.AddEvidence("dstport", int64_t{rows[0].port})
      .AddEvidence("protocol", NumberOrNone(rows[0].protocol))
      .AddEvidence("tries", tries);
  return f;
}

// Outside hosts that got into a sensitive service.
struct Visitor {
  uint32_t source;
  AnsweredSessions answered;
};

Finding OneVisitor(const DetectorContext& context, const SessionRow& service, const Visitor& visitor) {
  const auto& [sessions, sent, received, span] = visitor.answered;
  const Ip &from = context.sessions.address(visitor.source), &host = context.sessions.address(service.server);
  Finding f = MakeFinding(Severity::kMedium, from, {host}, span, ScoreOf(1, static_cast<double>(sessions)));
  f.sentence = absl::StrCat(ToString(from), ", outside, talked to ", ToString(host), " ", ServiceText(service), ": ",
                            Counted(sessions, "session"), ", ", Commas(sent), " bytes to it, ", Commas(received),
                            " bytes from it", When(span));
  f.AddEvidence("srcaddr", from)
      .AddEvidence("dstaddr", host)
      .AddEvidence("dstport", int64_t{service.port})
      .AddEvidence("protocol", NumberOrNone(service.protocol))
      .AddEvidence("sessions", Signed(sessions))
      .AddEvidence("bytes", sent)
      .AddEvidence("received", received);
  return f;
}

// Several are one finding: the service is reached from outside, or open to everybody.
Finding ManyVisitors(const DetectorContext& context, const SessionRow& service, const std::vector<Visitor>& visitors) {
  AnsweredSessions all;
  Counts counts;
  for (const Visitor& visitor : visitors) {
    counts.emplace_back(visitor.source, visitor.answered.sessions);
    all.sessions += visitor.answered.sessions;
    all.sent += visitor.answered.sent;
    all.received += visitor.answered.received;
    all.span.first = std::min(all.span.first, visitor.answered.span.first);
    all.span.last = std::max(all.span.last, visitor.answered.span.last);
  }
  const bool open = Signed(visitors.size()) >= context.Get(kOpenStrangers);
  const Ip& host = context.sessions.address(service.server);
  Finding f = MakeFinding(open ? Severity::kLow : Severity::kMedium, host, MostOf(context.sessions, std::move(counts)),
                          all.span, ScoreOf(1, static_cast<double>(visitors.size())));
  f.sentence =
      absl::StrCat(ToString(host), " ", ServiceText(service), open ? " is open to the internet: " : " let ",
                   Counted(visitors.size(), "outside host"), open ? "" : " in", ", ", Counted(all.sessions, "session"),
                   ", ", Commas(all.sent), " bytes to it, ", Commas(all.received), " bytes from it", When(all.span));
  f.AddEvidence("dstaddr", host)
      .AddEvidence("dstport", int64_t{service.port})
      .AddEvidence("protocol", NumberOrNone(service.protocol))
      .AddEvidence("strangers", Signed(visitors.size()))
      .AddEvidence("sessions", Signed(all.sessions))
      .AddEvidence("bytes", all.sent)
      .AddEvidence("received", all.received);
  return f;
}

std::vector<Finding> FindUnauthorisedAccess(const DetectorContext& context) {
  const AddressTrait administers = context.sessions.TraitOf(kAdminSources);
  std::vector<Finding> out;
  std::map<Service, std::pair<SessionRow, std::vector<Visitor>>> visited;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    const bool outside = context.outside(source);
    if (outside && context.sessions.Is(source, administers)) continue;
    ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> rows) {
      const int32_t port = rows[0].port;
      const bool sensitive = IsOneOf(kAdminPorts, port) || IsOneOf(kDatabasePorts, port);
      if (!context.inside(rows[0].server) || (!sensitive && !IsOneOf(kStorePorts, port))) return;
      const AnsweredSessions answered = AnsweredSessionsOf(rows);
      if (answered.sessions == 0 && !sensitive) return;
      if (answered.sessions == 0) {
        if (std::optional<Finding> f = FailedAccess(context, rows)) out.push_back(*std::move(f));
      } else if (outside) {
        visited.try_emplace(ServiceOf(rows[0]), rows[0], std::vector<Visitor>())
            .first->second.second.push_back({source, answered});
      }
    });
  }
  constexpr size_t kSeveral = 3;
  for (const auto& [key, service] : visited) {
    const auto& [row, visitors] = service;
    if (visitors.size() >= kSeveral) {
      out.push_back(ManyVisitors(context, row, visitors));
    } else {
      for (const Visitor& visitor : visitors) out.push_back(OneVisitor(context, row, visitor));
    }
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who gets in is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("which host is reached is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("which service is reached is unknown", {Field::kDstPort}),
    Essential("there are no times", {Field::kStart}),
    Essential("a session that came about cannot be told from a refused one", {Field::kPackets}),
    Helpful("refused tries look like accepted ones", {Field::kAction}),
    Helpful("tries of one source port after the other look like one", {Field::kSrcPort}),
    Helpful("refused and accepted sessions look alike", {Field::kProtocol}),
    Helpful("closed ports that answer look like open ones", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::unauthorised_access = {
    .name = "unauthorised_access",
    .technique = "T1133",
    .meaning = "administration or database services that outside hosts reach, or that a host tries in vain",
    .method =
        "Sessions from outside that an administration port, a database or a store (Redis, Elasticsearch, Cassandra, "
        "memcached, CouchDB, etcd) of an inside host answered: one finding for each of one or two outside hosts, one "
        "for "
        "the service where there are more, `low` where it is open to everybody; and many tries at an administration "
        "port or a database in a day that all got no answer: `low` of outside hosts (what every address gets), at "
        "databases, which applications and tests wait for, and by the clock; else `medium`.",
    .misses = "who was let in on purpose, unless you name it",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindUnauthorisedAccess,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
