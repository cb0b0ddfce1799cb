// OCSF Network Activity (class 4001), as Security Lake delivers flow logs: where the fields of a record stand in it.
//
// The mapping is that of AWS's converter (ocsf/examples, "VPC Flowlogs", versions 1.0.0-rc.2, 1.1 and 1.5) and of
// others that write the same events. OCSF says less than a record: fields that it lacks are null, and which of source
// and destination is the recording interface's is where its ids stand. The packet's own address is the endpoint's, the
// interface's stands before it. Fields that no other place has are members of `unmapped` by their own names.
//
// Example:
//   for (const vpcflow::EventField& field : vpcflow::kOcsfFields) Print(field.name, field.places[0].pointer);
//   Print(vpcflow::OcsfTime("2026-11-23T06:00:00Z"));            // 1795413600
#ifndef VPCFLOW_CONTAINER_OCSF_H_
#define VPCFLOW_CONTAINER_OCSF_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

inline constexpr uint64_t kOcsfNetworkActivity = 4001;
// The member whose members of a field's name are that field.
inline constexpr std::string_view kOcsfUnmapped = "/unmapped";

// Values of events, in any case, and what flow logs call them; empty pairs at the end. Others stay as they are.
using EventTranslation = std::array<std::pair<std::string_view, std::string_view>, 20>;

struct EventPlace {
  std::string_view pointer{};  // a JSON pointer
  const EventTranslation* translation = nullptr;
  bool last_resort = false;  // counts only where no place before it is set, not even to "-"
};

struct EventField {
  std::string_view name{};             // AWS's
  std::array<EventPlace, 6> places{};  // the first that has a value counts
  // A time: a number of seconds, or of milli-, micro- or nanoseconds by its size, or RFC 3339; also in a member of the
  // place's name and _dt.
  bool time = false;
  // The first place is of the source's end, the second of the destination's: that of the recording interface, which of
  // an inbound connection is the destination's, counts.
  bool ends = false;
};

// clang-format off
// Several pairs a line, one line a field.
namespace internal {
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
}  // namespace internal

inline constexpr auto kOcsfFields = std::to_array<EventField>({
    {"version", {{{"/metadata/product/version"}}}},
    {"account-id", {{{"/cloud/account/uid"}, {"/cloud/account_uid"}}}},
    {"interface-id",
     {{{"/src_endpoint/interface_uid"}, {"/dst_endpoint/interface_uid"}, {"/device/interface_uid"}}}, false, true},
    {"srcaddr", {{{"/src_endpoint/intermediate_ips/0"}, {"/src_endpoint/ip"}}}},
    {"dstaddr", {{{"/dst_endpoint/intermediate_ips/0"}, {"/dst_endpoint/ip"}}}},
    {"srcport", {{{"/src_endpoint/port"}}}},
    {"dstport", {{{"/dst_endpoint/port"}}}},
    {"protocol", {{{"/connection_info/protocol_num"}, {"/connection_info/protocol_name"}}}},
    {"packets", {{{"/traffic/packets"}, {"/traffic/packets_out"}}}},
    {"bytes", {{{"/traffic/bytes"}, {"/traffic/bytes_out"}}}},
    {"start", {{{"/start_time"}, {"/time"}}}, true},
    {"end", {{{"/end_time"}}}, true},
    {"action", {{{"/action", &internal::kOcsfActions}, {"/action_id", &internal::kOcsfActionIds},
                 {"/disposition", &internal::kOcsfActions}, {"/disposition_id", &internal::kOcsfActionIds},
                 {"/activity_name", &internal::kOcsfActivities, true},
                 {"/activity_id", &internal::kOcsfActivityIds, true}}}},
    {"log-status", {{{"/status_code"}, {"/status_detail"}}}},
    {"vpc-id", {{{"/src_endpoint/vpc_uid"}, {"/dst_endpoint/vpc_uid"}, {"/device/vpc_uid"}}}, false, true},
    {"subnet-id", {{{"/src_endpoint/subnet_uid"}, {"/dst_endpoint/subnet_uid"}, {"/device/subnet_uid"}}}, false, true},
    {"instance-id",
     {{{"/src_endpoint/instance_uid"}, {"/dst_endpoint/instance_uid"}, {"/device/instance_uid"}}}, false, true},
    {"tcp-flags", {{{"/connection_info/tcp_flags"}}}},
    {"type", {{{"/connection_info/protocol_ver", &internal::kOcsfTypes},
               {"/connection_info/protocol_ver_id", &internal::kOcsfTypes}}}},
    {"pkt-srcaddr", {{{"/src_endpoint/ip"}}}},
    {"pkt-dstaddr", {{{"/dst_endpoint/ip"}}}},
    {"region", {{{"/cloud/region"}}}},
    {"az-id", {{{"/cloud/zone"}, {"/src_endpoint/zone"}, {"/dst_endpoint/zone"}}}},
    {"pkt-src-aws-service", {{{"/src_endpoint/svc_name"}}}},
    {"pkt-dst-aws-service", {{{"/dst_endpoint/svc_name"}}}},
    {"flow-direction", {{{"/connection_info/direction", &internal::kOcsfDirections},
                         {"/connection_info/direction_id", &internal::kOcsfDirections}}}},
    {"traffic-path", {{{"/connection_info/boundary_id", &internal::kOcsfPaths}}}},
});
// clang-format on

// Returns a time of an event as the parser takes one, Unix seconds; another text unchanged.
std::string OcsfTime(std::string_view text);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_CONTAINER_OCSF_H_
