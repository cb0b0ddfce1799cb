// Capabilities: what a format can and cannot answer, and which fields would help.
//
// Example:
//   for (const vpcflow::Capability& c : vpcflow::Capabilities(vpcflow::Format::Default()))
//     std::cout << c.analysis << ": " << vpcflow::VerdictName(c.verdict) << "\n";     // "nat_attribution: impossible"
//   vpcflow::Format more;
//   vpcflow::RecommendedFormat({"port_scan", "cost"}, &more);                         // all that these two need
//
// A tool that does not say this stays silent about an attack that its format could not show. The list below is the one
// place where analyses and the fields that they need are named.
#ifndef VPCFLOW_FORMAT_CAPABILITIES_H_
#define VPCFLOW_FORMAT_CAPABILITIES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
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

namespace internal {

// One thing that an analysis needs: any of the fields; `kUnknown` for none. What is lost without it.
struct Need {
  std::string_view analysis{};
  bool essential{};
  std::array<Field, 3> any_of{};
  std::string_view without{};
};

struct AnalysisInfo {
  std::string_view name{};
  std::string_view meaning{};
};

// clang-format off: one line an entry
inline constexpr AnalysisInfo kAnalyses[] = {
    {"visibility", "who talks to whom, how much, over which services, when"},
    {"port_scan", "one source that tries many ports or hosts"},
    {"brute_force", "many short sessions to a service that asks for a password"},
    {"exfiltration", "unusual volume from inside to outside"},
    {"beacon", "connections that come back at regular times"},
    {"lateral_movement", "hosts that reach others which they never reached before"},
    {"orientation", "which end of a conversation is the client"},
    {"nat_attribution", "which host stands behind a NAT gateway or load balancer"},
    {"cross_az_attribution", "which traffic crosses availability zones"},
    {"cost", "which traffic AWS charges for, and whose it is"},
    {"performance", "slow, failing or lossy conversations"},
    {"security_group_tuning", "rules that nothing uses, and what rules would be enough"},
    {"audit", "what happened between two ends, with nothing left out unsaid"},
};

#define VPCFLOW_F(Id) Field::k##Id
#define VPCFLOW_MUST(analysis, without, ...) \
  { analysis, true, NeedFields({__VA_ARGS__}), without }
#define VPCFLOW_MAY(analysis, without, ...) \
  { analysis, false, NeedFields({__VA_ARGS__}), without }
constexpr std::array<Field, 3> NeedFields(std::initializer_list<Field> fields) {
  std::array<Field, 3> out = {Field::kUnknown, Field::kUnknown, Field::kUnknown};
  size_t n = 0;
  for (Field field : fields) out[n++] = field;
  return out;
}
// In the order of importance; the first of alternatives is the one to add.
inline constexpr Need kNeeds[] = {
    VPCFLOW_MUST("visibility", "who sends is unknown", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("visibility", "who receives is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("visibility", "there is no volume", VPCFLOW_F(Bytes), VPCFLOW_F(Packets)),
    VPCFLOW_MAY("visibility", "nothing can be put on a time line", VPCFLOW_F(Start)),
    VPCFLOW_MAY("visibility", "volume cannot be spread over time", VPCFLOW_F(End)),
    VPCFLOW_MAY("visibility", "services are unknown", VPCFLOW_F(DstPort)),
    VPCFLOW_MAY("visibility", "TCP and UDP services look alike", VPCFLOW_F(Protocol)),
    VPCFLOW_MAY("visibility", "accepted and rejected traffic look alike", VPCFLOW_F(Action),
                VPCFLOW_F(PacketsLostNoRoute)),
    VPCFLOW_MAY("visibility", "interfaces cannot be told apart, so traffic logged at both ends counts twice",
                VPCFLOW_F(InterfaceId), VPCFLOW_F(TgwAttachmentId)),
    VPCFLOW_MAY("visibility", "silence cannot be told from lost records", VPCFLOW_F(LogStatus)),

    VPCFLOW_MUST("port_scan", "who probes is unknown", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("port_scan", "which hosts are probed is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("port_scan", "which ports are probed is unknown", VPCFLOW_F(DstPort)),
    VPCFLOW_MAY(
        "port_scan",
        "servers that answer many clients and backscatter of floods cannot be told from scanners by their flags",
        VPCFLOW_F(TcpFlags)),
    VPCFLOW_MAY("port_scan", "probes that were refused count no more than any other", VPCFLOW_F(Action)),
    VPCFLOW_MAY("port_scan", "the order of probes, and with it first contacts, is unknown", VPCFLOW_F(Start)),
    VPCFLOW_MAY("port_scan", "answers cannot be told from probes", VPCFLOW_F(SrcPort)),
    VPCFLOW_MAY("port_scan", "TCP and UDP probes look alike", VPCFLOW_F(Protocol)),
    VPCFLOW_MAY("port_scan", "probes cannot be told from sessions by their size", VPCFLOW_F(Packets)),

    VPCFLOW_MUST("brute_force", "who tries is unknown", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("brute_force", "which host is tried is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("brute_force", "which service is tried is unknown", VPCFLOW_F(DstPort)),
    VPCFLOW_MUST("brute_force", "tries cannot be counted over time", VPCFLOW_F(Start)),
    VPCFLOW_MAY("brute_force", "one try, which ends by itself, cannot be told from a part of a long session",
                VPCFLOW_F(TcpFlags)),
    VPCFLOW_MAY("brute_force", "a log-in that succeeded cannot be seen by its size", VPCFLOW_F(Bytes)),
    VPCFLOW_MAY("brute_force", "the shape of a session is unknown", VPCFLOW_F(Packets)),
    VPCFLOW_MAY("brute_force", "how long a try took is unknown", VPCFLOW_F(End)),
    VPCFLOW_MAY("brute_force", "tries of one source port after the other look like one", VPCFLOW_F(SrcPort)),
    VPCFLOW_MAY("brute_force", "refused tries look like accepted ones", VPCFLOW_F(Action)),

    VPCFLOW_MUST("exfiltration", "who sends is unknown", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("exfiltration", "where it goes is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("exfiltration", "there is no volume", VPCFLOW_F(Bytes)),
    VPCFLOW_MUST("exfiltration", "there is no baseline over time", VPCFLOW_F(Start)),
    VPCFLOW_MAY("exfiltration", "in and out are told by addresses alone", VPCFLOW_F(FlowDirection)),
    VPCFLOW_MAY("exfiltration", "behind a NAT gateway the destination is the gateway", VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MAY("exfiltration", "buckets of others cannot be told from any other address", VPCFLOW_F(PktDstAwsService)),
    VPCFLOW_MAY("exfiltration", "the way out (internet, peering, endpoint) is unknown", VPCFLOW_F(TrafficPath)),
    VPCFLOW_MAY("exfiltration", "who opened the connection is told by ports alone", VPCFLOW_F(TcpFlags)),

    VPCFLOW_MUST("beacon", "who calls is unknown", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("beacon", "who is called is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("beacon", "there are no times", VPCFLOW_F(Start)),
    VPCFLOW_MAY("beacon", "starts of connections are guessed from gaps", VPCFLOW_F(TcpFlags)),
    VPCFLOW_MAY("beacon", "where a connection goes on over several windows is guessed", VPCFLOW_F(End)),
    VPCFLOW_MAY("beacon", "different services of a host are mixed", VPCFLOW_F(DstPort)),
    VPCFLOW_MAY("beacon", "connections are told apart by time alone", VPCFLOW_F(SrcPort)),
    VPCFLOW_MAY("beacon", "calls of the same size cannot be seen", VPCFLOW_F(Bytes)),

    VPCFLOW_MUST("lateral_movement", "who reaches is unknown", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("lateral_movement", "who is reached is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("lateral_movement", "services, such as SSH and RDP, are unknown", VPCFLOW_F(DstPort)),
    VPCFLOW_MUST("lateral_movement", "what is new cannot be told from what is old", VPCFLOW_F(Start)),
    VPCFLOW_MAY("lateral_movement", "the side that opened the connection is told by ports alone", VPCFLOW_F(TcpFlags)),
    VPCFLOW_MAY("lateral_movement", "attempts that were refused look like successes", VPCFLOW_F(Action)),
    VPCFLOW_MAY("lateral_movement", "an address that went to another instance looks like the old one",
                VPCFLOW_F(InstanceId)),
    VPCFLOW_MAY("lateral_movement", "movement between networks cannot be told from movement inside",
                VPCFLOW_F(SubnetId), VPCFLOW_F(VpcId), VPCFLOW_F(TgwSrcVpcId)),

    VPCFLOW_MUST("orientation", "there is only one end", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("orientation", "there is only one end", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MAY("orientation", "the SYN that tells the client is not there; ports and first packets decide",
                VPCFLOW_F(TcpFlags)),
    VPCFLOW_MAY("orientation", "in and out of the interface are told by addresses alone", VPCFLOW_F(FlowDirection)),
    VPCFLOW_MAY("orientation", "ports cannot tell the server", VPCFLOW_F(SrcPort)),
    VPCFLOW_MAY("orientation", "ports cannot tell the server", VPCFLOW_F(DstPort)),
    VPCFLOW_MAY("orientation", "who came first is unknown", VPCFLOW_F(Start)),

    VPCFLOW_MUST("nat_attribution", "the packet's own source is not there", VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("nat_attribution", "the packet's own destination is not there", VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("nat_attribution", "the interface's address is not there", VPCFLOW_F(SrcAddr)),
    VPCFLOW_MUST("nat_attribution", "the interface's address is not there", VPCFLOW_F(DstAddr)),
    VPCFLOW_MAY("nat_attribution", "the two sides of the gateway are told by addresses alone",
                VPCFLOW_F(FlowDirection)),
    VPCFLOW_MAY("nat_attribution", "which interface recorded it is unknown", VPCFLOW_F(InterfaceId)),
    VPCFLOW_MAY("nat_attribution", "gateways and load balancers must come from an inventory", VPCFLOW_F(InterfaceType),
                VPCFLOW_F(NextHopInterfaceType)),

    VPCFLOW_MUST("cross_az_attribution", "there is no volume", VPCFLOW_F(Bytes)),
    VPCFLOW_MUST("cross_az_attribution",
                 "the zone must come from an inventory, and nothing here names the interface or subnet",
                 VPCFLOW_F(AzId), VPCFLOW_F(SubnetId), VPCFLOW_F(TgwSrcAzId)),
    VPCFLOW_MAY("cross_az_attribution", "the recording interface's zone must come from an inventory of subnets",
                VPCFLOW_F(AzId), VPCFLOW_F(TgwSrcAzId)),
    VPCFLOW_MAY("cross_az_attribution", "the other end's zone must come from an inventory of addresses",
                VPCFLOW_F(NextHopAzId), VPCFLOW_F(TgwDstAzId)),
    VPCFLOW_MAY("cross_az_attribution", "traffic logged at both ends cannot be told from traffic of one",
                VPCFLOW_F(FlowDirection)),
    VPCFLOW_MAY("cross_az_attribution", "the other end is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),

    VPCFLOW_MUST("cost", "there is no volume", VPCFLOW_F(Bytes)),
    VPCFLOW_MAY("cost", "charges depend on the way out, which is unknown", VPCFLOW_F(TrafficPath),
                VPCFLOW_F(TgwAttachmentId)),
    VPCFLOW_MAY("cost", "outbound traffic, which is charged, is told by addresses alone", VPCFLOW_F(FlowDirection)),
    VPCFLOW_MAY("cost", "traffic between zones cannot be told", VPCFLOW_F(AzId), VPCFLOW_F(TgwSrcAzId)),
    VPCFLOW_MAY("cost", "the other end's zone must come from an inventory", VPCFLOW_F(NextHopAzId),
                VPCFLOW_F(TgwDstAzId)),
    VPCFLOW_MAY("cost", "free traffic to AWS services cannot be told from paid traffic", VPCFLOW_F(PktDstAwsService)),
    VPCFLOW_MAY("cost", "traffic behind NAT gateways belongs to the gateway", VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MAY("cost", "nobody can be charged with it", VPCFLOW_F(InterfaceId), VPCFLOW_F(InstanceId),
                VPCFLOW_F(TgwAttachmentId)),
    VPCFLOW_MAY("cost", "prices depend on the region", VPCFLOW_F(Region)),
    VPCFLOW_MAY("cost", "rejected traffic, which costs little, counts as traffic", VPCFLOW_F(Action)),

    VPCFLOW_MUST("performance", "there is only one end", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("performance", "there is only one end", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("performance", "there are no times", VPCFLOW_F(Start)),
    VPCFLOW_MUST("performance", "there are no rates", VPCFLOW_F(End)),
    VPCFLOW_MAY("performance", "resets and connections that nobody answered cannot be seen", VPCFLOW_F(TcpFlags)),
    VPCFLOW_MAY("performance", "there is no throughput", VPCFLOW_F(Bytes)),
    VPCFLOW_MAY("performance", "packet rates and sizes are unknown", VPCFLOW_F(Packets)),
    VPCFLOW_MAY("performance", "blocked connections look like slow ones", VPCFLOW_F(Action),
                VPCFLOW_F(PacketsLostNoRoute)),
    VPCFLOW_MAY("performance", "services are unknown", VPCFLOW_F(DstPort)),
    VPCFLOW_MAY("performance", "requests and replies are paired by addresses alone", VPCFLOW_F(FlowDirection)),
    VPCFLOW_MAY("performance", "silence cannot be told from lost records", VPCFLOW_F(LogStatus)),

    VPCFLOW_MUST("security_group_tuning", "the interface that a group protects is unknown", VPCFLOW_F(InterfaceId)),
    VPCFLOW_MUST("security_group_tuning", "sources of rules are unknown", VPCFLOW_F(SrcAddr)),
    VPCFLOW_MUST("security_group_tuning", "destinations of rules are unknown", VPCFLOW_F(DstAddr)),
    VPCFLOW_MUST("security_group_tuning", "ports of rules are unknown", VPCFLOW_F(DstPort)),
    VPCFLOW_MUST("security_group_tuning", "protocols of rules are unknown", VPCFLOW_F(Protocol)),
    VPCFLOW_MUST("security_group_tuning", "what was let in and what was not is unknown", VPCFLOW_F(Action)),
    VPCFLOW_MAY("security_group_tuning", "inbound and outbound rules are told by addresses alone",
                VPCFLOW_F(FlowDirection)),
    VPCFLOW_MAY("security_group_tuning", "replies, which need no rule, are told from requests by ports alone",
                VPCFLOW_F(TcpFlags)),
    VPCFLOW_MAY("security_group_tuning", "replies, which need no rule, cannot be told from requests",
                VPCFLOW_F(SrcPort)),
    VPCFLOW_MAY("security_group_tuning", "what VPC block public access rejected looks like the work of a rule",
                VPCFLOW_F(RejectReason)),
    VPCFLOW_MAY("security_group_tuning", "network ACLs, which belong to subnets, cannot be looked at",
                VPCFLOW_F(SubnetId)),

    VPCFLOW_MUST("audit", "who sent is unknown", VPCFLOW_F(SrcAddr), VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MUST("audit", "who received is unknown", VPCFLOW_F(DstAddr), VPCFLOW_F(PktDstAddr)),
    VPCFLOW_MUST("audit", "there are no times", VPCFLOW_F(Start)),
    VPCFLOW_MAY("audit", "ends of connections are unknown", VPCFLOW_F(End)),
    VPCFLOW_MAY("audit", "gaps in the log cannot be shown", VPCFLOW_F(LogStatus)),
    VPCFLOW_MAY("audit", "what was refused looks like what was let through", VPCFLOW_F(Action)),
    VPCFLOW_MAY("audit", "where it was recorded is unknown", VPCFLOW_F(InterfaceId), VPCFLOW_F(TgwAttachmentId)),
    VPCFLOW_MAY("audit", "whose it is is unknown", VPCFLOW_F(AccountId)),
    VPCFLOW_MAY("audit", "services are unknown", VPCFLOW_F(DstPort)),
    VPCFLOW_MAY("audit", "connections cannot be told apart", VPCFLOW_F(SrcPort)),
    VPCFLOW_MAY("audit", "protocols are unknown", VPCFLOW_F(Protocol)),
    VPCFLOW_MAY("audit", "volume is unknown", VPCFLOW_F(Bytes)),
    VPCFLOW_MAY("audit", "hosts behind NAT gateways cannot be named", VPCFLOW_F(PktSrcAddr)),
    VPCFLOW_MAY("audit", "an address names a host only as long as it kept it", VPCFLOW_F(InstanceId),
                VPCFLOW_F(TgwSrcEni)),
};
// clang-format on
#undef VPCFLOW_MAY
#undef VPCFLOW_MUST
#undef VPCFLOW_F

constexpr bool Satisfied(const Need& need, const Format& format) {
  return std::any_of(need.any_of.begin(), need.any_of.end(), [&](Field field) { return format.IndexOf(field) >= 0; });
}

}  // namespace internal

struct Capability {
  std::string_view analysis{};
  std::string_view meaning{};
  Verdict verdict = Verdict::kExact;
  std::vector<std::string_view> why{};  // what is lost, most important first; empty if exact
  std::vector<Field> add{};             // the fields that would make it exact
};

// The verdict of every analysis for a format, in the order of the list above. O(fields of the list).
inline std::vector<Capability> Capabilities(const Format& format) {
  std::vector<Capability> out;
  for (const internal::AnalysisInfo& analysis : internal::kAnalyses) {
    Capability& c = out.emplace_back(Capability{analysis.name, analysis.meaning, Verdict::kExact, {}, {}});
    for (const internal::Need& need : internal::kNeeds) {
      if (need.analysis != analysis.name || internal::Satisfied(need, format)) continue;
      c.verdict = need.essential || c.verdict == Verdict::kImpossible ? Verdict::kImpossible : Verdict::kDegraded;
      if (std::find(c.why.begin(), c.why.end(), need.without) == c.why.end()) c.why.push_back(need.without);
      if (std::find(c.add.begin(), c.add.end(), need.any_of[0]) == c.add.end()) c.add.push_back(need.any_of[0]);
    }
  }
  return out;
}

// The format with which the analyses named (all if none is) are exact: AWS's default fields, then what else they need,
// in the catalogue's order. False, with `out` as it was, if a name is no analysis.
inline bool RecommendedFormat(std::span<const std::string_view> analyses, Format* out) {
  const auto known = [](std::string_view name) {
    return std::any_of(std::begin(internal::kAnalyses), std::end(internal::kAnalyses),
                       [&](const internal::AnalysisInfo& a) { return a.name == name; });
  };
  if (!std::all_of(analyses.begin(), analyses.end(), known)) return false;
  std::array<bool, kFieldCount> wanted{};
  const Format standard = Format::Default();
  for (const FormatColumn& column : standard.columns()) wanted[static_cast<size_t>(column.field)] = true;
  for (const internal::Need& need : internal::kNeeds) {
    if (analyses.empty() || std::find(analyses.begin(), analyses.end(), need.analysis) != analyses.end())
      wanted[static_cast<size_t>(need.any_of[0])] = true;
  }
  std::string names;
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (wanted[i]) names.append(kFields[i].name).append(" ");
  }
  FormatError ignored;
  return Format::Parse(names, out, &ignored);
}
inline bool RecommendedFormat(std::initializer_list<std::string_view> analyses, Format* out) {
  return RecommendedFormat(std::span<const std::string_view>(analyses.begin(), analyses.size()), out);
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_CAPABILITIES_H_
