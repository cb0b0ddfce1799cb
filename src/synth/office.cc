#include "src/synth/office.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr uint8_t kTcp = 6;
constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kSynAck = 18;
constexpr int64_t kHeader = 40;     // bytes of IP and TCP of a packet
constexpr int64_t kSegment = 1400;  // payload of a full packet

}  // namespace

Office::Office(const World& world, uint64_t seed) : Planter(world, seed) {
  for (uint32_t i = 0; i < world.options.interfaces; ++i) {
    const Role role = world.interfaces[i].role;
    if (role != Role::kNat && role != Role::kLoadBalancer && role != Role::kTransit) cast_.push_back(i);
  }
  Random order(world.options.seed ^ 0x0FF1CE);
  for (size_t i = cast_.size(); i > 1; --i) std::swap(cast_[i - 1], cast_[order.Below(i)]);
}

void Office::LabelAs(const OfficePlant& plant) {
  std::string also;
  if (!plant.detectors.empty()) {
    const auto address = [&](std::string* out, uint32_t actor) { absl::StrAppend(out, world_.v4[actor]); };
    if (actors_.empty() && !records_.empty()) actors_.push_back(records_[0].src);
    also = absl::StrCat(", \"actors\": [\"", absl::StrJoin(actors_, "\", \"", address), "\"], \"detectors\": [\"",
                        absl::StrJoin(plant.detectors, "\", \""), "\"]");
  }
  Label(plant.info, actors_, also);
}

std::vector<uint32_t> Office::Some(size_t n, size_t from) const {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < std::min(n, cast_.size()); ++i) out.push_back(Host(from + i));
  return out;
}

uint32_t Office::PeerOf(std::string_view service) {
  const uint32_t first = random_.Below(world_.options.peers);
  for (uint32_t i = 0; i < world_.options.peers; ++i) {
    const uint32_t peer = world_.first_peer + (first + i) % world_.options.peers;
    if (world_.service[peer] == service) return peer;
  }
  return world_.first_peer + first;
}

uint32_t Office::Stranger() { return PeerOf("-"); }

int64_t Office::Begin(int64_t* seconds) {
  const int64_t margin = std::min<int64_t>(600, span_ / 20);
  *seconds = std::clamp<int64_t>(*seconds, 1, std::max<int64_t>(1, span_ - 2 * margin));
  return Within(begin_ + margin, span_ - 2 * margin - *seconds);
}

double Office::Weight(Hours hours, int64_t time) {
  const int64_t hour = time % 86400 / 3600;
  const int64_t weekday = (time / 86400 + 3) % 7;  // 0 is Monday
  switch (hours) {
    case Hours::kAll: return 1;
    case Hours::kNight: return hour >= 1 && hour < 5 ? 1 : 0;
    case Hours::kWork:
      return (weekday >= 5 ? 0.12 : 1) * (hour >= 8 && hour < 18                  ? 1
                                          : hour == 7 || hour == 18 || hour == 19 ? 0.4
                                                                                  : 0.05);
  }
  return 1;
}

double Office::WeightOfDay(Hours hours) {
  constexpr int64_t kMonday = 4 * 86400;
  double sum = 0;
  for (int64_t hour = 0; hour < 24; ++hour) sum += Weight(hours, kMonday + hour * 3600);
  return sum;
}

std::optional<uint32_t> Office::GatewayOf(uint32_t host) const {
  const Interface& eni = world_.interfaces[host];
  const std::vector<uint32_t>& gateways = world_.by_role[static_cast<size_t>(Role::kNat)];
  if (eni.subnet % 3 == 0 || eni.role == Role::kNat || eni.role == Role::kLoadBalancer) return {};
  const auto own = std::find_if(gateways.begin(), gateways.end(),
                                [&](uint32_t gateway) { return world_.interfaces[gateway].vpc == eni.vpc; });
  return own == gateways.end() ? gateways[eni.vpc % gateways.size()] : *own;
}

std::optional<uint32_t> Office::AttachmentOf(uint32_t host) const {
  const std::vector<uint32_t>& attachments = world_.by_role[static_cast<size_t>(Role::kTransit)];
  for (uint32_t attachment : attachments) {
    if (world_.interfaces[attachment].vpc == world_.interfaces[host].vpc) return attachment;
  }
  return {};
}

void Office::Log(Session s) {
  if (s.start >= end() || s.start < begin_) return;
  s.seconds = std::clamp<int64_t>(s.seconds, 1, std::max<int64_t>(1, end() - s.start));
  if (s.client_port == 0) s.client_port = HighPort();
  const int64_t idle = s.one_way ? 0 : static_cast<int64_t>(static_cast<double>(s.seconds) / s.keepalive);
  const int64_t setup = s.protocol == kTcp ? 3 : 0, header = s.protocol == kTcp ? kHeader : 28;
  const auto packets = [&](int64_t own, int64_t other) {
    return std::max<int64_t>(
        1, setup + (own + kSegment - 1) / kSegment + (s.protocol == kTcp ? other / (2 * kSegment) : 0) + idle);
  };
  const int64_t out = packets(s.sent, s.received), in = s.one_way ? 0 : packets(s.received, s.sent);
  const bool ports = s.protocol == kTcp || s.protocol == 17;
  const uint16_t client_port = ports ? s.client_port : 0, server_port = ports ? s.port : 0;
  Side client{s.client, s.client, client_port, out, s.sent + out * header};
  Side server{s.server, s.server, server_port, in, s.one_way ? 0 : s.received + in * header};
  if (IsOurs(s.client)) LogAt(s.client, s, client, server);
  if (IsOurs(s.server)) LogAt(s.server, s, client, server);
  if (IsOurs(s.client) && IsOutside(s.server)) {
    if (const std::optional<uint32_t> nat = GatewayOf(s.client)) {
      Side gateway = server;
      gateway.seen = *nat;
      LogAt(*nat, s, client, gateway);
      client.address = client.seen = *nat;
      if (ports) client.port = HighPort();
      LogAt(*nat, s, client, server);
    }
  }
  if (IsOurs(s.client) && IsOurs(s.server) && world_.interfaces[s.client].vpc != world_.interfaces[s.server].vpc) {
    for (uint32_t host : {s.client, s.server}) {
      if (const std::optional<uint32_t> attachment = AttachmentOf(host)) LogAt(*attachment, s, client, server);
    }
  }
}

void Office::LogAt(uint32_t interface, const Session& session, const Side& client, const Side& server) {
  const int64_t window = world_.options.window;
  // The interface's windows are its own.
  const int64_t phase = world_.interfaces[interface].phase;
  const int64_t cut = session.start + 1 + ((phase - session.start - 1) % window + window) % window;
  LogDirection(interface, session, client, server, true, cut);
  LogDirection(interface, session, server, client, false, cut);
}

// Windows in which no packet came have no record.
void Office::LogDirection(uint32_t interface, const Session& session, const Side& from, const Side& to, bool request,
                          int64_t cut) {
  const int64_t window = world_.options.window, stop = session.start + session.seconds;
  const bool tcp = session.protocol == kTcp;
  int64_t packets_done = 0, bytes_done = 0;
  for (int64_t begin = session.start; begin < stop;) {
    const int64_t until = std::min(stop, begin < cut ? cut : begin + window);
    const bool first = begin == session.start, last = until >= stop;
    const double share = static_cast<double>(until - session.start) / static_cast<double>(session.seconds);
    int64_t packets = last ? from.packets - packets_done
                           : static_cast<int64_t>(static_cast<double>(from.packets) * share) - packets_done;
    if (first && tcp && packets == 0) packets = std::min<int64_t>(1, from.packets);
    if (packets > 0) {
      const auto bytes = std::max(packets * 28, static_cast<int64_t>(static_cast<double>(from.bytes) *
                                                                     static_cast<double>(packets_done + packets) /
                                                                     static_cast<double>(from.packets)) -
                                                    bytes_done);
      SynthRecord& r = Add(interface, from.seen, to.seen, from.port, to.port, begin);
      r.pkt_src = from.address;
      r.pkt_dst = to.address;
      r.egress = r.src == interface;
      r.protocol = session.protocol;
      r.end = std::max(begin, until - 1);
      if (tcp) r.flags = static_cast<uint8_t>((first ? (request ? kSyn : kSynAck) : 0) | (last ? kFin : 0));
      Size(&r, packets, bytes);
      packets_done += packets;
      bytes_done += bytes;
    }
    begin = until;
  }
}

void Office::AddFailed(uint32_t interface, uint32_t from, uint32_t to, uint16_t from_port, uint16_t to_port,
                       int64_t start, uint8_t protocol, uint8_t flags, bool rejected, int64_t packets) {
  SynthRecord& r = Add(interface, from, to, from_port, to_port, start);
  r.protocol = protocol;
  r.flags = protocol == kTcp ? flags : 0;
  r.rejected = rejected;
  Size(&r, packets, packets * (protocol == kTcp ? (flags == kRst ? 40 : 60) : 68));
}

void Office::Fail(const Try& failed) {
  const auto& [client, server, port, start, failure, protocol] = failed;
  if (start >= end() || start < begin_) return;
  const uint16_t own = HighPort();
  const int64_t packets = failure == Failure::kClosed ? 1 : random_.Between(1, protocol == kTcp ? 4 : 1);
  if (IsOurs(client)) AddFailed(client, client, server, own, port, start, protocol, kSyn, false, packets);
  if (IsOurs(server)) {
    AddFailed(server, client, server, own, port, start, protocol, kSyn, failure == Failure::kRejected, packets);
  }
  if (failure != Failure::kClosed || protocol != kTcp) return;
  for (uint32_t host : {client, server}) {
    if (IsOurs(host)) AddFailed(host, server, client, port, own, start, protocol, kRst, false, 1);
  }
}

std::vector<PlantInfo> OfficePlants() {
  std::vector<PlantInfo> out;
  for (const auto& plants : {OfficeDayPlants(), OfficeStrangersPlants(), OfficeAttackPlants()}) {
    for (const OfficePlant& plant : plants) out.push_back(plant.info);
  }
  return out;
}

Planted PlantOffice(const World& world, const std::vector<std::string>& names, uint64_t seed) {
  Planted out;
  for (const auto& plants : {OfficeDayPlants(), OfficeStrangersPlants(), OfficeAttackPlants()}) {
    for (const OfficePlant& plant : plants) {
      if (std::find(names.begin(), names.end(), plant.info.name) == names.end()) continue;
      uint64_t own = seed;
      for (const char c : plant.info.name) own = own * 1099511628211ull + static_cast<uint8_t>(c);
      plant.make(world, plant, own, &out);
    }
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
