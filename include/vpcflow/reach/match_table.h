// MatchTable: of many rules those that may be about a packet, in their order, by two binary searches.
//
// Example:
//   std::vector<vpcflow::Match> rules(1);
//   rules[0].peers_unknown = true;
//   const vpcflow::MatchTable table(rules);
//   for (const vpcflow::MatchTable::Hit hit : table.Find({.protocol = 6, .port = 443}))
//     if (!hit.unknown_peer) Use(hit.rule);
#ifndef VPCFLOW_REACH_MATCH_TABLE_H_
#define VPCFLOW_REACH_MATCH_TABLE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/reach/match.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Ports are cut where a rule begins or ends, and so are the addresses of each such piece: within a piece all packets have
// the same rules. Memory: O(pieces of ports x peers of their rules), each set of rules once. Any number of threads may
// ask one at once.
class MatchTable {
 public:
  // A rule whose protocol, port and peer fit. ICMP's type and code are left to MatchesIcmp.
  struct Hit {
    uint32_t rule;      // the number of the rule
    bool unknown_peer;  // it has peers that nobody knows, and this one is not among those known
    friend bool operator==(const Hit&, const Hit&) = default;
  };

  MatchTable() : MatchTable(std::span<const Match>()) {}
  explicit MatchTable(std::span<const Match> rules) {
    std::map<std::vector<uint32_t>, uint32_t> made;  // by rules their addresses
    by_protocol_.fill(MakePorts(rules, -1, &made));
    for (int protocol = 0; protocol < 256; ++protocol) {
      const bool named =
          std::any_of(rules.begin(), rules.end(), [&](const Match& r) { return r.protocol == protocol; });
      if (named) by_protocol_[static_cast<size_t>(protocol)] = MakePorts(rules, protocol, &made);
    }
  }

  // Returns the rules that may be about a packet, ascending. Valid as long as the table. O(log rules + log peers).
  std::span<const Hit> Find(const Packet& packet) const {
    const Ports& ports = ports_[by_protocol_[packet.protocol]];
    const uint16_t port = HasPorts(packet.protocol) ? packet.port : 0;
    const Addresses& addresses = addresses_[ports.addresses[LastAtMost(ports.first, port)]];
    const uint32_t hits = addresses.hits[LastAtMost(addresses.first, packet.peer)];
    return std::span(hits_).subspan(begin_[hits], begin_[hits + 1] - begin_[hits]);
  }

 private:
  // Pieces by where they begin, ascending; the first begins at the lowest.
  struct Ports {
    std::vector<uint16_t> first;
    std::vector<uint32_t> addresses;  // of addresses_
  };
  struct Addresses {
    std::vector<Ip> first;
    std::vector<uint32_t> hits;  // of begin_
  };

  static constexpr Ip kFirstV4 = Ip::V4(0), kLastV4 = Ip::V4(0xFFFFFFFF);
  // The next address; behind the last of all the first.
  static Ip Next(Ip ip) {
    if (++ip.lo == 0) ++ip.hi;
    return ip;
  }
  template <class T>
  static size_t LastAtMost(const std::vector<T>& ascending, const T& value) {
    return static_cast<size_t>(std::upper_bound(ascending.begin(), ascending.end(), value) - ascending.begin()) - 1;
  }

  // The pieces of ports of a protocol, or of those that no rule names (-1).
  uint32_t MakePorts(std::span<const Match> rules, int protocol, std::map<std::vector<uint32_t>, uint32_t>* made) {
    const bool has_ports = protocol >= 0 && HasPorts(static_cast<uint8_t>(protocol));
    const auto names = [&](const Match& rule) { return rule.protocol && *rule.protocol == protocol; };
    std::vector<uint16_t> first{0};
    for (const Match& rule : rules) {
      if (!has_ports || !names(rule)) continue;
      first.push_back(rule.first_port);
      if (rule.last_port < 0xFFFF) first.push_back(static_cast<uint16_t>(rule.last_port + 1));
    }
    std::sort(first.begin(), first.end());
    first.erase(std::unique(first.begin(), first.end()), first.end());
    Ports out;
    for (const uint16_t port : first) {
      std::vector<uint32_t> own;
      for (uint32_t i = 0; i < rules.size(); ++i) {
        const bool fits = !has_ports || (rules[i].first_port <= port && port <= rules[i].last_port);
        if (!rules[i].protocol || (names(rules[i]) && fits)) own.push_back(i);
      }
      const auto [at, added] = made->try_emplace(std::move(own), static_cast<uint32_t>(addresses_.size()));
      if (added) MakeAddresses(rules, at->first);
      if (!out.addresses.empty() && out.addresses.back() == at->second) continue;
      out.first.push_back(port);
      out.addresses.push_back(at->second);
    }
    ports_.push_back(std::move(out));
    return static_cast<uint32_t>(ports_.size() - 1);
  }

  // The pieces of addresses of some rules, swept from the lowest to the highest.
  void MakeAddresses(std::span<const Match> rules, const std::vector<uint32_t>& own) {
    struct Border {
      Ip at;
      uint32_t rule;  // its place in `own`
      bool begins;
    };
    std::vector<Border> borders;
    for (uint32_t i = 0; i < own.size(); ++i) {
      const auto add = [&](const Ip& first, const Ip& last) {
        if (last < first) return;
        borders.push_back({first, i, true});
        if (const Ip behind = Next(last); behind != Ip{}) borders.push_back({behind, i, false});
      };
      for (const Cidr& peers : rules[own[i]].peers) {
        if (peers.first < kFirstV4 && kLastV4 < peers.last) {  // of IPv6: without what stands for IPv4
          add(peers.first, Ip{0, kFirstV4.lo - 1});
          add(Next(kLastV4), peers.last);
        } else {
          add(peers.first, peers.last);
        }
      }
    }
    std::sort(borders.begin(), borders.end(), [](const Border& a, const Border& b) { return a.at < b.at; });
    std::vector<uint32_t> open(own.size(), 0);
    Addresses out;
    const auto add = [&](const Ip& at) {
      std::vector<Hit> hits;
      for (size_t i = 0; i < own.size(); ++i) {
        if (open[i] > 0 || rules[own[i]].peers_unknown) hits.push_back({own[i], open[i] == 0});
      }
      if (!out.hits.empty() && std::ranges::equal(HitsOf(out.hits.back()), hits)) return;
      out.first.push_back(at);
      out.hits.push_back(static_cast<uint32_t>(begin_.size() - 1));
      hits_.insert(hits_.end(), hits.begin(), hits.end());
      begin_.push_back(hits_.size());
    };
    size_t next = 0;
    for (Ip at{};; at = borders[next].at) {
      for (; next < borders.size() && borders[next].at == at; ++next)
        borders[next].begins ? ++open[borders[next].rule] : --open[borders[next].rule];
      add(at);
      if (next == borders.size()) break;
    }
    addresses_.push_back(std::move(out));
  }
  std::span<const Hit> HitsOf(uint32_t hits) const {
    return std::span(hits_).subspan(begin_[hits], begin_[hits + 1] - begin_[hits]);
  }

  std::array<uint32_t, 256> by_protocol_{};  // of ports_
  std::vector<Ports> ports_;
  std::vector<Addresses> addresses_;
  std::vector<Hit> hits_;
  std::vector<size_t> begin_{0};  // of each list of hits_, and the end
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_REACH_MATCH_TABLE_H_
