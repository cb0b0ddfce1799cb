// lateral_movement: an inside host that tries administration services of many inside hosts.
#include <map>
#include <set>
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kLateralHosts = {"lateral_hosts", 10, "hosts",
                                            "inside hosts tried at services by which one gets into another"};
constexpr Setting<double> kLateralFailed = {"lateral_failed", 0.3, "share",
                                            "share of these tries that got no answer, at least"};
constexpr const SettingInfo* kSettings[] = {&kLateralHosts, &kLateralFailed};

std::vector<Finding> FindLateralMovement(const DetectorContext& context) {
  std::vector<Finding> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    const std::span<const SessionRow> rows = context.sessions.of(source);
    if (!context.inside(source) || Signed(rows.size()) < context.Get(kLateralHosts)) continue;
    Span span;
    uint64_t tries = 0, failed = 0;
    std::map<uint32_t, uint64_t> hosts;
    std::set<int32_t> ports;
    for (const SessionRow& row : rows) {
      if (!IsOneOf(kLateralPorts, row.port) || !context.inside(row.server)) continue;
      ++tries;
      failed += row.Is(kFailed) ? 1 : 0;
      ++hosts[row.server];
      ports.insert(row.port);
      span.Add(row);
    }
    const auto reached = Signed(hosts.size());
    if (hosts.empty() || reached < context.Get(kLateralHosts) ||
        static_cast<double>(failed) < context.Get(kLateralFailed) * static_cast<double>(tries))
      continue;
    Finding f = MakeFinding(Severity::kHigh, context.sessions.address(source),
                            MostOf(context.sessions, Counts(hosts.begin(), hosts.end())), span,
                            ScoreOf(static_cast<double>(context.Get(kLateralHosts)), static_cast<double>(reached)));
    f.sentence = absl::StrCat(context.text(source), " tried services of ", Commas(hosts.size()), " inside hosts, ",
                              Commas(failed), " of ", Commas(tries), " without answer", When(span));
    f.evidence = {
        {"hosts", reached}, {"services", Signed(ports.size())}, {"failed", Signed(failed)}, {"tries", Signed(tries)}};
    out.push_back(std::move(f));
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who reaches is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who is reached is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("services, such as SSH and RDP, are unknown", {Field::kDstPort}),
    Essential("what is new cannot be told from what is old", {Field::kStart}),
    Essential("a try cannot be told from silence", {Field::kPackets}),
    Helpful("the side that opened the connection is told by ports alone", {Field::kTcpFlags}),
    Helpful("attempts that were refused look like successes", {Field::kAction}),
    Helpful("tries of one source port after the other look like one", {Field::kSrcPort}),
    Helpful("refused and accepted tries look alike", {Field::kProtocol}),
    Helpful("closed ports that answer look like open ones", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
    Helpful("a try that only the sender's side let through looks like a success", {Field::kInterfaceId}),
    Helpful("an address that went to another instance looks like the old one", {Field::kInstanceId}),
    Helpful("movement between networks cannot be told from movement inside",
            {Field::kSubnetId, Field::kVpcId, Field::kTgwSrcVpcId}),
};

}  // namespace

constinit const DetectorInfo detectors::lateral_movement = {
    .name = "lateral_movement",
    .technique = "T1021",
    .meaning = "an inside host that tries the administration services of many others",
    .method =
        "An inside host that tries administration services of many inside hosts, without answer from a good part.",
    .misses = "movement that succeeds at once; edges that are new but few",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindLateralMovement,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
