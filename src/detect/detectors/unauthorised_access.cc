// unauthorised_access: administration and database ports that answered outside hosts, or left many tries in vain.
#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/answered_sessions.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<Prefixes> kAdminSources = {"admin_sources", "outside prefixes from which administration is fine"};
constexpr Setting<int64_t> kAccessTries = {"access_tries", 30, "tries",
                                           "tries of one source at one service that all got no answer"};
constexpr const SettingInfo* kSettings[] = {&kAdminSources, &kAccessTries};

// A sensitive service that a source did not get into, however often it tried.
std::optional<Finding> FailedAccess(const DetectorContext& context, std::span<const SessionRow> rows) {
  Span span;
  int64_t tries = 0;
  for (const SessionRow& row : rows) {
    tries += row.Is(kFailed) ? 1 : 0;
    span.Add(row);
  }
  if (tries < std::max<int64_t>(context.Get(kAccessTries), 1)) return std::nullopt;
  const Ip &from = context.sessions.address(rows[0].client), &host = context.sessions.address(rows[0].server);
  // Outside hosts try every address of the internet all day.
  const Severity severity = context.inside(rows[0].client) ? Severity::kMedium : Severity::kLow;
  Finding f = MakeFinding(severity, from, {host}, span,
                          ScoreOf(static_cast<double>(context.Get(kAccessTries)), static_cast<double>(tries)));
  f.sentence = absl::StrCat(ToString(from), " tried ", ToString(host), " port ", rows[0].port, " ", Commas(tries),
                            " times without answer", When(span));
  f.AddEvidence("dstport", int64_t{rows[0].port}).AddEvidence("tries", tries);
  return f;
}

std::vector<Finding> FindUnauthorisedAccess(const DetectorContext& context) {
  const AddressTrait administers = context.sessions.TraitOf(kAdminSources);
  std::vector<Finding> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    const bool outside = !context.inside(source);
    if (outside && context.sessions.Is(source, administers)) continue;
    ForEachRun(context.sessions.of(source), ByService, [&](std::span<const SessionRow> rows) {
      const int32_t port = rows[0].port;
      if (!context.inside(rows[0].server) || (!IsOneOf(kAdminPorts, port) && !IsOneOf(kDatabasePorts, port))) return;
      const auto [sessions, sent, received, span] = AnsweredSessionsOf(rows);
      if (sessions == 0) {
        if (std::optional<Finding> f = FailedAccess(context, rows)) out.push_back(*std::move(f));
        return;
      }
      if (!outside) return;
      const Ip &from = context.sessions.address(source), &host = context.sessions.address(rows[0].server);
      Finding f = MakeFinding(Severity::kMedium, from, {host}, span, ScoreOf(1, static_cast<double>(sessions)));
      f.sentence =
          absl::StrCat(ToString(from), ", outside, talked to ", ToString(host), " port ", port, ": ", Commas(sessions),
                       " sessions, ", Commas(sent), " bytes sent, ", Commas(received), " received");
      f.AddEvidence("srcaddr", from)
          .AddEvidence("dstaddr", host)
          .AddEvidence("dstport", int64_t{port})
          .AddEvidence("sessions", Signed(sessions))
          .AddEvidence("bytes", sent)
          .AddEvidence("received", received);
      out.push_back(std::move(f));
    });
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
        "Sessions from outside that an administration or database port of an inside host answered; and tries at such a "
        "port that all got no answer: of inside hosts `medium`, of outside ones `low` (what every address gets).",
    .misses = "who was let in on purpose, unless you name it",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindUnauthorisedAccess,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
