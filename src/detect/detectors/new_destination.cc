// new_destination: an inside host that talks to an outside host for the first time.
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/novelty.h"
#include "src/detect/registry.h"
#include "vpcflow/enrich/aws.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Leaves out addresses of S3, which change all day.
std::vector<Finding> FindNewDestinations(const DetectorContext& context) {
  std::vector<Finding> out;
  const std::shared_ptr<const Labels> s3 = AwsS3();
  const auto server_of = [&](const auto& row) -> std::optional<uint32_t> {
    if (!Outwards(context, row.client, row.server)) return {};
    return s3->OfAddress(context.sessions.address(row.server), 0) == Labels::kNone ? std::optional(row.server)
                                                                                   : std::nullopt;
  };
  const Habits habits(context, server_of);
  ForEachFirstSeen(context, habits.Unusual(server_of), [&](uint32_t source, uint32_t, const FirstSeen& first_seen) {
    Finding f = habits.ToFinding(context, source, first_seen, Severity::kLow);
    f.sentence = absl::StrCat(context.text(source), " talked to ", ToString(f.targets[0]), " at ",
                              first_seen.services.Text(), habits.FirstTime(source), When(first_seen.span));
    out.push_back(std::move(f));
  });
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who acts is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("to whom is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Helpful("sessions of TCP cannot be seen to come about, and are not found", {Field::kPackets}),
    Helpful("refused and accepted sessions look alike", {Field::kProtocol}),
    Helpful("refused sessions look like accepted ones", {Field::kAction}),
    Helpful("who began is told by times and TCP flags alone", {Field::kSrcPort}),
    Helpful("closed ports that answer look like sessions", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
    Helpful("which end is the server is unknown", {Field::kDstPort}),
};

}  // namespace

constinit const DetectorInfo detectors::new_destination = {
    .name = "new_destination",
    .technique = "T1071",
    .meaning = "an inside host that talks to an outside host for the first time",
    .method =
        "An inside host that talks to an outside host for the first time, and whose past makes that unlikely "
        "(as `new_port`); addresses of S3 are no new destinations.",
    .misses = "hosts with a short past",
    .needs = kNeeds,
    .inputs = kBaseline,
    .settings = kHabitSettings,
    .find = FindNewDestinations,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
