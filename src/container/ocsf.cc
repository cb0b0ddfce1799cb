#include "src/container/ocsf.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

// A value by a JSON pointer, as text; nothing if it is not there, null, or "-".
std::optional<std::string> At(const dom::object& event, std::string_view pointer) {
  dom::element value;
  if (event.at_pointer(pointer).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (text.empty() || text == "-") return std::nullopt;
    return std::string(text);
  }
  if (uint64_t number; value.get(number) == simdjson::SUCCESS) return std::to_string(number);
  if (double number; value.get(number) == simdjson::SUCCESS) return std::to_string(static_cast<int64_t>(number));
  return std::nullopt;
}

// A time: milliseconds, which the records may have too; or Unix seconds of the _dt member, which is RFC 3339.
std::optional<std::string> TimeAt(const dom::object& event, std::string_view name) {
  if (std::optional<std::string> number = At(event, std::string("/").append(name))) return number;
  const std::optional<std::string> text = At(event, std::string("/").append(name).append("_dt"));
  absl::Time time;
  std::string error;
  if (!text || !absl::ParseTime(absl::RFC3339_full, *text, &time, &error)) return std::nullopt;
  return std::to_string(absl::ToUnixSeconds(time));
}

// The first of several places that has a value.
std::optional<std::string> First(const dom::object& event, std::initializer_list<std::string_view> pointers) {
  for (const std::string_view pointer : pointers) {
    if (std::optional<std::string> value = At(event, pointer)) return value;
  }
  return std::nullopt;
}

// traffic-path + 3; 0 and 99 are "unknown" and "other".
std::optional<std::string> TrafficPath(const dom::object& event) {
  uint64_t boundary = 0;
  if (event.at_pointer("/connection_info/boundary_id").get(boundary) != simdjson::SUCCESS) return std::nullopt;
  if (boundary < 4 || boundary == 99) return std::nullopt;
  return std::to_string(boundary - 3);
}

std::optional<std::string> Translated(const std::optional<std::string>& value,
                                      std::initializer_list<std::pair<std::string_view, const char*>> table) {
  for (const auto& [from, to] : table) {
    if (value && *value == from) return to;
  }
  return value;
}

// An address, and the packet's own behind it: OCSF has the packet's as the endpoint and the other one before it.
void AddAddresses(const dom::object& event, const std::string& end, const char* name, RecordLines* lines) {
  const std::optional<std::string> packet = At(event, "/" + end + "_endpoint/ip");
  const std::optional<std::string> interface = At(event, "/" + end + "_endpoint/intermediate_ips/0");
  lines->Add(name, interface ? *interface : packet.value_or("-"));
  lines->Add(std::string("pkt-") + name, packet.value_or("-"));
}

}  // namespace

void TakeOcsf(const dom::object& event, RecordLines* lines) {
  const auto add = [&](const char* name, const std::optional<std::string>& value) {
    lines->Add(name, value ? std::string_view(*value) : "-");
  };
  lines->Begin();
  add("version", At(event, "/metadata/product/version"));
  add("account-id", First(event, {"/cloud/account/uid", "/cloud/account_uid"}));
  add("interface-id", First(event, {"/src_endpoint/interface_uid", "/dst_endpoint/interface_uid"}));
  AddAddresses(event, "src", "srcaddr", lines);
  AddAddresses(event, "dst", "dstaddr", lines);
  add("srcport", At(event, "/src_endpoint/port"));
  add("dstport", At(event, "/dst_endpoint/port"));
  add("protocol", At(event, "/connection_info/protocol_num"));
  add("packets", At(event, "/traffic/packets"));
  add("bytes", At(event, "/traffic/bytes"));
  const std::optional<std::string> start = TimeAt(event, "start_time");
  add("start", start ? start : TimeAt(event, "time"));
  add("end", TimeAt(event, "end_time"));
  add("action", Translated(First(event, {"/action", "/disposition"}),
                           {{"Allowed", "ACCEPT"}, {"Denied", "REJECT"}, {"Blocked", "REJECT"}}));
  add("log-status", First(event, {"/status_code", "/status_detail"}));
  add("vpc-id", First(event, {"/src_endpoint/vpc_uid", "/dst_endpoint/vpc_uid"}));
  add("subnet-id", First(event, {"/src_endpoint/subnet_uid", "/dst_endpoint/subnet_uid"}));
  add("instance-id", First(event, {"/src_endpoint/instance_uid", "/dst_endpoint/instance_uid"}));
  add("tcp-flags", At(event, "/connection_info/tcp_flags"));
  add("type", Translated(First(event, {"/connection_info/protocol_ver"}), {{"4", "IPv4"}, {"6", "IPv6"}}));
  add("region", At(event, "/cloud/region"));
  add("az-id", At(event, "/cloud/zone"));
  add("sublocation-type", At(event, "/unmapped/sublocation_type"));
  add("sublocation-id", At(event, "/unmapped/sublocation_id"));
  add("pkt-src-aws-service", At(event, "/src_endpoint/svc_name"));
  add("pkt-dst-aws-service", At(event, "/dst_endpoint/svc_name"));
  add("flow-direction", Translated(At(event, "/connection_info/direction"),
                                   {{"Inbound", "ingress"}, {"Outbound", "egress"}, {"Unknown", "-"}}));
  add("traffic-path", TrafficPath(event));
  if (!lines->End()) lines->NoRecord(simdjson::minify(event));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
