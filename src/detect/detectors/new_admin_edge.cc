// new_admin_edge: an inside host that got into an administration service of another for the first time.
#include <optional>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/novelty.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

std::vector<Finding> FindNewAdminEdges(const DetectorContext& context) {
  std::vector<Finding> out;
  if (!context.sessions.has_past()) return out;
  absl::flat_hash_set<std::tuple<uint32_t, uint32_t, int32_t>> known;
  for (const PastEdge& edge : context.sessions.past()) known.insert({edge.client, edge.server, edge.port});
  const auto port_of = [&](const SessionRow& row) -> std::optional<int32_t> {
    if (!IsOneOf(kLateralPorts, row.port) || !context.inside(row.client) || !context.inside(row.server)) return {};
    return known.contains({row.client, row.server, row.port}) ? std::nullopt : std::optional(row.port);
  };
  ForEachFirstSeen(context, port_of, [&](uint32_t source, int32_t port, const FirstSeen& first_seen) {
    Finding f = first_seen.ToFinding(context, source, Severity::kMedium, first_seen.score());
    f.AddEvidence("dstport", int64_t{port});
    f.sentence =
        absl::StrCat(context.text(source), " reached ", first_seen.PortText(port), " of ",
                     Counted(first_seen.hosts.size(), "inside host"), " for the first time", When(first_seen.span));
    out.push_back(std::move(f));
  });
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who acts is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("to whom is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Essential("services, such as SSH and RDP, are unknown", {Field::kDstPort}),
    Essential("a session that came about cannot be told from a refused one", {Field::kPackets}),
    Helpful("refused and accepted sessions look alike", {Field::kProtocol}),
    Helpful("refused sessions look like accepted ones", {Field::kAction}),
    Helpful("who began is told by times and TCP flags alone", {Field::kSrcPort}),
    Helpful("closed ports that answer look like sessions", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::new_admin_edge = {
    .name = "new_admin_edge",
    .technique = "T1021",
    .meaning = "an inside host that gets into an administration service of another for the first time",
    .method = "An inside host that got into an administration service of an inside host for the first time.",
    .misses = "what was bad before",
    .needs = kNeeds,
    .inputs = kBaseline,
    .find = FindNewAdminEdges,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
