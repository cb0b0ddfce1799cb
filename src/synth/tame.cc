// The plants of the tame world.
#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/synth/planter.h"
#include "src/synth/plants.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class TamePlanter : public Planter {
 public:
  using Planter::Planter;

  // What can be planted, in the order of "all": the one place of a plant's name, meaning and function.
  struct Row {
    PlantInfo info;
    void (TamePlanter::*plant)();
  };
  static const std::vector<Row>& Rows();

  void Plant(const Row& row) {
    (this->*row.plant)();
    Label(row.info, {},
          talks_.empty() ? std::string() : absl::StrCat(", \"conversations\": [", absl::StrJoin(talks_, ", "), "]"));
    talks_.clear();
  }

 private:
  void PortScan() {
    const uint32_t actor = PickNoise(), victim = PickInside();
    const auto [at, length] = Period(1800);
    std::set<uint16_t> ports;
    while (ports.size() < 2500) ports.insert(static_cast<uint16_t>(random_.Between(1, 65535)));
    for (uint16_t port : ports) {
      SynthRecord& r = AddWithin(victim, actor, victim, port, at, length);
      r.rejected = !random_.Chance(0.02);
      r.flags = 2;
      Size(&r, 1, 44);
    }
  }

  void BruteForce() {
    const uint32_t actor = PickNoise(), victim = PickRole(Role::kBastion);
    const auto [at, length] = Period(7200);
    for (int i = 0; i < 1800; ++i) {
      const int64_t start = at + random_.Below(static_cast<uint64_t>(length));
      const uint16_t port = HighPort();
      SynthRecord& in = Add(victim, actor, victim, port, 22, start);
      in.flags = 3;
      DrawSize(&in, 11, 23, 1800, 4200);
      SynthRecord& out = Add(victim, victim, actor, 22, port, start);
      out.flags = 19;
      DrawSize(&out, 10, 20, 2000, 3600);
    }
  }

  // Large uploads from an inside host to one peer.
  void Upload(uint32_t host, uint32_t peer, int n, int64_t seconds, uint32_t least, uint32_t most) {
    const auto [at, length] = Period(seconds);
    const uint16_t port = HighPort();
    for (int i = 0; i < n; ++i) {
      const int64_t start = at + i * length / n, bytes = random_.Between(least, most);
      SynthRecord& out = Add(host, host, peer, port, 443, start);
      out.flags = i == 0 ? 2 : 0;
      Size(&out, bytes / 1420, bytes);
      SynthRecord& in = Add(host, peer, host, 443, port, start);
      in.flags = i == 0 ? 18 : 0;
      Size(&in, bytes / 2840, bytes / 2840 * 52);
    }
  }

  void Exfiltration() {
    uint32_t peer = PickPeer();
    const uint32_t host = PickInside();
    while (IsS3(peer) && peer + 1 < world_.first_noise) ++peer;
    Upload(host, peer, 90, 5400, 80'000'000, 400'000'000);
  }

  void Beacon() {
    const uint32_t host = PickInside(), sink = PickPeer();
    const int64_t step = std::min<int64_t>(300, std::max<int64_t>(1, (span_ - 120) / 12));
    for (int64_t at = begin_ + 60; at < begin_ + span_ - 60; at += step) {
      const uint16_t port = HighPort();
      const int64_t start = at + random_.Between(0, 8) - 4;
      SynthRecord& out = Add(host, host, sink, port, 8443, start);
      out.flags = 3;
      Size(&out, 6, 742 + random_.Below(3));
      SynthRecord& in = Add(host, sink, host, 8443, port, start);
      in.flags = 19;
      Size(&in, 5, 1310 + random_.Below(3));
    }
  }

  void LateralMovement() {
    const uint32_t actor = PickInside();
    const auto [at, length] = Period(3600);
    std::set<uint32_t> targets;
    while (targets.size() < std::min<size_t>(150, world_.options.interfaces / 2)) targets.insert(PickInside());
    targets.erase(actor);
    for (uint32_t target : targets) {
      for (uint16_t port : std::initializer_list<uint16_t>{445, 3389, 5985}) {
        SynthRecord& r = AddWithin(target, actor, target, port, at, length);
        r.rejected = random_.Chance(0.8);
        r.flags = 2;
        Size(&r, 2, 96);
      }
    }
  }

  void HealthCheck() {
    const uint32_t balancer = PickRole(Role::kLoadBalancer);
    for (int t = 0; t < 4; ++t) {
      const uint32_t target = PickRole(Role::kWeb);
      for (int64_t at = begin_; at < begin_ + span_ - 60; at += 30) {
        SynthRecord& r = Add(target, balancer, target, HighPort(), 8080, at);
        r.flags = 3;
        Size(&r, 5, 398);
      }
    }
  }

  void Backup() {
    uint32_t store = world_.first_peer;
    while (store + 1 < world_.first_noise && !IsS3(store)) ++store;
    Upload(PickRole(Role::kDatabase), store, 120, 3600, 150'000'000, 300'000'000);
  }

  void LoadBalancer() {
    const uint32_t balancer = PickRole(Role::kLoadBalancer);
    const auto [at, length] = Period(1800);
    for (int i = 0; i < 3000; ++i) {
      const uint32_t target = PickRole(i % 2 == 0 ? Role::kWeb : Role::kApp);
      SynthRecord& r = AddWithin(target, balancer, target, world_.interfaces[target].port, at, length);
      r.flags = 3;
      DrawSize(&r, 6, 20, 900, 20'000);
    }
  }

  void Monitoring() {
    const uint32_t monitor = PickRole(Role::kMonitor);
    const auto [at, length] = Period(3600);
    for (uint32_t target = 0; target < world_.options.interfaces; ++target) {
      if (target == monitor) continue;
      for (uint16_t port : std::initializer_list<uint16_t>{9100, 22, 443}) {
        SynthRecord& r = AddWithin(target, monitor, target, port, at, length);
        r.flags = 3;
        Size(&r, 6, 512);
      }
    }
  }

  static constexpr int kTalks = 40;  // of a plant

  // One end of a conversation, and what it sends.
  struct End {
    uint32_t address;
    uint16_t port;
    int64_t packets, bytes;
  };
  struct Talk {
    End client, server;
    int64_t start, seconds;
  };
  Talk NewTalk(uint32_t client, uint32_t server, uint16_t port) {
    const auto [at, length] = Period(3600);
    const int64_t seconds =
        random_.Between(1, static_cast<uint32_t>(std::min<int64_t>(length, 8 * world_.options.window)));
    Talk talk{
        {client, HighPort(), random_.Between(4, 4000), 0}, {server, port, random_.Between(4, 9000), 0}, at, seconds};
    talk.client.bytes = talk.client.packets * random_.Between(52, 600);
    talk.server.bytes = talk.server.packets * random_.Between(52, 1400);
    return talk;
  }

  // Logs a conversation as an interface sees it: a record for each direction and window, whose cuts are the interface's
  // own. `seen` replaces addresses where the interface sees others than the packets have: {address, what is seen}.
  void LogTalk(uint32_t interface, const Talk& talk, std::pair<uint32_t, uint32_t> seen = {0, 0}) {
    const int64_t window = world_.options.window, stop = talk.start + talk.seconds;
    const int64_t cut =
        talk.start + 1 + random_.Below(static_cast<uint64_t>(window));  // the first of the window's ends
    for (const bool request : {true, false}) {
      const End &from = request ? talk.client : talk.server, &to = request ? talk.server : talk.client;
      const auto as_seen = [&](uint32_t address) {
        return seen.first != seen.second && address == seen.first ? seen.second : address;
      };
      int64_t done = 0, packets_left = from.packets, bytes_left = from.bytes;
      for (int64_t begin = talk.start; begin < stop || begin == talk.start;) {
        const int64_t end = std::min(stop, begin < cut ? cut : begin + window);
        done += end - begin;
        const bool last = end >= stop;
        const int64_t packets =
            last ? packets_left
                 : std::min(packets_left - 1, from.packets * done / talk.seconds - (from.packets - packets_left));
        const int64_t bytes = last ? bytes_left : from.bytes * done / talk.seconds - (from.bytes - bytes_left);
        SynthRecord& r = Add(interface, as_seen(from.address), as_seen(to.address), from.port, to.port, begin);
        r.pkt_src = from.address;
        r.pkt_dst = to.address;
        r.egress = r.src == interface;
        r.end = std::max(end - 1, begin);
        r.flags = static_cast<uint8_t>((begin == talk.start ? (request ? 2 : 18) : 0) | (last ? 1 : 0));
        Size(&r, std::max<int64_t>(packets, 1), bytes);
        packets_left -= packets;
        bytes_left -= bytes;
        begin = end;
        if (last) break;
      }
    }
  }
  // Notes in the label that this is one conversation.
  void CountTalk(const Talk& talk) {
    talks_.push_back(
        absl::StrCat("{\"client\": \"", world_.v4[talk.client.address], "\", \"client_port\": ", talk.client.port,
                     ", \"server\": \"", world_.v4[talk.server.address], "\", \"server_port\": ", talk.server.port,
                     ", \"client_bytes\": ", talk.client.bytes, ", \"server_bytes\": ", talk.server.bytes, "}"));
  }

  // Inside hosts talk to the internet: logged at the host, and twice at the gateway, before and after translation.
  void NatSessions() {
    const uint32_t nat = PickRole(Role::kNat);
    for (int i = 0; i < kTalks; ++i) {
      const uint32_t host = PickHost();
      const Talk talk = NewTalk(host, PickPeer(), 443);
      CountTalk(talk);
      LogTalk(host, talk);
      LogTalk(nat, talk, {talk.server.address, nat});
      Talk translated = talk;
      translated.client.address = nat;
      translated.client.port = HighPort();
      LogTalk(nat, translated);
    }
  }

  // The internet talks to a load balancer, and it to its targets: logged at the balancer, twice, and at the target.
  void BalancedSessions() {
    const uint32_t balancer = PickRole(Role::kLoadBalancer);
    for (int i = 0; i < kTalks; ++i) {
      const Talk talk = NewTalk(PickPeer(), balancer, 443);
      CountTalk(talk);
      LogTalk(balancer, talk);
      Talk inner = talk;
      inner.client.address = balancer;
      inner.client.port = HighPort();
      inner.server.address = PickRole(Role::kWeb);
      inner.server.port = 8080;
      LogTalk(balancer, inner);
      LogTalk(inner.server.address, inner);
    }
  }

  // Both ends are ours and logged.
  void TwoSidedSessions() {
    for (int i = 0; i < kTalks; ++i) {
      const uint32_t server = PickRole(i % 2 == 0 ? Role::kDatabase : Role::kApp);
      uint32_t client = PickHost();
      while (client == server) client = PickHost();
      const Talk talk = NewTalk(client, server, world_.interfaces[server].port);
      CountTalk(talk);
      LogTalk(client, talk);
      LogTalk(server, talk);
    }
  }

  // A request and its answer, in a window; of up to so many bytes.
  void AddExchange(uint32_t interface, uint32_t client, uint32_t server, uint16_t port, int64_t start,
                   std::pair<uint32_t, uint32_t> to_send, std::pair<uint32_t, uint32_t> to_receive) {
    const uint32_t received = random_.Between(to_receive.first, to_receive.second);
    const uint32_t sent = random_.Between(to_send.first, to_send.second);
    const uint16_t client_port = HighPort();
    SynthRecord& request = Add(interface, client, server, client_port, port, start);
    request.flags = 3;
    Size(&request, 4 + sent / 1400, sent);
    SynthRecord& answer = Add(interface, server, client, port, client_port, start);
    answer.flags = 19;
    Size(&answer, 4 + received / 1400, received);
  }

  void Crawler() {
    const uint32_t actor = PickPeer();
    const auto [at, length] = Period(7200);
    for (int i = 0; i < 1500; ++i) {
      const uint32_t target = PickRole(Role::kWeb);
      const int64_t start = at + random_.Below(static_cast<uint64_t>(length));
      if (random_.Chance(0.1)) {  // an old link, to a port that is closed now
        SynthRecord& r = Add(target, actor, target, HighPort(), 80, start);
        r.rejected = true;
        r.flags = 2;
        Size(&r, 3, 180);
        continue;
      }
      AddExchange(target, actor, target, 443, start, {700, 3000}, {4000, 90'000});
    }
  }

  void PeerToPeer() {
    const uint32_t host = PickHost();
    const auto [at, length] = Period(7200);
    for (int i = 0; i < 400; ++i) {
      const uint32_t peer = PickPeer();
      const auto port = static_cast<uint16_t>(random_.Between(1025, 65535));
      const int64_t start = at + random_.Below(static_cast<uint64_t>(length));
      if (random_.Chance(0.5)) {
        SynthRecord& r = Add(host, host, peer, HighPort(), port, start);
        r.flags = 2;
        Size(&r, 3, 180);
        continue;
      }
      AddExchange(host, host, peer, port, start, {2000, 400'000}, {2000, 900'000});
    }
  }

  void RemoteAdmin() {
    const uint32_t actor = PickPeer(), bastion = PickRole(Role::kBastion);
    const auto [at, length] = Period(1500);
    for (int i = 0; i < 60; ++i) {
      const int64_t start = at + random_.Below(static_cast<uint64_t>(length));
      AddExchange(bastion, actor, bastion, 22, start, {6000, 400'000}, {9000, 900'000});
    }
  }

  std::vector<std::string> talks_;  // conversations of the label that is being made
};

const std::vector<TamePlanter::Row>& TamePlanter::Rows() {
  static const std::vector<Row> rows = {
      {{"port_scan", false, "one outside host tries 2,500 ports of one interface in half an hour"},
       &TamePlanter::PortScan},
      {{"brute_force", false, "1,800 short ssh sessions from one outside host in two hours"}, &TamePlanter::BruteForce},
      {{"exfiltration", false, "an inside host uploads tens of GB to one peer in 90 minutes"},
       &TamePlanter::Exfiltration},
      {{"beacon", false, "an inside host calls one peer every 5 minutes, same size"}, &TamePlanter::Beacon},
      {{"lateral_movement", false, "an inside host tries 445, 3389 and 5985 on up to 150 neighbours"},
       &TamePlanter::LateralMovement},
      {{"health_check", true, "a load balancer probes its targets every 30 s, same size"}, &TamePlanter::HealthCheck},
      {{"backup", true, "a database host sends tens of GB to S3"}, &TamePlanter::Backup},
      {{"load_balancer", true, "a load balancer opens thousands of connections to its targets"},
       &TamePlanter::LoadBalancer},
      {{"monitoring", true, "a monitoring host tries a few ports on every neighbour, accepted"},
       &TamePlanter::Monitoring},
      {{"nat_sessions", true, "conversations through a NAT gateway, logged at the host and the gateway"},
       &TamePlanter::NatSessions},
      {{"balanced_sessions", true, "conversations through a load balancer, logged there and at targets"},
       &TamePlanter::BalancedSessions},
      {{"two_sided_sessions", true, "conversations between two logged interfaces"}, &TamePlanter::TwoSidedSessions},
      {{"crawler", true, "an outside host reads pages of all web servers, some of which are closed"},
       &TamePlanter::Crawler},
      {{"peer_to_peer", true, "an inside host calls 400 outside hosts at any ports, half are gone"},
       &TamePlanter::PeerToPeer},
      {{"remote_admin", true, "a script of an administrator outside, 60 ssh sessions to a bastion"},
       &TamePlanter::RemoteAdmin},
  };
  return rows;
}

}  // namespace

std::vector<PlantInfo> TamePlants() {
  std::vector<PlantInfo> out;
  for (const TamePlanter::Row& row : TamePlanter::Rows()) out.push_back(row.info);
  return out;
}

Planted PlantTame(const World& world, const std::vector<std::string>& names, uint64_t seed) {
  Planted out;
  TamePlanter planter(world, seed);
  for (const std::string& name : names) {
    for (const TamePlanter::Row& row : TamePlanter::Rows()) {
      if (row.info.name == name) planter.Plant(row);
    }
  }
  planter.TakeInto(&out);
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
