// new_port: an inside host that uses a port of outside hosts for the first time.
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/novelty.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

std::vector<Finding> FindNewPorts(const DetectorContext& context) {
  std::vector<Finding> out;
  const auto port_of = [&](const auto& row) -> std::optional<int32_t> {
    if (!HasPort(row.port) || row.port >= kDynamicPorts || !Outwards(context, row.client, row.server)) return {};
    return row.port;
  };
  const Habits habits(context, port_of);
  ForEachFirstSeen(context, habits.Unusual(port_of), [&](uint32_t source, int32_t port, const FirstSeen& first_seen) {
    Finding f = habits.ToFinding(context, source, first_seen, Severity::kLow);
    f.AddEvidence("dstport", int64_t{port});
    f.sentence = absl::StrCat(context.text(source), " used ", first_seen.PortText(port), " of outside hosts (",
                              ToString(f.targets[0]), ")", habits.FirstTime(source), When(first_seen.span));
    out.push_back(std::move(f));
  });
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who acts is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("to whom is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Essential("which ports are used is unknown", {Field::kDstPort}),
    Helpful("sessions of TCP cannot be seen to come about, and are not found", {Field::kPackets}),
    Helpful("refused and accepted sessions look alike", {Field::kProtocol}),
    Helpful("refused sessions look like accepted ones", {Field::kAction}),
    Helpful("who began is told by times and TCP flags alone", {Field::kSrcPort}),
    Helpful("closed ports that answer look like sessions", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::new_port = {
    .name = "new_port",
    .technique = "T1571",
    .meaning = "an inside host that uses a port of outside hosts for the first time",
    .method =
        "An inside host that uses a port (below 49,152) of outside hosts for the first time, and whose past "
        "makes that unlikely. The chance of something new is the share of sessions that were the only one of "
        "their kind, with one more of both (Good 1953, after Turing), so a host with a short past, or with "
        "something new all day, is surprised by nothing.",
    .misses = "hosts with a short past",
    .needs = kNeeds,
    .inputs = kBaseline,
    .settings = kHabitSettings,
    .find = FindNewPorts,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
