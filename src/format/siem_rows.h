// The tables of schemas that events are written in and not read from. What they do not name is dropped, unless a row
// takes the rest.
#ifndef VPCFLOW_SRC_FORMAT_SIEM_ROWS_H_
#define VPCFLOW_SRC_FORMAT_SIEM_ROWS_H_

#include <array>

#include "src/format/ecs_rows.h"
#include "vpcflow/format/event_row.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// clang-format off
// One line a row.
inline constexpr EventTranslation kCimActionsOut = {{{"allowed", "ACCEPT"}, {"blocked", "REJECT"}, {"unknown", "-"}}};
inline constexpr EventTranslation kCimDirectionsOut = {{{"inbound", "ingress"}, {"outbound", "egress"}, {"unknown", "-"}}};
inline constexpr EventTranslation kAsimResultsOut = {{{"Success", "ACCEPT"}, {"Failure", "REJECT"}, {"NA", "-"}}};
inline constexpr EventTranslation kAsimSeveritiesOut = {{{"Low", "REJECT"}, {"Informational", "-"}}};
inline constexpr EventTranslation kAsimActionsOut = {{{"Allow", "ACCEPT"}, {"Deny", "REJECT"}}};
inline constexpr EventTranslation kAsimDirectionsOut = {{{"Inbound", "ingress"}, {"Outbound", "egress"}, {"NA", "-"}}};
inline constexpr EventTranslation kAsimDvcTypesOut = {{{"AwsVpcId", "-"}}};
inline constexpr EventTranslation kUdmDirectionsOut = {{{"INBOUND", "ingress"}, {"OUTBOUND", "egress"}, {"UNKNOWN_DIRECTION", "-"}}};
inline constexpr EventTranslation kUdmActionsOut = {{{"ALLOW", "ACCEPT"}, {"BLOCK", "REJECT"}, {"UNKNOWN_ACTION", "-"}}};
inline constexpr EventTranslation kCefHeadsOut = {{
    {"accept|Flow accepted|1|", "ACCEPT"}, {"reject|Flow rejected|3|", "REJECT"}, {"flow|Flow|1|", "-"}}};
inline constexpr EventTranslation kCefDirectionsOut = {{{"0", "ingress"}, {"1", "egress"}}};
inline constexpr EventTranslation kCefSourceLabelOut = {{{"Source IPv6 Address", "-"}}};
inline constexpr EventTranslation kCefDestinationLabelOut = {{{"Destination IPv6 Address", "-"}}};

// Splunk CIM, data model Network_Traffic.
inline constexpr auto kCimRows = std::to_array<EventRow>({
    {.pointer = "/_time", .writes = "time", .as = EventValue::kSeconds},
    {.pointer = "/id", .writes = "id"},
    {.pointer = "/vendor_product", .constant = R"("AWS VPC Flow Logs")"},
    {.pointer = "/eventtype", .constant = R"("aws_vpcflow")"},
    {.pointer = "/tag", .constant = R"(["network","communicate"])"},
    {.pointer = "/action", .writes = "verdict", .as = EventValue::kWord, .written = &kCimActionsOut},
    {.pointer = "/app", .writes = "pkt-dst-aws-service"},
    {.pointer = "/src", .writes = "src-ip"},
    {.pointer = "/src_ip", .writes = "src-ip"},
    {.pointer = "/src_port", .writes = "srcport"},
    {.pointer = "/src_translated_ip", .writes = "src-nat"},
    {.pointer = "/src_interface", .writes = "interface-id@src"},
    {.pointer = "/dest", .writes = "dst-ip"},
    {.pointer = "/dest_ip", .writes = "dst-ip"},
    {.pointer = "/dest_port", .writes = "dstport"},
    {.pointer = "/dest_translated_ip", .writes = "dst-nat"},
    {.pointer = "/dest_interface", .writes = "interface-id@dst"},
    {.pointer = "/dvc", .writes = "interface-id"},
    {.pointer = "/protocol", .constant = R"("ip")"},
    {.pointer = "/transport", .writes = "protocol", .as = EventValue::kProtocol},
    {.pointer = "/protocol_version", .writes = "type", .as = EventValue::kWord, .written = &kEcsTypesOut},
    {.pointer = "/bytes", .writes = "bytes"},
    {.pointer = "/bytes_out", .writes = "sent-bytes"},
    {.pointer = "/bytes_in", .writes = "received-bytes"},
    {.pointer = "/packets", .writes = "packets"},
    {.pointer = "/packets_out", .writes = "sent-packets"},
    {.pointer = "/packets_in", .writes = "received-packets"},
    {.pointer = "/duration", .writes = "duration", .as = EventValue::kSeconds},
    {.pointer = "/direction", .writes = "direction", .as = EventValue::kWord, .written = &kCimDirectionsOut},
    {.pointer = "/tcp_flag", .writes = "tcp-flags"},
    {.pointer = "/vendor_account", .writes = "account-id"},
    {.pointer = "/vendor_region", .writes = "region"},
    {.pointer = "/aws/vpcflow", .as = EventValue::kRest},
});

// Microsoft Sentinel's ASIM NetworkSession 0.2.6.
inline constexpr auto kAsimRows = std::to_array<EventRow>({
    {.pointer = "/TimeGenerated", .writes = "time", .as = EventValue::kRfc3339},
    {.pointer = "/EventStartTime", .writes = "start", .as = EventValue::kRfc3339},
    {.pointer = "/EventEndTime", .writes = "end", .as = EventValue::kRfc3339},
    {.pointer = "/EventOriginalUid", .writes = "id"},
    {.pointer = "/EventCount", .constant = R"(1)"},
    {.pointer = "/EventType", .constant = R"("NetworkSession")"},
    {.pointer = "/EventSchema", .constant = R"("NetworkSession")"},
    {.pointer = "/EventSchemaVersion", .constant = R"("0.2.6")"},
    {.pointer = "/EventVendor", .constant = R"("AWS")"},
    {.pointer = "/EventProduct", .constant = R"("VPC")"},
    {.pointer = "/EventResult", .writes = "verdict", .as = EventValue::kWord, .written = &kAsimResultsOut},
    {.pointer = "/EventSeverity", .writes = "verdict", .as = EventValue::kWord, .written = &kAsimSeveritiesOut},
    {.pointer = "/DvcAction", .writes = "verdict", .as = EventValue::kWord, .written = &kAsimActionsOut},
    {.pointer = "/EventResultDetails", .writes = "reject-reason"},
    {.pointer = "/SrcIpAddr", .writes = "srcaddr"},
    {.pointer = "/SrcNatIpAddr", .writes = "pkt-srcaddr-differs"},
    {.pointer = "/SrcPortNumber", .writes = "srcport"},
    {.pointer = "/SrcBytes", .writes = "bytes-out"},
    {.pointer = "/SrcPackets", .writes = "packets-out"},
    {.pointer = "/SrcAppName", .writes = "pkt-src-aws-service"},
    {.pointer = "/DstIpAddr", .writes = "dstaddr"},
    {.pointer = "/DstNatIpAddr", .writes = "pkt-dstaddr-differs"},
    {.pointer = "/DstPortNumber", .writes = "dstport"},
    {.pointer = "/DstBytes", .writes = "bytes-in"},
    {.pointer = "/DstPackets", .writes = "packets-in"},
    {.pointer = "/DstAppName", .writes = "pkt-dst-aws-service"},
    {.pointer = "/NetworkProtocol", .writes = "protocol", .as = EventValue::kPROTOCOL},
    {.pointer = "/NetworkProtocolVersion", .writes = "type"},
    {.pointer = "/NetworkBytes", .writes = "bytes"},
    {.pointer = "/NetworkPackets", .writes = "packets"},
    {.pointer = "/NetworkDirection", .writes = "direction", .as = EventValue::kWord, .written = &kAsimDirectionsOut},
    {.pointer = "/NetworkDuration", .writes = "duration", .as = EventValue::kMillis},
    {.pointer = "/Dvc", .writes = "vpc-id"},
    {.pointer = "/DvcId", .writes = "vpc-id"},
    {.pointer = "/DvcIdType", .writes = "vpc-id", .as = EventValue::kWord, .written = &kAsimDvcTypesOut},
    {.pointer = "/DvcInterface", .writes = "interface-id"},
    {.pointer = "/DvcInboundInterface", .writes = "interface-id@dst"},
    {.pointer = "/DvcOutboundInterface", .writes = "interface-id@src"},
    {.pointer = "/DvcScopeId", .writes = "account-id"},
    {.pointer = "/AdditionalFields", .as = EventValue::kRest},
});

// Microsoft Sentinel's table AWSVPCFlow: a record as it is; it has no column for an id.
inline constexpr auto kAwsVpcFlowRows = std::to_array<EventRow>({
    {.pointer = "/TimeGenerated", .writes = "time", .as = EventValue::kRfc3339},
    {.pointer = "/End", .writes = "end", .as = EventValue::kRfc3339},
    {.pointer = "/SrcAddr", .writes = "srcaddr"},
    {.pointer = "/DstAddr", .writes = "dstaddr"},
    {.pointer = "/PktSrcAddr", .writes = "pkt-srcaddr"},
    {.pointer = "/PktDstAddr", .writes = "pkt-dstaddr"},
    {.pointer = "/TrafficType", .writes = "type"},
    {.pointer = "/Version", .writes = "version"},
    {.pointer = "/AccountId", .writes = "account-id"},
    {.pointer = "/InterfaceId", .writes = "interface-id"},
    {.pointer = "/SrcPort", .writes = "srcport"},
    {.pointer = "/DstPort", .writes = "dstport"},
    {.pointer = "/Protocol", .writes = "protocol"},
    {.pointer = "/Packets", .writes = "packets"},
    {.pointer = "/Bytes", .writes = "bytes"},
    {.pointer = "/Action", .writes = "action"},
    {.pointer = "/LogStatus", .writes = "log-status"},
    {.pointer = "/VpcId", .writes = "vpc-id"},
    {.pointer = "/SubnetId", .writes = "subnet-id"},
    {.pointer = "/InstanceId", .writes = "instance-id"},
    {.pointer = "/TcpFlags", .writes = "tcp-flags"},
    {.pointer = "/Region", .writes = "region"},
    {.pointer = "/AzId", .writes = "az-id"},
    {.pointer = "/SublocationType", .writes = "sublocation-type"},
    {.pointer = "/SublocationId", .writes = "sublocation-id"},
    {.pointer = "/PktSrcAwsService", .writes = "pkt-src-aws-service"},
    {.pointer = "/PktDstAwsService", .writes = "pkt-dst-aws-service"},
    {.pointer = "/FlowDirection", .writes = "flow-direction"},
    {.pointer = "/TrafficPath", .writes = "traffic-path"},
    {.pointer = "/EcsClusterArn", .writes = "ecs-cluster-arn"},
    {.pointer = "/EcsClusterName", .writes = "ecs-cluster-name"},
    {.pointer = "/EcsContainerInstanceArn", .writes = "ecs-container-instance-arn"},
    {.pointer = "/EcsContainerInstanceId", .writes = "ecs-container-instance-id"},
    {.pointer = "/EcsContainerId", .writes = "ecs-container-id"},
    {.pointer = "/EcsSecondContainerId", .writes = "ecs-second-container-id"},
    {.pointer = "/EcsServiceName", .writes = "ecs-service-name"},
    {.pointer = "/EcsTaskDefinitionArn", .writes = "ecs-task-definition-arn"},
    {.pointer = "/EcsTaskArn", .writes = "ecs-task-arn"},
    {.pointer = "/EcsTaskId", .writes = "ecs-task-id"},
});

// Google SecOps' Unified Data Model.
inline constexpr auto kUdmRows = std::to_array<EventRow>({
    {.pointer = "/metadata/event_timestamp", .writes = "time", .as = EventValue::kRfc3339},
    {.pointer = "/metadata/event_type", .constant = R"("NETWORK_CONNECTION")"},
    {.pointer = "/metadata/vendor_name", .constant = R"("AMAZON")"},
    {.pointer = "/metadata/product_name", .constant = R"("VPC Flow Logs")"},
    {.pointer = "/metadata/product_log_id", .writes = "id"},
    {.pointer = "/principal/ip/-", .writes = "src-ip"},
    {.pointer = "/principal/nat_ip/-", .writes = "src-nat"},
    {.pointer = "/principal/port", .writes = "srcport"},
    {.pointer = "/principal/asset/asset_id", .writes = "interface-id@src"},
    {.pointer = "/principal/cloud/vpc/name", .writes = "vpc-id@src"},
    {.pointer = "/target/ip/-", .writes = "dst-ip"},
    {.pointer = "/target/nat_ip/-", .writes = "dst-nat"},
    {.pointer = "/target/port", .writes = "dstport"},
    {.pointer = "/target/asset/asset_id", .writes = "interface-id@dst"},
    {.pointer = "/target/cloud/vpc/name", .writes = "vpc-id@dst"},
    {.pointer = "/network/ip_protocol", .writes = "protocol", .as = EventValue::kPROTOCOL},
    {.pointer = "/network/direction", .writes = "direction", .as = EventValue::kWord, .written = &kUdmDirectionsOut},
    {.pointer = "/network/sent_bytes", .writes = "sent-bytes"},
    {.pointer = "/network/received_bytes", .writes = "received-bytes"},
    {.pointer = "/network/sent_packets", .writes = "sent-packets"},
    {.pointer = "/network/received_packets", .writes = "received-packets"},
    {.pointer = "/security_result/-/action/-", .writes = "verdict", .as = EventValue::kWord, .written = &kUdmActionsOut},
    {.pointer = "/security_result/-/summary", .writes = "reject-reason"},
    {.pointer = "/additional", .as = EventValue::kRest},
});

// ArcSight's Common Event Format; lines, not JSON.
inline constexpr auto kCefRows = std::to_array<EventRow>({
    {.pointer = "", .constant = R"(CEF:0|AWS|VPC Flow Logs|1|)"},
    {.pointer = "", .writes = "verdict", .as = EventValue::kWord, .written = &kCefHeadsOut},
    {.pointer = "/externalId", .writes = "id"},
    {.pointer = "/start", .writes = "time", .as = EventValue::kMillis},
    {.pointer = "/end", .writes = "last-time", .as = EventValue::kMillis},
    {.pointer = "/src", .writes = "src-ip-v4"},
    {.pointer = "/c6a2", .writes = "src-ip-v6"},
    {.pointer = "/c6a2Label", .writes = "src-ip-v6", .as = EventValue::kWord, .written = &kCefSourceLabelOut},
    {.pointer = "/dst", .writes = "dst-ip-v4"},
    {.pointer = "/c6a3", .writes = "dst-ip-v6"},
    {.pointer = "/c6a3Label", .writes = "dst-ip-v6", .as = EventValue::kWord, .written = &kCefDestinationLabelOut},
    {.pointer = "/sourceTranslatedAddress", .writes = "src-nat"},
    {.pointer = "/destinationTranslatedAddress", .writes = "dst-nat"},
    {.pointer = "/spt", .writes = "srcport"},
    {.pointer = "/dpt", .writes = "dstport"},
    {.pointer = "/proto", .writes = "protocol", .as = EventValue::kPROTOCOL},
    {.pointer = "/in", .writes = "bytes-out"},
    {.pointer = "/out", .writes = "bytes-in"},
    {.pointer = "", .constant = R"( cn1Label=packets)"},
    {.pointer = "/cn1", .writes = "packets"},
    {.pointer = "/act", .writes = "action"},
    {.pointer = "/outcome", .writes = "verdict", .as = EventValue::kWord, .written = &kEcsOutcomesOut},
    {.pointer = "/reason", .writes = "reject-reason"},
    {.pointer = "/deviceDirection", .writes = "direction", .as = EventValue::kNumber, .written = &kCefDirectionsOut},
    {.pointer = "/deviceInboundInterface", .writes = "interface-id@dst"},
    {.pointer = "/deviceOutboundInterface", .writes = "interface-id@src"},
    {.pointer = "/cn2", .writes = "tcp-flags"},
    {.pointer = "", .constant = R"( cn2Label=tcpFlags)"},
    {.pointer = "/cs3", .writes = "vpc-id"},
    {.pointer = "", .constant = R"( cs3Label=vpcId)"},
    {.pointer = "/cs4", .writes = "account-id"},
    {.pointer = "", .constant = R"( cs4Label=accountId)"},
    {.pointer = "/cs5", .writes = "region"},
    {.pointer = "", .constant = R"( cs5Label=region)"},
    {.pointer = "/cs6", .writes = "traffic-path", .as = EventValue::kText},
    {.pointer = "", .constant = R"( cs6Label=trafficPath)"},
    {.pointer = "/cat", .writes = "log-status"},
});
// clang-format on

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FORMAT_SIEM_ROWS_H_
