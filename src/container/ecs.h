// Events whose fields have names of ECS, as Elastic's pipeline writes flow logs, or of OpenTelemetry's conventions.
#ifndef VPCFLOW_SRC_CONTAINER_ECS_H_
#define VPCFLOW_SRC_CONTAINER_ECS_H_

#include <simdjson.h>

#include "src/container/record_lines.h"
#include "vpcflow/container/ocsf.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

enum class EventForm {
  kNested,  // {"source": {"ip": ...}}
  kDotted   // {"source.ip": ...}
};

// False, and nothing is written, if it is no event of a flow log. Values may be arrays of one.
bool TakeEcs(const simdjson::dom::object& event, EventForm form, RecordLines* lines);
// A list of [{"key": "source.address", "value": {"stringValue": ...}}, ...].
bool TakeEcs(const simdjson::dom::array& attributes, RecordLines* lines);

// The member whose members of a field's name are that field.
inline constexpr std::string_view kEcsOwn = "/aws/vpcflow";

// clang-format off
// One line a field.
inline constexpr EventTranslation kEcsDirections = {{{"inbound", "ingress"},
                                                     {"outbound", "egress"},
                                                     {"receive", "ingress"},
                                                     {"transmit", "egress"},
                                                     {"internal", "-"},
                                                     {"external", "-"},
                                                     {"unknown", "-"}}};

inline constexpr auto kEcsFields = std::to_array<EventField>({
    {"version", {{{"/aws/vpcflow/version"}, {"/aws/vpc/flow/log/version"}}}},
    {"account-id", {{{"/aws/vpcflow/account_id"}, {"/cloud/account/id"}}}},
    {"interface-id", {{{"/aws/vpcflow/interface_id"}, {"/network/interface/name"}}}},
    {"srcaddr", {{{"/source/ip"}, {"/source/address"}}}},
    {"dstaddr", {{{"/destination/ip"}, {"/destination/address"}}}},
    {"srcport", {{{"/source/port"}}}},
    {"dstport", {{{"/destination/port"}}}},
    {"protocol", {{{"/network/iana_number"}, {"/network/transport"}, {"/network/protocol/name"}}}},
    {"packets", {{{"/source/packets"}, {"/network/packets"}, {"/aws/vpc/flow/packets"}}}},
    {"bytes", {{{"/source/bytes"}, {"/network/bytes"}, {"/aws/vpc/flow/bytes"}}}},
    {"start", {{{"/event/start"}, {"/aws/vpcflow/start"}, {"/aws/vpc/flow/start"}}}, true},
    {"end", {{{"/event/end"}, {"/aws/vpcflow/end"}, {"/aws/vpc/flow/end"}}}, true},
    {"action", {{{"/aws/vpcflow/action"}, {"/aws/vpc/flow/action"}}}},
    {"log-status", {{{"/aws/vpcflow/log_status"}, {"/aws/vpc/flow/status"}}}},
    {"vpc-id", {{{"/aws/vpcflow/vpc_id"}, {"/aws/vpc/id"}}}},
    {"subnet-id", {{{"/aws/vpcflow/subnet_id"}, {"/aws/vpc/subnet/id"}}}},
    {"instance-id", {{{"/aws/vpcflow/instance_id"}, {"/cloud/instance/id"}, {"/host/id"}}}},
    {"tcp-flags", {{{"/aws/vpcflow/tcp_flags"}, {"/network/tcp/flags"}}}},
    {"type", {{{"/aws/vpcflow/type"}, {"/network/type"}}}},
    {"pkt-srcaddr", {{{"/aws/vpcflow/pkt_srcaddr"}}}},
    {"pkt-dstaddr", {{{"/aws/vpcflow/pkt_dstaddr"}}}},
    {"region", {{{"/cloud/region"}}}},
    {"az-id", {{{"/aws/vpcflow/az_id"}, {"/aws/az/id"}, {"/cloud/availability_zone"}}}},
    {"sublocation-type", {{{"/aws/vpcflow/sublocation/type"}, {"/aws/sublocation/type"}}}},
    {"sublocation-id", {{{"/aws/vpcflow/sublocation/id"}, {"/aws/sublocation/id"}}}},
    {"pkt-src-aws-service", {{{"/aws/vpcflow/pkt_src_service"}, {"/aws/vpc/flow/source/service"}}}},
    {"pkt-dst-aws-service", {{{"/aws/vpcflow/pkt_dst_service"}, {"/aws/vpc/flow/destination/service"}}}},
    {"flow-direction", {{{"/network/direction", &kEcsDirections}, {"/network/io/direction", &kEcsDirections}}}},
    {"traffic-path", {{{"/aws/vpcflow/traffic_path"}, {"/aws/vpc/flow/traffic_path"}}}},
    {"reject-reason", {{{"/aws/vpcflow/reject_reason"}, {"/aws/vpc/flow/reject_reason"}}}},
});
// clang-format on

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_ECS_H_
