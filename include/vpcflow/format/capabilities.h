// Capabilities: what a format can and cannot answer, and which fields would help.
//
// Example:
//   for (const vpcflow::Capability& c : vpcflow::Capabilities(vpcflow::Format::Default()))
//     std::cout << c.analysis << ": " << vpcflow::VerdictName(c.verdict) << "\n";     // "nat_attribution: impossible"
//   vpcflow::Format more;
//   vpcflow::RecommendedFormat({"visibility", "cost"}, &more);                        // all that these two need
//
// A tool that does not say this stays silent about an attack that its format could not show. The table below is the one
// place of the analyses of this ring and their fields; each detector states its own in its file. vpcflow::Analyses() of
// vpcflow/detect/detector.h has both.
#ifndef VPCFLOW_FORMAT_CAPABILITIES_H_
#define VPCFLOW_FORMAT_CAPABILITIES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/format/format.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

enum class Verdict : uint8_t { kExact, kDegraded, kImpossible };

constexpr std::string_view VerdictName(Verdict verdict) {
  constexpr std::array<std::string_view, 3> kNames = {"exact", "degraded", "impossible"};
  return kNames[static_cast<size_t>(verdict)];
}

// A need of an analysis: any one of up to three fields (kUnknown for none), the first of them the one to add, and what
// is lost without all of them. Without an essential one the analysis is impossible, without a helpful one degraded.
struct FieldNeed {
  bool essential = false;
  std::array<Field, 3> any_of{};
  std::string_view without{};
};

namespace internal {
constexpr FieldNeed NeedOf(bool essential, std::string_view without, std::initializer_list<Field> any_of) {
  FieldNeed out{essential, {Field::kUnknown, Field::kUnknown, Field::kUnknown}, without};
  std::copy(any_of.begin(), any_of.end(), out.any_of.begin());
  return out;
}
inline void AnAnalysisNeedsAnEssentialField() {}  // not constexpr: where it is reached nothing compiles
}  // namespace internal
constexpr FieldNeed Essential(std::string_view without, std::initializer_list<Field> any_of) {
  return internal::NeedOf(true, without, any_of);
}
constexpr FieldNeed Helpful(std::string_view without, std::initializer_list<Field> any_of) {
  return internal::NeedOf(false, without, any_of);
}

// The needs of an analysis in the order of importance, out of a constexpr array. Needs that are left out, empty, or
// without an essential field do not compile: such an analysis would look as if every format could answer it.
class FieldNeeds {
 public:
  template <size_t n>
  consteval FieldNeeds(const FieldNeed (&needs)[n]) : needs_(needs) {
    if (std::none_of(needs, needs + n, [](const FieldNeed& need) { return need.essential; }))
      internal::AnAnalysisNeedsAnEssentialField();
  }
  constexpr auto begin() const { return needs_.begin(); }
  constexpr auto end() const { return needs_.end(); }

 private:
  std::span<const FieldNeed> needs_;
};

struct AnalysisInfo {
  std::string_view name{};
  std::string_view meaning{};
  FieldNeeds needs;
};

namespace internal {
// clang-format off: one line an entry
inline constexpr FieldNeed kVisibilityNeeds[] = {
    Essential("who sends is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who receives is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there is no volume", {Field::kBytes, Field::kPackets}),
    Helpful("nothing can be put on a time line", {Field::kStart}),
    Helpful("volume cannot be spread over time", {Field::kEnd}),
    Helpful("services are unknown", {Field::kDstPort}),
    Helpful("TCP and UDP services look alike", {Field::kProtocol}),
    Helpful("accepted and rejected traffic look alike", {Field::kAction, Field::kPacketsLostNoRoute}),
    Helpful("interfaces cannot be told apart, so traffic logged at both ends counts twice",
            {Field::kInterfaceId, Field::kTgwAttachmentId}),
    Helpful("silence cannot be told from lost records", {Field::kLogStatus}),
};
inline constexpr FieldNeed kOrientationNeeds[] = {
    Essential("there is only one end", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("there is only one end", {Field::kDstAddr, Field::kPktDstAddr}),
    Helpful("the SYN that tells the client is not there; ports and first packets decide", {Field::kTcpFlags}),
    Helpful("in and out of the interface are told by addresses alone", {Field::kFlowDirection}),
    Helpful("ports cannot tell the server", {Field::kSrcPort}),
    Helpful("ports cannot tell the server", {Field::kDstPort}),
    Helpful("who came first is unknown", {Field::kStart}),
};
inline constexpr FieldNeed kNatAttributionNeeds[] = {
    Essential("the packet's own source is not there", {Field::kPktSrcAddr}),
    Essential("the packet's own destination is not there", {Field::kPktDstAddr}),
    Essential("the interface's address is not there", {Field::kSrcAddr}),
    Essential("the interface's address is not there", {Field::kDstAddr}),
    Helpful("the two sides of the gateway are told by addresses alone", {Field::kFlowDirection}),
    Helpful("which interface recorded it is unknown", {Field::kInterfaceId}),
    Helpful("gateways and load balancers must come from an inventory",
            {Field::kInterfaceType, Field::kNextHopInterfaceType}),
};
inline constexpr FieldNeed kCrossAzAttributionNeeds[] = {
    Essential("there is no volume", {Field::kBytes}),
    Essential("the zone must come from an inventory, and nothing here names the interface or subnet",
              {Field::kAzId, Field::kSubnetId, Field::kTgwSrcAzId}),
    Helpful("the recording interface's zone must come from an inventory of subnets",
            {Field::kAzId, Field::kTgwSrcAzId}),
    Helpful("the other end's zone must come from an inventory of addresses", {Field::kNextHopAzId, Field::kTgwDstAzId}),
    Helpful("traffic logged at both ends cannot be told from traffic of one", {Field::kFlowDirection}),
    Helpful("the other end is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
};
inline constexpr FieldNeed kCostNeeds[] = {
    Essential("there is no volume", {Field::kBytes}),
    Helpful("charges depend on the way out, which is unknown", {Field::kTrafficPath, Field::kTgwAttachmentId}),
    Helpful("outbound traffic, which is charged, is told by addresses alone", {Field::kFlowDirection}),
    Helpful("traffic between zones cannot be told", {Field::kAzId, Field::kTgwSrcAzId}),
    Helpful("the other end's zone must come from an inventory", {Field::kNextHopAzId, Field::kTgwDstAzId}),
    Helpful("ways through gateways and endpoints must come from an inventory", {Field::kNextHopInterfaceType}),
    Helpful("interfaces of gateways and endpoints must come from an inventory", {Field::kInterfaceType}),
    Helpful("free traffic to AWS services cannot be told from paid traffic", {Field::kPktDstAwsService}),
    Helpful("free traffic from AWS services cannot be told from paid traffic", {Field::kPktSrcAwsService}),
    Helpful("traffic behind NAT gateways belongs to the gateway", {Field::kPktSrcAddr}),
    Helpful("the inside leg of a NAT gateway cannot be told from its outside leg", {Field::kPktDstAddr}),
    Helpful("nobody can be charged with it", {Field::kInterfaceId, Field::kInstanceId, Field::kTgwAttachmentId}),
    Helpful("regional NAT gateways, which have no interface, are told by their addresses alone", {Field::kResourceId}),
    Helpful("prices depend on the region", {Field::kRegion}),
    Helpful("the VPC must come from an inventory", {Field::kVpcId, Field::kTgwSrcVpcId}),
    Helpful("the other end's VPC must come from an inventory", {Field::kNextHopVpcId, Field::kTgwDstVpcId}),
    Helpful("rejected traffic, which costs little, counts as traffic", {Field::kAction}),
};
inline constexpr FieldNeed kPerformanceNeeds[] = {
    Essential("there is only one end", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("there is only one end", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Essential("there are no rates", {Field::kEnd}),
    Helpful("resets and connections that nobody answered cannot be seen", {Field::kTcpFlags}),
    Helpful("there is no throughput", {Field::kBytes}),
    Helpful("packet rates and sizes are unknown", {Field::kPackets}),
    Helpful("blocked connections look like slow ones", {Field::kAction, Field::kPacketsLostNoRoute}),
    Helpful("services are unknown", {Field::kDstPort}),
    Helpful("requests and replies are paired by addresses alone", {Field::kFlowDirection}),
    Helpful("silence cannot be told from lost records", {Field::kLogStatus}),
};
inline constexpr FieldNeed kSecurityGroupTuningNeeds[] = {
    Essential("the interface that a group protects is unknown", {Field::kInterfaceId}),
    Essential("sources of rules are unknown", {Field::kSrcAddr}),
    Essential("destinations of rules are unknown", {Field::kDstAddr}),
    Essential("ports of rules are unknown", {Field::kDstPort}),
    Essential("protocols of rules are unknown", {Field::kProtocol}),
    Essential("what was let in and what was not is unknown", {Field::kAction}),
    Helpful("inbound and outbound rules are told by addresses alone", {Field::kFlowDirection}),
    Helpful("replies, which need no rule, are told from requests by ports alone", {Field::kTcpFlags}),
    Helpful("replies, which need no rule, cannot be told from requests", {Field::kSrcPort}),
    Helpful("what VPC block public access rejected looks like the work of a rule", {Field::kRejectReason}),
    Helpful("network ACLs, which belong to subnets, cannot be looked at", {Field::kSubnetId}),
};
inline constexpr FieldNeed kAuditNeeds[] = {
    Essential("who sent is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who received is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Helpful("ends of connections are unknown", {Field::kEnd}),
    Helpful("gaps in the log cannot be shown", {Field::kLogStatus}),
    Helpful("what was refused looks like what was let through", {Field::kAction}),
    Helpful("where it was recorded is unknown", {Field::kInterfaceId, Field::kTgwAttachmentId}),
    Helpful("whose it is is unknown", {Field::kAccountId}),
    Helpful("services are unknown", {Field::kDstPort}),
    Helpful("connections cannot be told apart", {Field::kSrcPort}),
    Helpful("protocols are unknown", {Field::kProtocol}),
    Helpful("volume is unknown", {Field::kBytes}),
    Helpful("hosts behind NAT gateways cannot be named", {Field::kPktSrcAddr}),
    Helpful("an address names a host only as long as it kept it", {Field::kInstanceId, Field::kTgwSrcEni}),
};
// clang-format on
}  // namespace internal

// The analyses of this ring.
inline constexpr AnalysisInfo kAnalyses[] = {
    {"visibility", "who talks to whom, how much, over which services, when", internal::kVisibilityNeeds},
    {"orientation", "which end of a conversation is the client", internal::kOrientationNeeds},
    {"nat_attribution", "which host stands behind a NAT gateway or load balancer", internal::kNatAttributionNeeds},
    {"cross_az_attribution", "which traffic crosses availability zones", internal::kCrossAzAttributionNeeds},
    {"cost", "which traffic AWS charges for, and whose it is", internal::kCostNeeds},
    {"performance", "slow, failing or lossy conversations", internal::kPerformanceNeeds},
    {"security_group_tuning", "rules that nothing uses, and what rules would be enough",
     internal::kSecurityGroupTuningNeeds},
    {"audit", "what happened between two ends, with nothing left out unsaid", internal::kAuditNeeds},
};

struct Capability {
  std::string_view analysis{};
  std::string_view meaning{};
  Verdict verdict = Verdict::kExact;
  std::vector<std::string_view> why{};  // what is lost, most important first; empty if exact
  std::vector<Field> add{};             // the fields that would make it exact
  std::vector<Field> lacks{};           // of these the essential ones, without which it is impossible
};

// Returns whether a format has one of the fields of a need.
constexpr bool Satisfied(const FieldNeed& need, const Format& format) {
  return std::any_of(need.any_of.begin(), need.any_of.end(), [&](Field field) { return format.IndexOf(field) >= 0; });
}

// Returns what a format can answer of an analysis. O(fields of the analysis).
inline Capability CapabilityOf(const AnalysisInfo& analysis, const Format& format) {
  Capability out{analysis.name, analysis.meaning, Verdict::kExact, {}, {}, {}};
  const auto add_once = [](auto* list, auto value) {
    if (std::find(list->begin(), list->end(), value) == list->end()) list->push_back(value);
  };
  for (const FieldNeed& need : analysis.needs) {
    if (Satisfied(need, format)) continue;
    out.verdict = need.essential || out.verdict == Verdict::kImpossible ? Verdict::kImpossible : Verdict::kDegraded;
    add_once(&out.why, need.without);
    add_once(&out.add, need.any_of[0]);
    if (need.essential) add_once(&out.lacks, need.any_of[0]);
  }
  return out;
}

// Returns the verdict of each analysis for a format, in their order. O(fields of the analyses).
inline std::vector<Capability> Capabilities(const Format& format, std::span<const AnalysisInfo> analyses = kAnalyses) {
  std::vector<Capability> out;
  for (const AnalysisInfo& analysis : analyses) out.push_back(CapabilityOf(analysis, format));
  return out;
}

// Gives the format with which the analyses named (all if none is) are exact: AWS's default fields, then what else they
// need, in the catalogue's order. Returns false, with `out` as it was, if a name is none of `analyses`.
inline bool RecommendedFormat(std::span<const std::string_view> names, Format* out,
                              std::span<const AnalysisInfo> analyses = kAnalyses) {
  const auto known = [&](std::string_view name) {
    return std::any_of(analyses.begin(), analyses.end(), [&](const AnalysisInfo& a) { return a.name == name; });
  };
  if (!std::all_of(names.begin(), names.end(), known)) return false;
  std::array<bool, kFieldCount> wanted{};
  const Format standard = Format::Default();
  for (const FormatColumn& column : standard.columns()) wanted[static_cast<size_t>(column.field)] = true;
  for (const AnalysisInfo& analysis : analyses) {
    if (!names.empty() && std::find(names.begin(), names.end(), analysis.name) == names.end()) continue;
    for (const FieldNeed& need : analysis.needs) wanted[static_cast<size_t>(need.any_of[0])] = true;
  }
  std::string text;
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (wanted[i]) text.append(kFields[i].name).append(" ");
  }
  FormatError ignored;
  return Format::Parse(text, out, &ignored);
}
inline bool RecommendedFormat(std::initializer_list<std::string_view> names, Format* out,
                              std::span<const AnalysisInfo> analyses = kAnalyses) {
  return RecommendedFormat(std::span<const std::string_view>(names.begin(), names.size()), out, analyses);
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_CAPABILITIES_H_
