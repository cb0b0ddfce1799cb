// The table of OCSF Network Activity, read and written.
#ifndef VPCFLOW_SRC_FORMAT_OCSF_ROWS_H_
#define VPCFLOW_SRC_FORMAT_OCSF_ROWS_H_

#include <array>
#include <string_view>

#include "vpcflow/format/event_row.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The member whose members of a field's name are that field.
inline constexpr std::string_view kOcsfUnmapped = "/unmapped";

// clang-format off
// Several pairs a line, one line a field.
inline constexpr EventTranslation kOcsfActions = {{
    {"Allowed", "ACCEPT"}, {"Denied", "REJECT"}, {"Blocked", "REJECT"}, {"Rejected", "REJECT"}, {"Dropped", "REJECT"},
    {"Unknown", "-"}, {"Other", "-"}}};
inline constexpr EventTranslation kOcsfActionIds = {{{"1", "ACCEPT"}, {"2", "REJECT"}, {"0", "-"}, {"99", "-"}}};
inline constexpr EventTranslation kOcsfActivities = {{
    {"Traffic", "ACCEPT"}, {"Refuse", "REJECT"}, {"Open", "-"}, {"Close", "-"}, {"Reset", "-"}, {"Fail", "-"},
    {"Listen", "-"}, {"Unknown", "-"}, {"Other", "-"}}};
inline constexpr EventTranslation kOcsfActivityIds = {{
    {"6", "ACCEPT"}, {"5", "REJECT"}, {"0", "-"}, {"1", "-"}, {"2", "-"}, {"3", "-"}, {"4", "-"}, {"7", "-"},
    {"99", "-"}}};
inline constexpr EventTranslation kOcsfTypes = {{
    {"4", "IPv4"}, {"6", "IPv6"}, {"0", "-"}, {"99", "-"}, {"Unknown", "-"}, {"Other", "-"},
    {"Internet Protocol version 4 (IPv4)", "IPv4"}, {"Internet Protocol version 6 (IPv6)", "IPv6"}}};
inline constexpr EventTranslation kOcsfDirections = {{
    {"Inbound", "ingress"}, {"Outbound", "egress"}, {"Lateral", "-"}, {"Local", "-"}, {"Unknown", "-"}, {"Other", "-"},
    {"1", "ingress"}, {"2", "egress"}, {"3", "-"}, {"4", "-"}, {"0", "-"}, {"99", "-"}}};
// boundary_id is traffic-path + 3; 0 is unknown, 99 other, and below 4 stands what flow logs do not say.
inline constexpr EventTranslation kOcsfPaths = {{
    {"0", "-"}, {"1", "-"}, {"2", "-"}, {"3", "-"}, {"99", "-"}, {"4", "1"}, {"5", "2"}, {"6", "3"}, {"7", "4"},
    {"8", "5"}, {"9", "6"}, {"10", "7"}, {"11", "8"}}};
inline constexpr EventTranslation kOcsfActionsOut = {{
    {"Allowed", "ACCEPT"}, {"Denied", "REJECT"}, {"Other", "OTHER"}, {"Unknown", "-"}}};
inline constexpr EventTranslation kOcsfActionIdsOut = {{{"1", "ACCEPT"}, {"2", "REJECT"}, {"99", "OTHER"}, {"0", "-"}}};
inline constexpr EventTranslation kOcsfDispositionsOut = {{
    {"Allowed", "ACCEPT"}, {"Blocked", "REJECT"}, {"Other", "OTHER"}, {"Unknown", "-"}}};
// Of records without traffic the activity is unknown; what has traffic and no action is traffic.
inline constexpr EventTranslation kOcsfActivitiesOut = {{
    {"Refuse", "REJECT"}, {"Unknown", "NODATA"}, {"Unknown", "SKIPDATA"}, {"Traffic", "-"}}};
inline constexpr EventTranslation kOcsfActivityIdsOut = {{
    {"5", "REJECT"}, {"0", "NODATA"}, {"0", "SKIPDATA"}, {"6", "-"}}};
inline constexpr EventTranslation kOcsfTypeUidsOut = {{
    {"400105", "REJECT"}, {"400100", "NODATA"}, {"400100", "SKIPDATA"}, {"400106", "-"}}};
inline constexpr EventTranslation kOcsfTypesOut = {{
    {"Internet Protocol version 4 (IPv4)", "IPv4"}, {"Internet Protocol version 6 (IPv6)", "IPv6"}, {"Other", "-"}}};
inline constexpr EventTranslation kOcsfTypeIdsOut = {{{"4", "IPv4"}, {"6", "IPv6"}, {"99", "-"}}};
inline constexpr EventTranslation kOcsfDirectionsOut = {{
    {"Inbound", "ingress"}, {"Outbound", "egress"}, {"Unknown", "none"}, {"Other", "-"}}};
inline constexpr EventTranslation kOcsfDirectionIdsOut = {{{"1", "ingress"}, {"2", "egress"}, {"0", "none"}, {"99", "-"}}};
inline constexpr EventTranslation kOcsfPathsOut = {{
    {"4", "1"}, {"5", "2"}, {"6", "3"}, {"7", "4"}, {"8", "5"}, {"9", "6"}, {"10", "7"}, {"11", "8"}, {"99", "-"}}};
inline constexpr EventTranslation kOcsfBoundariesOut = {{
    {"Same VPC", "1"}, {"Internet/VPC Gateway", "2"}, {"Virtual Private Gateway", "3"}, {"Intra-region VPC", "4"},
    {"Inter-region VPC", "5"}, {"Local Gateway", "6"}, {"Gateway VPC", "7"}, {"Internet Gateway", "8"}, {"Other", "-"}}};
inline constexpr EventTranslation kOcsfStatusOut = {{
    {"Success", "OK"}, {"Success", "NODATA"}, {"Failure", "SKIPDATA"}, {"Other", "-"}}};
inline constexpr EventTranslation kOcsfStatusIdsOut = {{{"1", "OK"}, {"1", "NODATA"}, {"2", "SKIPDATA"}, {"99", "-"}}};
inline constexpr EventTranslation kUnknownOut = {{{"unknown", "-"}}};
inline constexpr EventTranslation kUnknownIdOut = {{{"0", "-"}}};


// The rows of OCSF. The computed values that they write are those of export/events.h.
inline constexpr auto kOcsfRows = std::to_array<EventRow>({
    {.pointer = "/metadata/uid", .writes = "id"},
    {.pointer = "/metadata/version", .writes = "schema-version"},
    {.pointer = "/metadata/profiles", .constant = R"(["cloud","datetime","host","security_control"])"},
    {.pointer = "/metadata/product/name", .constant = R"("Amazon VPC")"},
    {.pointer = "/metadata/product/vendor_name", .constant = R"("AWS")"},
    {.pointer = "/metadata/product/feature/name", .constant = R"("Flowlogs")"},
    {.pointer = "/metadata/product/version", .reads = "version", .writes = "version", .as = EventValue::kText},
    {.pointer = "/class_uid", .constant = "4001"},
    {.pointer = "/class_name", .constant = R"("Network Activity")"},
    {.pointer = "/category_uid", .constant = "4"},
    {.pointer = "/severity_id", .constant = "1"},
    {.pointer = "/action", .reads = "action", .writes = "verdict", .as = EventValue::kWord, .words = &kOcsfActions, .written = &kOcsfActionsOut},
    {.pointer = "/action_id", .reads = "action", .writes = "verdict", .as = EventValue::kNumber, .words = &kOcsfActionIds, .written = &kOcsfActionIdsOut},
    {.pointer = "/disposition", .reads = "action", .writes = "verdict", .as = EventValue::kWord, .words = &kOcsfActions, .written = &kOcsfDispositionsOut},
    {.pointer = "/disposition_id", .reads = "action", .writes = "verdict", .as = EventValue::kNumber, .words = &kOcsfActionIds, .written = &kOcsfActionIdsOut},
    {.pointer = "/activity_name", .reads = "action", .writes = "verdict", .as = EventValue::kWord, .words = &kOcsfActivities, .written = &kOcsfActivitiesOut, .last_resort = true},
    {.pointer = "/activity_id", .reads = "action", .writes = "verdict", .as = EventValue::kNumber, .words = &kOcsfActivityIds, .written = &kOcsfActivityIdsOut, .last_resort = true},
    {.pointer = "/type_uid", .writes = "verdict", .as = EventValue::kNumber, .written = &kOcsfTypeUidsOut},
    {.pointer = "/time", .writes = "time", .as = EventValue::kMillis},
    {.pointer = "/time_dt", .writes = "time", .as = EventValue::kRfc3339},
    {.pointer = "/start_time", .reads = "start", .writes = "start", .as = EventValue::kMillis},
    {.pointer = "/time", .reads = "start"},
    {.pointer = "/end_time", .reads = "end", .writes = "end", .as = EventValue::kMillis},
    {.pointer = "/end_time_dt", .writes = "end", .as = EventValue::kRfc3339},
    {.pointer = "/duration", .writes = "duration", .as = EventValue::kMillis},
    {.pointer = "/cloud/provider", .constant = R"("AWS")"},
    {.pointer = "/cloud/account/uid", .reads = "account-id", .writes = "account-id"},
    {.pointer = "/cloud/account_uid", .reads = "account-id"},
    {.pointer = "/cloud/region", .reads = "region", .writes = "region"},
    {.pointer = "/cloud/zone", .reads = "az-id", .writes = "az-id"},
    {.pointer = "/src_endpoint/zone", .reads = "az-id"},
    {.pointer = "/dst_endpoint/zone", .reads = "az-id"},
    {.pointer = "/src_endpoint/intermediate_ips/0", .reads = "srcaddr"},
    {.pointer = "/src_endpoint/ip", .reads = "srcaddr"},
    {.pointer = "/src_endpoint/ip", .reads = "pkt-srcaddr", .writes = "src-ip"},
    {.pointer = "/src_endpoint/intermediate_ips/-", .writes = "src-nat"},
    {.pointer = "/src_endpoint/name", .writes = "src-unnamed", .as = EventValue::kWord, .written = &kUnknownOut},
    {.pointer = "/src_endpoint/port", .reads = "srcport", .writes = "srcport"},
    {.pointer = "/src_endpoint/svc_name", .reads = "pkt-src-aws-service", .writes = "pkt-src-aws-service"},
    {.pointer = "/src_endpoint/interface_uid", .reads = "interface-id", .writes = "interface-id@src", .ends = true},
    {.pointer = "/src_endpoint/vpc_uid", .reads = "vpc-id", .writes = "vpc-id@src", .ends = true},
    {.pointer = "/src_endpoint/subnet_uid", .reads = "subnet-id", .writes = "subnet-id@src", .ends = true},
    {.pointer = "/src_endpoint/instance_uid", .reads = "instance-id", .writes = "instance-id@src", .ends = true},
    {.pointer = "/dst_endpoint/intermediate_ips/0", .reads = "dstaddr"},
    {.pointer = "/dst_endpoint/ip", .reads = "dstaddr"},
    {.pointer = "/dst_endpoint/ip", .reads = "pkt-dstaddr", .writes = "dst-ip"},
    {.pointer = "/dst_endpoint/intermediate_ips/-", .writes = "dst-nat"},
    {.pointer = "/dst_endpoint/name", .writes = "dst-unnamed", .as = EventValue::kWord, .written = &kUnknownOut},
    {.pointer = "/dst_endpoint/port", .reads = "dstport", .writes = "dstport"},
    {.pointer = "/dst_endpoint/svc_name", .reads = "pkt-dst-aws-service", .writes = "pkt-dst-aws-service"},
    {.pointer = "/dst_endpoint/interface_uid", .reads = "interface-id", .writes = "interface-id@dst", .ends = true},
    {.pointer = "/dst_endpoint/vpc_uid", .reads = "vpc-id", .writes = "vpc-id@dst", .ends = true},
    {.pointer = "/dst_endpoint/subnet_uid", .reads = "subnet-id", .writes = "subnet-id@dst", .ends = true},
    {.pointer = "/dst_endpoint/instance_uid", .reads = "instance-id", .writes = "instance-id@dst", .ends = true},
    {.pointer = "/device/interface_uid", .reads = "interface-id", .writes = "interface-id@device", .ends = true},
    {.pointer = "/device/vpc_uid", .reads = "vpc-id", .writes = "vpc-id@device", .ends = true},
    {.pointer = "/device/subnet_uid", .reads = "subnet-id", .writes = "subnet-id@device", .ends = true},
    {.pointer = "/device/instance_uid", .reads = "instance-id", .writes = "instance-id@device", .ends = true},
    {.pointer = "/device/name", .writes = "device-unnamed", .as = EventValue::kWord, .written = &kUnknownOut},
    {.pointer = "/device/type_id", .writes = "device", .as = EventValue::kNumber, .written = &kUnknownIdOut},
    {.pointer = "/connection_info/protocol_num", .reads = "protocol", .writes = "protocol"},
    {.pointer = "/connection_info/protocol_name", .reads = "protocol", .writes = "protocol", .as = EventValue::kProtocol},
    {.pointer = "/connection_info/protocol_ver", .reads = "type", .writes = "type", .as = EventValue::kWord, .words = &kOcsfTypes, .written = &kOcsfTypesOut},
    {.pointer = "/connection_info/protocol_ver_id", .reads = "type", .writes = "type", .as = EventValue::kNumber, .words = &kOcsfTypes, .written = &kOcsfTypeIdsOut},
    {.pointer = "/connection_info/community_uid", .writes = "community-uid"},
    {.pointer = "/connection_info/tcp_flags", .reads = "tcp-flags", .writes = "tcp-flags"},
    {.pointer = "/connection_info/direction", .reads = "flow-direction", .writes = "direction", .as = EventValue::kWord, .words = &kOcsfDirections, .written = &kOcsfDirectionsOut},
    {.pointer = "/connection_info/direction_id", .reads = "flow-direction", .writes = "direction", .as = EventValue::kNumber, .words = &kOcsfDirections, .written = &kOcsfDirectionIdsOut},
    {.pointer = "/connection_info/boundary", .writes = "traffic-path", .as = EventValue::kWord, .written = &kOcsfBoundariesOut},
    {.pointer = "/connection_info/boundary_id", .reads = "traffic-path", .writes = "traffic-path", .as = EventValue::kNumber, .words = &kOcsfPaths, .written = &kOcsfPathsOut},
    {.pointer = "/traffic/bytes", .reads = "bytes", .writes = "bytes"},
    {.pointer = "/traffic/packets", .reads = "packets", .writes = "packets"},
    {.pointer = "/traffic/bytes_out", .reads = "bytes", .writes = "bytes-out"},
    {.pointer = "/traffic/packets_out", .reads = "packets", .writes = "packets-out"},
    {.pointer = "/traffic/bytes_in", .writes = "bytes-in"},
    {.pointer = "/traffic/packets_in", .writes = "packets-in"},
    {.pointer = "/status_code", .reads = "log-status", .writes = "log-status"},
    {.pointer = "/status", .writes = "log-status", .as = EventValue::kWord, .written = &kOcsfStatusOut},
    {.pointer = "/status_id", .writes = "log-status", .as = EventValue::kNumber, .written = &kOcsfStatusIdsOut},
    {.pointer = "/status_detail", .reads = "log-status", .writes = "reason"},
    {.pointer = "/observables/-", .writes = "src-ip", .as = EventValue::kObservable, .constant = "src_endpoint.ip"},
    {.pointer = "/observables/-", .writes = "src-nat", .as = EventValue::kObservable, .constant = "src_endpoint.intermediate_ips"},
    {.pointer = "/observables/-", .writes = "dst-ip", .as = EventValue::kObservable, .constant = "dst_endpoint.ip"},
    {.pointer = "/observables/-", .writes = "dst-nat", .as = EventValue::kObservable, .constant = "dst_endpoint.intermediate_ips"},
    {.pointer = "/unmapped/srcaddr", .writes = "srcaddr-lacks", .as = EventValue::kNull},
    {.pointer = "/unmapped/dstaddr", .writes = "dstaddr-lacks", .as = EventValue::kNull},
    {.pointer = "/unmapped/pkt_srcaddr", .writes = "pkt-srcaddr-lacks", .as = EventValue::kNull},
    {.pointer = "/unmapped/pkt_dstaddr", .writes = "pkt-dstaddr-lacks", .as = EventValue::kNull},
    {.pointer = "/unmapped/start", .writes = "start-lacks", .as = EventValue::kNull},
    {.pointer = "/unmapped/start", .writes = "start-small", .as = EventValue::kText},
    {.pointer = "/unmapped/end", .writes = "end-small", .as = EventValue::kText},
    {.pointer = "/unmapped", .as = EventValue::kRestTexts},
});
inline constexpr auto kOcsfFields = EventFieldsOf<kOcsfRows>();
// clang-format on

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FORMAT_OCSF_ROWS_H_
