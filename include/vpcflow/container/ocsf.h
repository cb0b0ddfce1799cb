// OCSF Network Activity (class 4001), as Security Lake delivers flow logs: where the fields of a record stand in it.
//
// The mapping is that of AWS's converter (ocsf/examples, "VPC Flowlogs", versions 1.0 to 1.1). OCSF says less than a
// record: fields that it lacks are null, and which of source and destination is the recording interface's is where its
// ids stand. The packet's own address is the endpoint's, the interface's stands before it.
#ifndef VPCFLOW_CONTAINER_OCSF_H_
#define VPCFLOW_CONTAINER_OCSF_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

inline constexpr uint64_t kOcsfNetworkActivity = 4001;

// Values of OCSF and what flow logs call them; empty pairs at the end.
using OcsfTranslation = std::array<std::pair<std::string_view, std::string_view>, 8>;

struct OcsfField {
  std::string_view name;                         // AWS's
  std::array<std::string_view, 2> pointers;      // JSON pointers; the first that has a value counts
  const OcsfTranslation* translation = nullptr;  // of values; others stay as they are,
  bool only_translated = false;                  // or are null
  bool time = false;                             // milliseconds, or RFC 3339 in a member of the same name and _dt
};

namespace internal {
inline constexpr OcsfTranslation kOcsfActions = {{{"Allowed", "ACCEPT"}, {"Denied", "REJECT"}, {"Blocked", "REJECT"}}};
inline constexpr OcsfTranslation kOcsfTypes = {{{"4", "IPv4"}, {"6", "IPv6"}}};
inline constexpr OcsfTranslation kOcsfDirections = {{{"Inbound", "ingress"}, {"Outbound", "egress"}, {"Unknown", "-"}}};
// boundary_id is traffic-path + 3; 0 is unknown, 99 other.
inline constexpr OcsfTranslation kOcsfPaths = {
    {{"4", "1"}, {"5", "2"}, {"6", "3"}, {"7", "4"}, {"8", "5"}, {"9", "6"}, {"10", "7"}, {"11", "8"}}};
}  // namespace internal

// clang-format off: one line a field
inline constexpr auto kOcsfFields = std::to_array<OcsfField>({
    {"version", {"/metadata/product/version"}},
    {"account-id", {"/cloud/account/uid", "/cloud/account_uid"}},
    {"interface-id", {"/src_endpoint/interface_uid", "/dst_endpoint/interface_uid"}},
    {"srcaddr", {"/src_endpoint/intermediate_ips/0", "/src_endpoint/ip"}},
    {"dstaddr", {"/dst_endpoint/intermediate_ips/0", "/dst_endpoint/ip"}},
    {"srcport", {"/src_endpoint/port"}},
    {"dstport", {"/dst_endpoint/port"}},
    {"protocol", {"/connection_info/protocol_num"}},
    {"packets", {"/traffic/packets"}},
    {"bytes", {"/traffic/bytes"}},
    {"start", {"/start_time", "/time"}, nullptr, false, true},
    {"end", {"/end_time"}, nullptr, false, true},
    {"action", {"/action", "/disposition"}, &internal::kOcsfActions},
    {"log-status", {"/status_code", "/status_detail"}},
    {"vpc-id", {"/src_endpoint/vpc_uid", "/dst_endpoint/vpc_uid"}},
    {"subnet-id", {"/src_endpoint/subnet_uid", "/dst_endpoint/subnet_uid"}},
    {"instance-id", {"/src_endpoint/instance_uid", "/dst_endpoint/instance_uid"}},
    {"tcp-flags", {"/connection_info/tcp_flags"}},
    {"type", {"/connection_info/protocol_ver"}, &internal::kOcsfTypes},
    {"pkt-srcaddr", {"/src_endpoint/ip"}},
    {"pkt-dstaddr", {"/dst_endpoint/ip"}},
    {"region", {"/cloud/region"}},
    {"az-id", {"/cloud/zone"}},
    {"sublocation-type", {"/unmapped/sublocation_type"}},
    {"sublocation-id", {"/unmapped/sublocation_id"}},
    {"pkt-src-aws-service", {"/src_endpoint/svc_name"}},
    {"pkt-dst-aws-service", {"/dst_endpoint/svc_name"}},
    {"flow-direction", {"/connection_info/direction"}, &internal::kOcsfDirections},
    {"traffic-path", {"/connection_info/boundary_id"}, &internal::kOcsfPaths, true},
});
// clang-format on

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_CONTAINER_OCSF_H_
