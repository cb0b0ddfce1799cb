// known_bad: sessions with addresses of a list.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/answered_sessions.h"
#include "src/detect/context.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<AddressList> kBad = {
    "bad",
    "addresses and prefixes; or a file: one at the beginning of each line (`#` comments), MISP's CSV, a STIX 2 bundle"};
constexpr const SettingInfo* kSettings[] = {&kBad};
constexpr std::string_view kInputs[] = {"bad"};

// Sessions that came about between two hosts, one of which is listed.
Finding ToFinding(const DetectorContext& context, std::span<const SessionRow> rows, bool server) {
  const auto [sessions, sent, received, span] = AnsweredSessionsOf(rows);
  const Ip &from = context.sessions.address(rows[0].client), &to = context.sessions.address(rows[0].server);
  ServicePorts services;
  for (const SessionRow& row : rows) {
    if (row.Is(kAnswered)) services.Add(row);
  }
  std::vector<Ip> targets;
  if (server && from != to) targets.push_back(to);
  Finding f = MakeFinding(Severity::kHigh, server ? from : to, std::move(targets), span,
                          sessions == 0 ? 0.5 : ScoreOf(1, static_cast<double>(sessions)));
  f.sentence = absl::StrCat(ToString(server ? from : to), server ? " talked to " : " was reached by ",
                            ToString(server ? to : from), ", which is listed, at ", services.Text(), ", ",
                            Counted(sessions, "time"), When(span));
  f.AddEvidence("srcaddr", from)
      .AddEvidence("dstaddr", to)
      .AddEvidence("sessions", Signed(sessions))
      .AddEvidence("bytes", sent)
      .AddEvidence("received", received);
  services.AddTo(&f);
  if (const std::string& day = context.Get(kBad).day; !day.empty()) f.AddEvidence("list_of", day);
  return f;
}

std::vector<Finding> FindKnownBad(const DetectorContext& context) {
  std::vector<Finding> out;
  if (context.Get(kBad).prefixes.empty()) return out;
  const AddressTrait listed = context.sessions.TraitOf(kBad);
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    const bool client = context.sessions.Is(source, listed);
    ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const bool server = context.sessions.Is(rows[0].server, listed);
      const auto talked = [](const SessionRow& row) { return row.Is(kAnswered); };
      if ((!client && !server) || std::none_of(rows.begin(), rows.end(), talked)) return;
      if (server) out.push_back(ToFinding(context, rows, true));
      if (client) out.push_back(ToFinding(context, rows, false));
    });
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who talks is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("to whom is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Helpful("sessions of TCP cannot be seen to come about, and are not found", {Field::kPackets}),
    Helpful("refused and accepted sessions look alike", {Field::kProtocol}),
    Helpful("refused sessions look like accepted ones", {Field::kAction}),
    Helpful("sessions of different ports are mixed, and answers with requests", {Field::kDstPort}),
    Helpful("sessions of different ports are mixed, and answers with requests", {Field::kSrcPort}),
    Helpful("closed ports that answer look like sessions", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::known_bad = {
    .name = "known_bad",
    .technique = "T1071",
    .meaning = "sessions with addresses of your list",
    .method =
        "Sessions that came about with an address of your list of any number of prefixes, or of a file, whose date is "
        "in "
        "the evidence.",
    .misses = "addresses that changed hands",
    .needs = kNeeds,
    .inputs = kInputs,
    .settings = kSettings,
    .find = FindKnownBad,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
