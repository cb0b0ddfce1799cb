// tunnel: much sent to one outside peer over DNS, NTP or ICMP.
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/outside_requests.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kTunnelBytes = {
    "tunnel_bytes", 1'000'000, "bytes",
    "bytes to one outside peer within a day over DNS or NTP in packets of 120 bytes and more, which queries are not"};
constexpr Setting<int64_t> kTunnelIcmp = {
    "tunnel_icmp", 1'000'000, "bytes",
    "bytes to one outside peer within a day over ICMP in packets of 200 bytes and more"};
constexpr const SettingInfo* kSettings[] = {&kTunnelBytes, &kTunnelIcmp, &kOpenStrangers};

std::vector<Finding> FindTunnels(const DetectorContext& context) {
  constexpr int32_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpV6 = 58;
  // Bytes a packet, IP and all: queries of names take 60 to 100, those of times 76, pings 84.
  constexpr double kLargeQuery = 120, kLargePing = 200;
  struct Kind {
    const char* name;
    int64_t limit;
    double size;
    bool (*is)(const SessionRow&);
  };
  const Kind kinds[] = {
      {"DNS", context.Get(kTunnelBytes), kLargeQuery,
       [](const SessionRow& r) { return r.port == 53 && (r.protocol == kTcp || r.protocol == kUdp); }},
      {"NTP", context.Get(kTunnelBytes), kLargeQuery,
       [](const SessionRow& r) { return r.port == 123 && r.protocol == kUdp; }},
      {"ICMP", context.Get(kTunnelIcmp), kLargePing,
       [](const SessionRow& r) { return r.protocol == kIcmp || r.protocol == kIcmpV6; }}};
  struct Sum {
    uint128 bytes = 0, packets = 0, back = 0;
    Span span;
  };
  const auto sum_of = [](std::vector<SessionRow>* rows) {
    std::sort(rows->begin(), rows->end(), [](const SessionRow& a, const SessionRow& b) {
      return std::tie(a.start, a.sent, a.received, a.end) < std::tie(b.start, b.sent, b.received, b.end);
    });
    Sum sum;
    const auto sent = [](const SessionRow& row) { return row.sent; };
    for (const SessionRow& row : BusiestOf(std::span<const SessionRow>(*rows), kDay, sent)) {
      sum.bytes += row.sent;
      sum.packets += row.packets;
      sum.back += row.received;
      sum.span.Add(row);
    }
    return sum;
  };
  std::vector<Finding> out;
  const OutsideRequests outsiders(context);
  for (const Kind& kind : kinds) {
    absl::flat_hash_map<HostPair, std::vector<SessionRow>> sessions;
    const auto add = [&](SessionRow row) {
      if (!kind.is(row)) return;
      if (context.inside(row.server)) row.Swap();  // that an outside host began
      sessions[{row.client, row.server}].push_back(row);
    };
    for (const SessionRow& row : context.sessions.rows()) {
      if (context.inside(row.client) && context.outside(row.server)) add(row);
    }
    for (const SessionRow& row : outsiders.rows()) add(row);
    for (auto& [pair, rows] : sessions) {
      const Sum own = sum_of(&rows);
      const double size = own.packets == 0 ? 0 : static_cast<double>(own.bytes) / static_cast<double>(own.packets);
      if (own.bytes == 0 || static_cast<double>(own.bytes) < static_cast<double>(kind.limit) || size < kind.size)
        continue;
      const Ip &from = context.sessions.address(pair.first), &to = context.sessions.address(pair.second);
      Finding f = MakeFinding(Severity::kMedium, from, {to}, own.span,
                              ScoreOf(static_cast<double>(kind.limit), static_cast<double>(own.bytes)));
      f.sentence =
          absl::StrCat(ToString(from), " sent ", Commas(own.bytes), " bytes of ", kind.name, " in packets of ",
                       Fixed(size, 0), " bytes to ", ToString(to), ", which sent ", Commas(own.back), When(own.span));
      f.AddEvidence("srcaddr", from)
          .AddEvidence("dstaddr", to)
          .AddEvidence("bytes", own.bytes)
          .AddEvidence("received", own.back)
          .AddEvidence("packets", own.packets)
          .AddEvidence("size", size);
      out.push_back(std::move(f));
    }
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who sends is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("where it goes is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there is no volume", {Field::kBytes}),
    Essential("there are no times", {Field::kStart}),
    Essential("large packets cannot be told from queries and pings", {Field::kPackets}),
    Essential("DNS, NTP and ICMP cannot be told from other traffic", {Field::kProtocol}),
    Helpful("DNS and NTP cannot be told from other traffic: only ICMP is seen", {Field::kDstPort}),
    Helpful("which end asked is unknown", {Field::kSrcPort}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::tunnel = {
    .name = "tunnel",
    .technique = "T1572",
    .meaning = "much data over DNS, NTP or ICMP",
    .method =
        "Much sent to one outside peer within a day over DNS, NTP or ICMP in packets larger than queries, whoever "
        "began (as "
        "`exfiltration`).",
    .misses = "queries to the VPC's resolver, which AWS does not log",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindTunnels,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
