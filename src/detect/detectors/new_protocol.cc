// new_protocol: an inside host that uses a protocol for the first time.
#include <array>
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

constexpr std::array<int32_t, 4> kUsualProtocols = {1, 6, 17, 58};  // ICMP, TCP, UDP, ICMP of IPv6

std::vector<Finding> FindNewProtocols(const DetectorContext& context) {
  std::vector<Finding> out;
  const auto protocol_of = [&](const auto& row) -> std::optional<int32_t> {
    return row.protocol == kNullInt32 || !context.inside(row.client) ? std::nullopt : std::optional(row.protocol);
  };
  const Habits habits(context, protocol_of);
  ForEachFirstSeen(
      context, habits.Unusual(protocol_of), [&](uint32_t source, int32_t protocol, const FirstSeen& first_seen) {
        const Severity severity = IsOneOf(kUsualProtocols, protocol) ? Severity::kLow : Severity::kMedium;
        Finding f = habits.ToFinding(context, source, first_seen, severity);
        f.AddEvidence("protocol", int64_t{protocol});
        f.sentence = absl::StrCat(context.text(source), " used protocol ", protocol, " (", ToString(f.targets[0]), ")",
                                  habits.FirstTime(source), When(first_seen.span));
        out.push_back(std::move(f));
      });
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who acts is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("to whom is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Essential("protocols are unknown", {Field::kProtocol}),
    Helpful("sessions of TCP cannot be seen to come about, and are not found", {Field::kPackets}),
    Helpful("refused sessions look like accepted ones", {Field::kAction}),
    Helpful("who began is told by times and TCP flags alone", {Field::kSrcPort}),
    Helpful("closed ports that answer look like sessions", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
    Helpful("which end is the server is unknown", {Field::kDstPort}),
};

}  // namespace

constinit const DetectorInfo detectors::new_protocol = {
    .name = "new_protocol",
    .technique = "T1095",
    .meaning = "an inside host that uses a protocol for the first time",
    .method =
        "An inside host that uses a protocol for the first time, and whose past makes that unlikely (as "
        "`new_port`); protocols other than TCP, UDP and ICMP are `medium`.",
    .misses =
        "hosts with a short past; who began, in protocols without ports, where both ends are first seen in the same "
        "second",
    .needs = kNeeds,
    .inputs = kBaseline,
    .settings = kHabitSettings,
    .find = FindNewProtocols,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
