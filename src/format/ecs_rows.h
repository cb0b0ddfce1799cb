// The tables of events whose fields have names of ECS, read and written.
#ifndef VPCFLOW_SRC_FORMAT_ECS_ROWS_H_
#define VPCFLOW_SRC_FORMAT_ECS_ROWS_H_

#include <array>
#include <string_view>

#include "vpcflow/format/event_row.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The member whose members of a field's name are that field.
inline constexpr std::string_view kEcsOwn = "/aws/vpcflow";

// clang-format off
// One line a row.
inline constexpr EventTranslation kEcsDirections = {{
    {"inbound", "ingress"}, {"outbound", "egress"}, {"receive", "ingress"}, {"transmit", "egress"}, {"internal", "-"},
    {"external", "-"}, {"unknown", "-"}}};
inline constexpr EventTranslation kEcsDirectionsOut = {{{"ingress", "ingress"}, {"egress", "egress"}, {"", "none"}, {"unknown", "-"}}};
inline constexpr EventTranslation kEcsTypesOut = {{{"ipv4", "IPv4"}, {"ipv6", "IPv6"}}};
inline constexpr EventTranslation kEcsEventTypesOut = {{
    {"connection allowed", "ACCEPT"}, {"connection denied", "REJECT"}, {"info", "NODATA"}, {"info", "SKIPDATA"},
    {"connection", "-"}}};
inline constexpr EventTranslation kEcsOutcomesOut = {{
    {"success", "ACCEPT"}, {"failure", "REJECT"}, {"unknown", "-"}}};

inline constexpr auto kEcsRows = std::to_array<EventRow>({
    {.pointer = "/@timestamp", .writes = "last-time", .as = EventValue::kRfc3339},
    {.pointer = "/ecs/version", .writes = "schema-version"},
    {.pointer = "/event/id", .writes = "id"},
    {.pointer = "/event/kind", .constant = R"("event")"},
    {.pointer = "/event/category", .constant = R"(["network"])"},
    {.pointer = "/event/module", .constant = R"("aws")"},
    {.pointer = "/event/dataset", .constant = R"("aws.vpcflow")"},
    {.pointer = "/event/provider", .constant = R"("vpcflow")"},
    {.pointer = "/event/type", .writes = "verdict", .as = EventValue::kList, .written = &kEcsEventTypesOut},
    {.pointer = "/event/outcome", .writes = "verdict", .as = EventValue::kWord, .written = &kEcsOutcomesOut},
    {.pointer = "/event/action", .writes = "action"},
    {.pointer = "/event/reason", .writes = "reject-reason"},
    {.pointer = "/event/start", .reads = "start", .writes = "start", .as = EventValue::kRfc3339},
    {.pointer = "/event/end", .reads = "end", .writes = "end", .as = EventValue::kRfc3339},
    {.pointer = "/event/duration", .writes = "duration", .as = EventValue::kTimeNanos},
    {.pointer = "/aws/vpcflow/start", .reads = "start"},
    {.pointer = "/aws/vpc/flow/start", .reads = "start"},
    {.pointer = "/aws/vpcflow/end", .reads = "end"},
    {.pointer = "/aws/vpc/flow/end", .reads = "end"},
    {.pointer = "/cloud/provider", .constant = R"("aws")"},
    {.pointer = "/aws/vpcflow/account_id", .reads = "account-id"},
    {.pointer = "/cloud/account/id", .reads = "account-id", .writes = "account-id"},
    {.pointer = "/cloud/region", .reads = "region", .writes = "region"},
    {.pointer = "/aws/vpcflow/az_id", .reads = "az-id"},
    {.pointer = "/aws/az/id", .reads = "az-id"},
    {.pointer = "/cloud/availability_zone", .reads = "az-id", .writes = "az-id"},
    {.pointer = "/aws/vpcflow/instance_id", .reads = "instance-id"},
    {.pointer = "/cloud/instance/id", .reads = "instance-id", .writes = "instance-id"},
    {.pointer = "/host/id", .reads = "instance-id"},
    {.pointer = "/source/address", .writes = "src-ip"},
    {.pointer = "/source/nat/ip", .reads = "srcaddr", .writes = "src-nat"},
    {.pointer = "/source/ip", .reads = "srcaddr", .writes = "src-ip"},
    {.pointer = "/source/address", .reads = "srcaddr"},
    {.pointer = "/source/port", .reads = "srcport", .writes = "srcport"},
    {.pointer = "/aws/vpcflow/pkt_srcaddr", .reads = "pkt-srcaddr", .writes = "pkt-srcaddr"},
    {.pointer = "/destination/address", .writes = "dst-ip"},
    {.pointer = "/destination/nat/ip", .reads = "dstaddr", .writes = "dst-nat"},
    {.pointer = "/destination/ip", .reads = "dstaddr", .writes = "dst-ip"},
    {.pointer = "/destination/address", .reads = "dstaddr"},
    {.pointer = "/destination/port", .reads = "dstport", .writes = "dstport"},
    {.pointer = "/aws/vpcflow/pkt_dstaddr", .reads = "pkt-dstaddr", .writes = "pkt-dstaddr"},
    {.pointer = "/aws/vpcflow/srcaddr", .writes = "srcaddr-lacks", .as = EventValue::kNull},
    {.pointer = "/aws/vpcflow/dstaddr", .writes = "dstaddr-lacks", .as = EventValue::kNull},
    {.pointer = "/source/bytes", .writes = "bytes-out"},
    {.pointer = "/source/packets", .writes = "packets-out"},
    {.pointer = "/destination/bytes", .writes = "bytes-in"},
    {.pointer = "/destination/packets", .writes = "packets-in"},
    {.pointer = "/network/iana_number", .reads = "protocol", .writes = "protocol", .as = EventValue::kText},
    {.pointer = "/network/transport", .reads = "protocol", .writes = "protocol", .as = EventValue::kProtocol},
    {.pointer = "/network/protocol/name", .reads = "protocol"},
    {.pointer = "/aws/vpcflow/type", .reads = "type", .writes = "type"},
    {.pointer = "/network/type", .reads = "type", .writes = "type", .as = EventValue::kWord, .written = &kEcsTypesOut},
    {.pointer = "/network/direction", .reads = "flow-direction", .writes = "direction", .as = EventValue::kWord, .words = &kEcsDirections, .written = &kEcsDirectionsOut},
    {.pointer = "/network/io/direction", .reads = "flow-direction", .words = &kEcsDirections},
    {.pointer = "/network/community_id", .writes = "community-uid"},
    {.pointer = "/network/bytes", .reads = "bytes", .writes = "bytes"},
    {.pointer = "/source/bytes", .reads = "bytes"},
    {.pointer = "/aws/vpc/flow/bytes", .reads = "bytes"},
    {.pointer = "/network/packets", .reads = "packets", .writes = "packets"},
    {.pointer = "/source/packets", .reads = "packets"},
    {.pointer = "/aws/vpc/flow/packets", .reads = "packets"},
    {.pointer = "/related/ip/-", .writes = "src-ip"},
    {.pointer = "/related/ip/-", .writes = "src-nat"},
    {.pointer = "/related/ip/-", .writes = "dst-ip"},
    {.pointer = "/related/ip/-", .writes = "dst-nat"},
    {.pointer = "/observer/ingress/interface/id", .writes = "interface-id@dst"},
    {.pointer = "/observer/egress/interface/id", .writes = "interface-id@src"},
    {.pointer = "/aws/vpcflow/version", .reads = "version", .writes = "version"},
    {.pointer = "/aws/vpc/flow/log/version", .reads = "version"},
    {.pointer = "/aws/vpcflow/interface_id", .reads = "interface-id", .writes = "interface-id"},
    {.pointer = "/network/interface/name", .reads = "interface-id"},
    {.pointer = "/aws/vpcflow/action", .reads = "action", .writes = "action"},
    {.pointer = "/aws/vpc/flow/action", .reads = "action"},
    {.pointer = "/aws/vpcflow/log_status", .reads = "log-status", .writes = "log-status"},
    {.pointer = "/aws/vpc/flow/status", .reads = "log-status"},
    {.pointer = "/aws/vpcflow/vpc_id", .reads = "vpc-id", .writes = "vpc-id"},
    {.pointer = "/aws/vpc/id", .reads = "vpc-id"},
    {.pointer = "/aws/vpcflow/subnet_id", .reads = "subnet-id", .writes = "subnet-id"},
    {.pointer = "/aws/vpc/subnet/id", .reads = "subnet-id"},
    {.pointer = "/aws/vpcflow/tcp_flags", .reads = "tcp-flags", .writes = "tcp-flags"},
    {.pointer = "/network/tcp/flags", .reads = "tcp-flags"},
    {.pointer = "/aws/vpcflow/sublocation/type", .reads = "sublocation-type", .writes = "sublocation-type"},
    {.pointer = "/aws/sublocation/type", .reads = "sublocation-type"},
    {.pointer = "/aws/vpcflow/sublocation/id", .reads = "sublocation-id", .writes = "sublocation-id"},
    {.pointer = "/aws/sublocation/id", .reads = "sublocation-id"},
    {.pointer = "/aws/vpcflow/pkt_src_service", .reads = "pkt-src-aws-service", .writes = "pkt-src-aws-service"},
    {.pointer = "/aws/vpc/flow/source/service", .reads = "pkt-src-aws-service"},
    {.pointer = "/aws/vpcflow/pkt_dst_service", .reads = "pkt-dst-aws-service", .writes = "pkt-dst-aws-service"},
    {.pointer = "/aws/vpc/flow/destination/service", .reads = "pkt-dst-aws-service"},
    {.pointer = "/aws/vpcflow/traffic_path", .reads = "traffic-path", .writes = "traffic-path"},
    {.pointer = "/aws/vpc/flow/traffic_path", .reads = "traffic-path"},
    {.pointer = "/aws/vpcflow/reject_reason", .reads = "reject-reason", .writes = "reject-reason"},
    {.pointer = "/aws/vpc/flow/reject_reason", .reads = "reject-reason"},
    {.pointer = "/aws/vpcflow", .as = EventValue::kRest, .constant = "{}"},
});
inline constexpr auto kEcsFields = EventFieldsOf<kEcsRows>();
// clang-format on

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FORMAT_ECS_ROWS_H_
