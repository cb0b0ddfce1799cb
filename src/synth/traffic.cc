#include <algorithm>
#include <functional>
#include <iterator>

#include "src/synth/world.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

struct PortShare {
  uint16_t port;
  double share;
};
// What clients inside ask of the internet, and what the internet's noise tries.
constexpr PortShare kOutbound[] = {{443, 66}, {80, 10}, {53, 11}, {123, 4},  {8443, 3},
                                   {5671, 2}, {587, 1}, {22, 1},  {9200, 1}, {993, 1}};
constexpr PortShare kNoise[] = {{23, 19},  {22, 14},  {445, 12}, {3389, 11}, {8080, 8}, {5060, 7}, {1433, 5},
                                {6379, 5}, {2323, 4}, {3306, 4}, {8728, 3},  {5900, 3}, {81, 3},   {2375, 2}};

template <size_t N>
uint16_t DrawPort(const PortShare (&ports)[N], Random* random) {
  static const Sampler sampler([&] {
    std::vector<double> weights;
    for (const PortShare& p : ports) weights.push_back(p.share);
    return weights;
  }());
  return ports[sampler.Draw(random)].port;
}

bool IsUdp(uint16_t port) { return port == 53 || port == 123 || port == 5060; }

// How often a role talks to another (rows: client).
constexpr double kTalks[8][8] = {
    // web app  db cache lb nat bastion monitor (server)
    {1, 30, 4, 6, 1, 0, 0, 0},    // web
    {2, 10, 30, 20, 1, 0, 0, 0},  // app
    {0, 0, 8, 0, 0, 0, 0, 0},     // database (replication)
    {0, 0, 0, 4, 0, 0, 0, 0},     // cache
    {50, 20, 0, 0, 0, 0, 0, 0},   // load balancer
    {1, 1, 0, 0, 0, 0, 0, 0},     // nat
    {2, 2, 2, 1, 0, 0, 0, 0},     // bastion
    {3, 3, 3, 3, 1, 1, 1, 1},     // monitor
};

uint32_t DrawServer(const World& world, Role client, Random* random) {
  static const std::vector<Sampler> samplers = [] {
    std::vector<Sampler> out;
    for (const auto& row : kTalks) out.emplace_back(std::vector<double>(std::begin(row), std::end(row)));
    return out;
  }();
  const std::vector<uint32_t>& servers = world.by_role[samplers[static_cast<size_t>(client)].Draw(random)];
  // The first of a role are the busiest.
  const double u = random->Unit();
  return servers[static_cast<size_t>(u * u * static_cast<double>(servers.size()))];
}

uint16_t EphemeralPort(Random* random) {
  return static_cast<uint16_t>(random->Chance(0.8) ? random->Between(32768, 60999) : random->Between(1024, 65535));
}

}  // namespace

Traffic::Conversation Traffic::NewConversation() {
  Random* r = &random_;
  Conversation c{};
  do {
    c.interface = world_.pick_interface.Draw(r);
  } while (world_.interfaces[c.interface].role == Role::kTransit);
  c.other = SynthRecord::kNone;
  const double kind = r->Unit();
  c.client_port = EphemeralPort(r);
  if (kind < 0.42) {  // out to the internet
    c.outbound = true;
    c.peer = world_.first_peer + world_.pick_peer.Draw(r);
    c.server_port = DrawPort(kOutbound, r);
    c.path = r->Chance(0.8) ? 8 : 7;
  } else if (kind < 0.68) {  // in from the internet, to what faces it
    const bool balancer = r->Chance(0.5);
    const std::vector<uint32_t>& servers =
        world_.by_role[static_cast<size_t>(balancer ? Role::kLoadBalancer : Role::kWeb)];
    c.interface = servers[r->Below(servers.size())];
    c.peer = world_.first_peer + world_.pick_peer.Draw(r);
    c.server_port = r->Chance(0.8) ? 443 : 80;
    c.path = 8;
  } else {  // inside
    c.outbound = true;
    c.other = DrawServer(world_, world_.interfaces[c.interface].role, r);
    if (c.other == c.interface) c.other = (c.other + 1) % world_.options.interfaces;
    c.peer = c.other;
    c.server_port = world_.interfaces[c.other].port;
    c.path = 1;
  }
  c.protocol = IsUdp(c.server_port) ? 17 : 6;
  if (r->Chance(0.006)) {
    c.protocol = 1;
    c.client_port = c.server_port = 0;
  }
  c.six = r->Chance(world_.options.ipv6_share);
  // Most are over within their window; some go on for minutes, a few for hours.
  const double length = r->Unit();
  c.windows_left = length < 0.75   ? 1
                   : length < 0.97 ? static_cast<int>(r->Between(2, 12))
                                   : static_cast<int>(r->Between(12, 240));
  // In the office lengths are times; in the tame world they are windows, whose logs stay as they are.
  if (world_.options.world == SynthWorld::kOffice)
    c.windows_left = std::max(1, c.windows_left * 60 / world_.options.window);
  double packets = std::exp(1.9 + 1.25 * r->Normal());
  if (r->Chance(0.02)) packets = 60 * std::pow(1 - r->Unit(), -1 / 1.15);
  if (c.protocol != 6) packets = 1 + packets * 0.1;
  c.request = std::clamp(packets, 1.0, 2e6);
  c.reply = std::clamp(packets * std::exp(0.3 + 0.5 * r->Normal()), 1.0, 4e6);
  c.request_size = c.protocol == 6 ? static_cast<int>(r->Between(44, 420)) : static_cast<int>(r->Between(60, 160));
  if (c.protocol == 6) {
    const double most = 1456 * r->Unit();
    c.reply_size = static_cast<int>(44 + most * r->Unit());
  } else {
    c.reply_size = static_cast<int>(r->Between(60, 420));
  }
  if (r->Chance(0.15)) std::swap(c.request_size, c.reply_size);  // uploads
  return c;
}

// Both directions of a conversation in a window, at each interface of ours that sees them; at most `room` records.
uint64_t Traffic::EmitWindow(Conversation* c, int64_t begin, uint64_t room,
                             const std::function<void(const SynthRecord&)>& emit) {
  Random* r = &random_;
  const bool last = c->windows_left <= 1;
  const bool tcp = c->protocol == 6;
  const bool reset = tcp && last && r->Chance(0.04);
  const uint8_t open = tcp && c->first ? 2 : 0, close = tcp && last ? (reset ? 4 : 1) : 0;
  const auto amount = [&](double mean) {
    return std::max<int64_t>(1, static_cast<int64_t>(mean * (0.7 + 0.6 * r->Unit())));
  };
  const int64_t request = amount(c->request), reply = amount(c->reply);
  const int64_t window = world_.options.window;
  const int64_t from = c->first ? r->Below(static_cast<uint64_t>(window / 2) + 1) : 0;
  const int64_t length = last ? r->Between(0, static_cast<uint32_t>(window - 1 - from)) : window - 1 - from;
  uint64_t emitted = 0;
  for (int side = 0; side < (c->other == SynthRecord::kNone ? 1 : 2); ++side) {
    const uint32_t at = side == 0 ? c->interface : c->other;
    for (int direction = 0; direction < 2 && emitted < room; ++direction) {
      const bool forward = direction == 0;
      SynthRecord record{};
      record.interface = at;
      record.other = c->other == SynthRecord::kNone ? SynthRecord::kNone : side == 0 ? c->other : c->interface;
      const uint32_t client = c->outbound ? c->interface : c->peer, server = c->outbound ? c->peer : c->interface;
      record.src = forward ? client : server;
      record.dst = forward ? server : client;
      record.pkt_src = record.src;
      record.pkt_dst = record.dst;
      record.srcport = forward ? c->client_port : c->server_port;
      record.dstport = forward ? c->server_port : c->client_port;
      record.protocol = c->protocol;
      record.flags = static_cast<uint8_t>((forward ? open : open != 0 ? 18 : 0) | close);
      record.six = c->six;
      record.egress = record.src == at;
      record.path = record.egress ? c->path : 0;
      record.packets = forward ? request : reply;
      record.bytes = record.packets * (forward ? c->request_size : c->reply_size);
      record.start = begin + world_.interfaces[at].phase + from;
      record.end = record.start + length;
      // A NAT gateway forwards for others: the packet's own address differs.
      if (world_.interfaces[at].role == Role::kNat && c->other == SynthRecord::kNone) {
        const uint32_t inside = (c->client_port * 7919u) % world_.options.interfaces;
        (record.egress ? record.pkt_src : record.pkt_dst) = inside;
      }
      emit(record);
      ++emitted;
    }
  }
  c->first = false;
  --c->windows_left;
  return emitted;
}

void Traffic::EmitNoise(int64_t begin, const std::function<void(const SynthRecord&)>& emit) {
  Random* r = &random_;
  constexpr int kSizes[] = {40, 44, 52, 60};
  SynthRecord record{};
  record.interface = world_.pick_interface.Draw(r);
  record.src = record.pkt_src = world_.first_noise + world_.pick_noise.Draw(r);
  record.dst = record.pkt_dst = record.interface;
  record.srcport = static_cast<uint16_t>(r->Between(1024, 65535));
  record.dstport = r->Chance(0.25) ? static_cast<uint16_t>(r->Between(1, 65535)) : DrawPort(kNoise, r);
  record.protocol = IsUdp(record.dstport) ? 17 : 6;
  record.flags = record.protocol == 6 ? 2 : 0;
  record.rejected = true;
  record.bpa = r->Chance(0.1);
  record.six = r->Chance(world_.options.ipv6_share);
  record.packets = r->Chance(0.2) ? 2 : 1;
  if (r->Chance(0.05)) record.packets += 2;
  record.bytes = record.packets * kSizes[r->Below(4)];
  record.start =
      begin + world_.interfaces[record.interface].phase + r->Below(static_cast<uint64_t>(world_.options.window));
  record.end = record.start + r->Below(static_cast<uint64_t>(world_.options.window));
  emit(record);
}

void Traffic::EmitSilence(int64_t begin, uint8_t status, const std::function<void(const SynthRecord&)>& emit) {
  SynthRecord record{};
  record.interface = world_.pick_interface.Draw(&random_);
  record.status = status;
  record.start = begin + world_.interfaces[record.interface].phase;
  record.end = record.start + world_.options.window - 1;
  emit(record);
}

void Traffic::Window(int64_t begin, uint64_t n, const std::function<void(const SynthRecord&)>& emit) {
  const SynthOptions& o = world_.options;
  // Conversations that go on, within half of the window's records.
  std::vector<Conversation> still;
  uint64_t made = 0;
  for (Conversation& c : active_) {
    if (made + 4 > n / 2) break;
    made += EmitWindow(&c, begin, n - made, emit);
    if (c.windows_left > 0) still.push_back(c);
  }
  active_ = std::move(still);
  // The shares are of all records, so the new ones have more of what those that go on lack.
  const double scale = made < n ? static_cast<double>(n) / static_cast<double>(n - made) : 1;
  while (made < n) {
    const double kind = random_.Unit();
    // An ordinary draw gives about 2.6 records, the others one.
    const double single = (o.nodata_share + o.skipdata_share + o.reject_share) * scale;
    const double p = single >= 1 ? 1 : single / (single + (1 - single) / 2.6);
    if (kind < p) {
      const double which = kind / p * single / scale;
      if (which < o.nodata_share) {
        EmitSilence(begin, 1, emit);
      } else if (which < o.nodata_share + o.skipdata_share) {
        EmitSilence(begin, 2, emit);
      } else {
        EmitNoise(begin, emit);
      }
      ++made;
      continue;
    }
    Conversation c = NewConversation();
    made += EmitWindow(&c, begin, n - made, emit);
    if (c.windows_left > 0 && active_.size() < 200'000) active_.push_back(c);
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
