// What is planted, and its labels.
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/synth/world.h"
#include "vpcflow/synth/synth.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class Planter {
 public:
  Planter(const World& world, uint64_t seed)
      : world_(world),
        random_(seed),
        begin_(world.options.start),
        span_(static_cast<int64_t>(world.options.hours * 3600)) {}

  // What can be planted, in the order of "all": the one place of a plant's name, meaning and function.
  struct Row {
    PlantInfo info;
    void (Planter::*plant)();
  };
  static const std::vector<Row>& Rows();

  void Plant(const std::string& name) {
    first_ = records_.size();
    for (const Row& row : Rows()) {
      if (row.info.name != name) continue;
      (this->*row.plant)();
      Label(row.info);
    }
  }

  Planted Finish() {
    std::stable_sort(records_.begin(), records_.end(),
                     [](const SynthRecord& a, const SynthRecord& b) { return a.start < b.start; });
    return {std::move(records_), absl::StrCat("[", absl::StrJoin(labels_, ","), "\n]\n")};
  }

 private:
  uint32_t PickInside() { return random_.Below(world_.options.interfaces); }
  uint32_t PickRole(Role role) {
    const std::vector<uint32_t>& all = world_.by_role[static_cast<size_t>(role)];
    return all[random_.Below(all.size())];
  }
  uint32_t PickPeer() { return world_.first_peer + random_.Below(world_.options.peers); }
  bool IsS3(uint32_t address) const { return std::string_view(world_.service[address]) == "S3"; }
  uint32_t PickNoise() { return world_.first_noise + random_.Below(world_.options.noise_sources); }

  // A period of up to `seconds`, away from both ends of the log and at most half of it.
  std::pair<int64_t, int64_t> Period(int64_t seconds) {
    seconds = std::max<int64_t>(60, std::min(seconds, span_ / 2));
    const int64_t room = std::max<int64_t>(1, span_ * 9 / 10 - seconds - span_ / 10);
    return {begin_ + span_ / 10 + random_.Below(static_cast<uint64_t>(room)), seconds};
  }

  SynthRecord& Add(uint32_t interface, uint32_t src, uint32_t dst, uint16_t srcport, uint16_t dstport, int64_t start) {
    SynthRecord record{};
    record.interface = interface;
    record.src = record.pkt_src = src;
    record.dst = record.pkt_dst = dst;
    const uint32_t end = src == interface ? dst : src;
    record.other = end < world_.first_peer ? end : SynthRecord::kNone;
    record.srcport = srcport;
    record.dstport = dstport;
    record.egress = src == interface;
    record.path = !record.egress ? 0 : record.other != SynthRecord::kNone ? 1 : 8;
    record.start = start;
    record.end = start + random_.Between(1, static_cast<uint32_t>(std::max(2, world_.options.window - 1)));
    return records_.emplace_back(record);
  }
  void Size(SynthRecord* record, int64_t packets, int64_t bytes) {
    record->packets = packets;
    record->bytes = bytes;
  }
  // Each number is drawn by a statement of its own: compilers differ in the order of arguments.
  void DrawSize(SynthRecord* record, uint32_t least_packets, uint32_t most_packets, uint32_t least, uint32_t most) {
    record->bytes = random_.Between(least, most);
    record->packets = random_.Between(least_packets, most_packets);
  }
  // At a port of the client's and a time of the period.
  SynthRecord& AddWithin(uint32_t interface, uint32_t src, uint32_t dst, uint16_t dstport, int64_t at, int64_t length) {
    const int64_t start = at + random_.Below(static_cast<uint64_t>(length));
    const uint16_t port = HighPort();
    return Add(interface, src, dst, port, dstport, start);
  }
  uint16_t HighPort() { return static_cast<uint16_t>(random_.Between(32768, 60999)); }

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
  // An inside host that is no gateway and no load balancer.
  uint32_t PickHost() {
    while (true) {
      const uint32_t host = PickInside();
      const Role role = world_.interfaces[host].role;
      if (role != Role::kNat && role != Role::kLoadBalancer) return host;
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

  void Label(const PlantInfo& info) {
    if (first_ == records_.size()) return;
    std::set<std::string> targets, interfaces;
    std::set<int> ports;
    int64_t first = records_[first_].start, last = 0, bytes = 0;
    uint64_t rejected = 0;
    const uint32_t actor = records_[first_].src;
    for (size_t i = first_; i < records_.size(); ++i) {
      const SynthRecord& r = records_[i];
      targets.insert(world_.v4[r.src == actor ? r.dst : r.src]);
      interfaces.insert(world_.texts[static_cast<size_t>(Field::kInterfaceId)][r.interface]);
      if (r.src == actor) ports.insert(r.dstport);
      first = std::min(first, r.start);
      last = std::max(last, r.end);
      bytes += r.bytes;
      rejected += r.rejected;
    }
    const auto quoted = [](const std::set<std::string>& all) {
      return absl::StrCat("[\"", absl::StrJoin(all, "\", \""), "\"]");
    };
    std::vector<int> some(ports.begin(),
                          std::next(ports.begin(), static_cast<ptrdiff_t>(std::min<size_t>(20, ports.size()))));
    labels_.push_back(absl::StrCat(
        "\n {\"kind\": \"", std::string(info.name), "\", \"benign\": ", info.benign ? "true" : "false",
        ", \"actor\": \"", world_.v4[actor], "\", \"targets\": ", quoted(targets), ", \"interfaces\": ",
        quoted(interfaces), ", \"ports\": [", absl::StrJoin(some, ", "), "], \"distinct_ports\": ", ports.size(),
        ", \"first\": ", first, ", \"last\": ", last, ", \"records\": ", records_.size() - first_,
        ", \"accepted\": ", records_.size() - first_ - rejected, ", \"rejected\": ", rejected, ", \"bytes\": ", bytes,
        talks_.empty() ? std::string() : absl::StrCat(", \"conversations\": [", absl::StrJoin(talks_, ", "), "]"),
        ", \"note\": \"", std::string(info.meaning), "\"}"));
    talks_.clear();
  }

  const World& world_;
  Random random_;
  int64_t begin_, span_;
  size_t first_ = 0;
  std::vector<SynthRecord> records_;
  std::vector<std::string> labels_;
  std::vector<std::string> talks_;  // of the label that is being made
};

const std::vector<Planter::Row>& Planter::Rows() {
  static const std::vector<Row> rows = {
      {{"port_scan", false, "one outside host tries 2,500 ports of one interface in half an hour"}, &Planter::PortScan},
      {{"brute_force", false, "1,800 short ssh sessions from one outside host in two hours"}, &Planter::BruteForce},
      {{"exfiltration", false, "an inside host uploads tens of GB to one peer in 90 minutes"}, &Planter::Exfiltration},
      {{"beacon", false, "an inside host calls one peer every 5 minutes, same size"}, &Planter::Beacon},
      {{"lateral_movement", false, "an inside host tries 445, 3389 and 5985 on up to 150 neighbours"},
       &Planter::LateralMovement},
      {{"health_check", true, "a load balancer probes its targets every 30 s, same size"}, &Planter::HealthCheck},
      {{"backup", true, "a database host sends tens of GB to S3"}, &Planter::Backup},
      {{"load_balancer", true, "a load balancer opens thousands of connections to its targets"},
       &Planter::LoadBalancer},
      {{"monitoring", true, "a monitoring host tries a few ports on every neighbour, accepted"}, &Planter::Monitoring},
      {{"nat_sessions", true, "conversations through a NAT gateway, logged at the host and the gateway"},
       &Planter::NatSessions},
      {{"balanced_sessions", true, "conversations through a load balancer, logged there and at targets"},
       &Planter::BalancedSessions},
      {{"two_sided_sessions", true, "conversations between two logged interfaces"}, &Planter::TwoSidedSessions},
      {{"crawler", true, "an outside host reads pages of all web servers, some of which are closed"},
       &Planter::Crawler},
      {{"peer_to_peer", true, "an inside host calls 400 outside hosts at any ports, half are gone"},
       &Planter::PeerToPeer},
      {{"remote_admin", true, "a script of an administrator outside, 60 ssh sessions to a bastion"},
       &Planter::RemoteAdmin},
  };
  return rows;
}

}  // namespace

Planted Plant(const World& world, const std::vector<std::string>& names, uint64_t seed) {
  Planter planter(world, seed);
  for (const std::string& name : names) planter.Plant(name);
  return planter.Finish();
}

}  // namespace internal

std::span<const PlantInfo> Plants() {
  static const std::vector<PlantInfo> plants = [] {
    std::vector<PlantInfo> out;
    for (const internal::Planter::Row& row : internal::Planter::Rows()) out.push_back(row.info);
    return out;
  }();
  return plants;
}

VPCFLOW_NAMESPACE_END
