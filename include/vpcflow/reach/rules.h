// SecurityRules and NetworkAcl: what the rules of an interface and of its subnet say of a packet, and which of them do.
//
// Both judge one direction. SecurityRules are stateful: they are asked only about the packet that begins a session, at
// the client with what goes out, at the server with what comes in; replies need no rule. A NetworkAcl is stateless: it is
// asked about requests and replies alike, and only where they cross the border of the subnet.
//
// Example:
//   std::vector<vpcflow::SecurityRule> rules(1);
//   rules[0].id = "sgr-1";
//   rules[0].match.protocol = 6;
//   rules[0].match.first_port = rules[0].match.last_port = 443;
//   rules[0].match.peers.push_back({vpcflow::Ip::V4(0), vpcflow::Ip::V4(0xFFFFFFFF)});
//   const vpcflow::SecurityRules ingress(rules);
//   vpcflow::SecurityRules::Answer answer;
//   ingress.Ask({.peer = vpcflow::Ip::V4(0x08080808), .protocol = 6, .port = 443}, &answer);
//   if (answer.permit == vpcflow::Permit::kAllow) Use(ingress.rules()[answer.allow[0]].id);
#ifndef VPCFLOW_REACH_RULES_H_
#define VPCFLOW_REACH_RULES_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vpcflow/reach/match.h"
#include "vpcflow/reach/match_table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

namespace internal {
template <class Rule>
MatchTable TableOf(const std::vector<Rule>& rules) {
  std::vector<Match> matches;
  for (const Rule& rule : rules) matches.push_back(rule.match);
  return MatchTable(matches);
}
}  // namespace internal

// A row of describe-security-group-rules: one source or destination.
struct SecurityRule {
  std::string id{};  // "sgr-...", or of its group where rules have none
  Match match{};
};

// The rules of all groups of an interface, of one direction: what any of them allows is allowed. Any number of threads
// may ask at once.
class SecurityRules {
 public:
  struct Answer {
    Permit permit = Permit::kDeny;
    std::vector<uint32_t> allow{};  // numbers of the rules that allow it, ascending: all of them
    std::vector<uint32_t> maybe{};  // of those that would, if what is not known is so
  };

  SecurityRules() = default;
  explicit SecurityRules(std::vector<SecurityRule> rules)
      : rules_(std::move(rules)), table_(internal::TableOf(rules_)) {}

  const std::vector<SecurityRule>& rules() const& { return rules_; }
  const std::vector<SecurityRule>& rules() const&& = delete;

  // Judges a packet that begins a session. O(log rules + log peers + rules that match); `out` keeps its memory.
  void Ask(const Packet& packet, Answer* out) const {
    out->allow.clear();
    out->maybe.clear();
    for (const MatchTable::Hit hit : table_.Find(packet)) {
      const Permit icmp = MatchesIcmp(rules_[hit.rule].match, packet);
      if (icmp == Permit::kDeny) continue;
      (hit.unknown_peer || icmp == Permit::kMaybe ? out->maybe : out->allow).push_back(hit.rule);
    }
    out->permit = !out->allow.empty() ? Permit::kAllow : !out->maybe.empty() ? Permit::kMaybe : Permit::kDeny;
  }

 private:
  std::vector<SecurityRule> rules_;
  MatchTable table_;
};

struct AclEntry {
  std::string id{};  // "acl-...#100"
  uint32_t number = 0;
  bool allow = false;
  Match match{};  // `peers` is the remote side in both directions, ports are destination ports
};

// The entries of a network ACL of one direction: the first that matches, by number, decides; without one it is denied.
// Any number of threads may ask at once.
class NetworkAcl {
 public:
  struct Answer {
    Permit permit = Permit::kDeny;
    // Numbers of the entries that may decide, in their order, the last of them for certain if `decided`; else none may
    // match, and what AWS shows as "*" denies.
    std::vector<uint32_t> entries{};
    bool decided = false;
  };

  NetworkAcl() = default;
  explicit NetworkAcl(std::vector<AclEntry> entries) : entries_(std::move(entries)) {
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const AclEntry& a, const AclEntry& b) { return a.number < b.number; });
    table_ = internal::TableOf(entries_);
  }

  // The entries by number.
  const std::vector<AclEntry>& entries() const& { return entries_; }
  const std::vector<AclEntry>& entries() const&& = delete;

  // Judges a packet that crosses the border of the subnet. O(log entries + log peers + entries that match).
  void Ask(const Packet& packet, Answer* out) const {
    out->entries.clear();
    out->decided = false;
    bool may_allow = false, may_deny = false;
    for (const MatchTable::Hit hit : table_.Find(packet)) {
      const AclEntry& entry = entries_[hit.rule];
      const Permit icmp = MatchesIcmp(entry.match, packet);
      if (icmp == Permit::kDeny) continue;
      out->entries.push_back(hit.rule);
      (entry.allow ? may_allow : may_deny) = true;
      out->decided = !hit.unknown_peer && icmp == Permit::kAllow;
      if (out->decided) break;
    }
    may_deny |= !out->decided;
    out->permit = may_allow && may_deny ? Permit::kMaybe : may_allow ? Permit::kAllow : Permit::kDeny;
  }

 private:
  std::vector<AclEntry> entries_;
  MatchTable table_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_REACH_RULES_H_
