#include "src/export/event_schemas.h"

#include "src/format/ocsf_rows.h"
#include "src/format/siem_rows.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kOcsfVersions[] = {"1.5.0", "1.1.0"};
constexpr std::string_view kEcsVersions[] = {"9.4.0"};

const EventSchema kSchemas[] = {
    {"ocsf", "OCSF Network Activity (class 4001)", kOcsfVersions, kOcsfUnmapped, kOcsfRows},
    {"ecs", "Elastic Common Schema, with aws.vpcflow as Elastic's pipeline has it", kEcsVersions, kEcsOwn, kEcsRows},
    {"cim", "Splunk Common Information Model, Network_Traffic", {}, kEcsOwn, kCimRows},
    {"asim", "Microsoft Sentinel, ASIM NetworkSession", {}, "/AdditionalFields", kAsimRows},
    {"awsvpcflow", "Microsoft Sentinel, table AWSVPCFlow", {}, "", kAwsVpcFlowRows},
    {"udm", "Google SecOps, Unified Data Model", {}, "/additional", kUdmRows},
    {"cef", "Common Event Format", {}, "", kCefRows, /*json=*/false},
};

}  // namespace

bool Covers(std::string_view value, std::string_view field) {
  if (value == field) return true;
  if (value.starts_with(field) && value[field.size()] == '@') return true;
  if (value == "verdict") return field == "action";
  if (value == "direction") return field == "flow-direction";
  if (value == "src-ip") return field == "pkt-srcaddr" || field == "srcaddr";
  if (value == "dst-ip") return field == "pkt-dstaddr" || field == "dstaddr";
  if (value == "src-ip-v4") return field == "pkt-srcaddr" || field == "srcaddr";
  if (value == "dst-ip-v4") return field == "pkt-dstaddr" || field == "dstaddr";
  if (value == "pkt-srcaddr-differs") return field == "pkt-srcaddr";
  if (value == "pkt-dstaddr-differs") return field == "pkt-dstaddr";
  if (value == "time") return field == "start";
  if (value == "duration") return field == "end";
  if (value == "sent-bytes" || value == "bytes-out") return field == "bytes";
  return (value == "sent-packets" || value == "packets-out") && field == "packets";
}

}  // namespace internal

std::span<const EventSchema> EventSchemas() { return internal::kSchemas; }

VPCFLOW_NAMESPACE_END
