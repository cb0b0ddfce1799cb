#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vpcflow/reach/routes.h"
#include "vpcflow/reach/rules.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Cidr Of(const std::string& text) {
  Cidr out;
  EXPECT_TRUE(ParseCidr(text, &out)) << text;
  return out;
}
Ip At(const std::string& text) {
  Ip out;
  EXPECT_TRUE(ParseIp(text, &out)) << text;
  return out;
}
Match Tcp(uint16_t first, uint16_t last, const std::string& peers) {
  Match out;
  out.protocol = 6;
  out.first_port = first;
  out.last_port = last;
  out.peers = {Of(peers)};
  return out;
}

// The rules as AWS writes them down, one after the other: the oracle.
Permit Says(const Match& match, const Packet& packet) {
  if (match.protocol && *match.protocol != packet.protocol) return Permit::kDeny;
  if (match.protocol && (packet.protocol == 6 || packet.protocol == 17) &&
      (packet.port < match.first_port || packet.port > match.last_port))
    return Permit::kDeny;
  bool maybe = false;
  if (match.protocol && (packet.protocol == 1 || packet.protocol == 58)) {
    if (match.icmp_type) {
      if (packet.icmp_type && *packet.icmp_type != *match.icmp_type) return Permit::kDeny;
      maybe |= !packet.icmp_type;
      if (match.icmp_code && packet.icmp_type) {
        if (packet.icmp_code && *packet.icmp_code != *match.icmp_code) return Permit::kDeny;
        maybe |= !packet.icmp_code;
      }
    }
  }
  bool known = false;
  for (const Cidr& peers : match.peers) {
    if (peers.first.is_v4() != packet.peer.is_v4()) continue;
    known |= !(packet.peer < peers.first) && !(peers.last < packet.peer);
  }
  if (!known && !match.peers_unknown) return Permit::kDeny;
  return !known || maybe ? Permit::kMaybe : Permit::kAllow;
}

void ExpectAsTheOracle(const SecurityRules& rules, const Packet& packet) {
  std::vector<uint32_t> allow, maybe;
  for (uint32_t i = 0; i < rules.rules().size(); ++i) {
    const Permit says = Says(rules.rules()[i].match, packet);
    if (says == Permit::kAllow) allow.push_back(i);
    if (says == Permit::kMaybe) maybe.push_back(i);
    ASSERT_EQ(MissedBy(rules.rules()[i].match, packet).any(), says == Permit::kDeny);
  }
  SecurityRules::Answer answer;
  rules.Ask(packet, &answer);
  ASSERT_EQ(answer.allow, allow);
  ASSERT_EQ(answer.maybe, maybe);
  ASSERT_EQ(answer.permit, !allow.empty() ? Permit::kAllow : !maybe.empty() ? Permit::kMaybe : Permit::kDeny);
}

// All worlds in which what is not known is one way or the other.
Permit FirstThatMatches(const std::vector<AclEntry>& by_number, const Packet& packet) {
  bool allow = false, deny = false;
  for (const AclEntry& entry : by_number) {
    const Permit says = Says(entry.match, packet);
    if (says == Permit::kDeny) continue;
    (entry.allow ? allow : deny) = true;
    if (says == Permit::kAllow) return allow && deny ? Permit::kMaybe : allow ? Permit::kAllow : Permit::kDeny;
  }
  return allow ? Permit::kMaybe : Permit::kDeny;
}

class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {}
  uint32_t Below(uint32_t n) { return std::uniform_int_distribution<uint32_t>(0, n - 1)(random_); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }
  // Few values, so that rules and packets meet.
  uint8_t Protocol() { return std::vector<uint8_t>{6, 6, 6, 17, 1, 58, 47, 50}[Below(8)]; }
  uint16_t Port() {
    return OneIn(5) ? static_cast<uint16_t>(Below(0x10000))
                    : std::vector<uint16_t>{0, 22, 80, 443, 1023, 0xFFFF}[Below(6)];
  }
  std::optional<uint8_t> Icmp() { return OneIn(2) ? std::nullopt : std::optional(static_cast<uint8_t>(Below(3))); }
  Ip Address() {
    if (OneIn(4)) return At(absl::StrCat("2001:db8::", Below(4)));
    return Ip::V4((OneIn(2) ? 0x0A000000u : 0xFFFFFFF8u) + Below(8));
  }
  Cidr Prefix() {
    if (OneIn(8)) return Of(OneIn(2) ? "0.0.0.0/0" : "::/0");
    const Ip ip = Address();
    const auto bits = static_cast<uint32_t>(1u << Below(4)) - 1;
    return {{ip.hi, ip.lo & ~uint64_t{bits}}, {ip.hi, ip.lo | bits}};
  }
  Match Rule() {
    Match out;
    if (!OneIn(5)) out.protocol = Protocol();
    out.first_port = Port();
    out.last_port = std::max(out.first_port, Port());
    out.icmp_type = Icmp();
    out.icmp_code = Icmp();
    for (uint32_t n = Below(4); n > 0; --n) out.peers.push_back(Prefix());
    out.peers_unknown = OneIn(9);
    return out;
  }
  Packet Any() { return {Address(), Protocol(), Port(), Icmp(), Icmp()}; }

 private:
  std::mt19937 random_;
};

// Each asks 100 questions: VPCFLOW_REACH_SEEDS, 200 without.
uint32_t Seeds() {
  const char* asked = std::getenv("VPCFLOW_REACH_SEEDS");
  return asked == nullptr ? 200 : static_cast<uint32_t>(std::strtoul(asked, nullptr, 10));
}

TEST(Reach, RulesAgreeWithTheOracle) {
  for (uint32_t seed = 0; seed < Seeds(); ++seed) {
    Chance chance(seed);
    std::vector<SecurityRule> rules(chance.Below(12));
    for (SecurityRule& rule : rules) rule.match = chance.Rule();
    const SecurityRules table(rules);
    for (int i = 0; i < 100; ++i) {
      ExpectAsTheOracle(table, chance.Any());
      if (HasFatalFailure()) FAIL() << "seed " << seed;
    }
  }
}

TEST(Reach, AclsAgreeWithTheOracle) {
  for (uint32_t seed = 0; seed < Seeds(); ++seed) {
    Chance chance(seed);
    std::vector<AclEntry> entries(chance.Below(10));
    for (AclEntry& entry : entries) entry = {"", chance.Below(1000), chance.OneIn(2), chance.Rule()};
    const NetworkAcl acl(entries);
    NetworkAcl::Answer answer;
    for (int i = 0; i < 100; ++i) {
      const Packet packet = chance.Any();
      acl.Ask(packet, &answer);
      ASSERT_EQ(answer.permit, FirstThatMatches(acl.entries(), packet)) << seed;
      for (const uint32_t entry : answer.entries) ASSERT_NE(Says(acl.entries()[entry].match, packet), Permit::kDeny);
      ASSERT_EQ(answer.decided,
                !answer.entries.empty() && Says(acl.entries()[answer.entries.back()].match, packet) == Permit::kAllow);
    }
  }
}

TEST(Reach, PortsAreInclusiveAndOfTcpAndUdpAlone) {
  const SecurityRules rules({{"sgr-1", Tcp(45, 50, "10.0.0.0/8")}});
  const auto permit = [&](uint8_t protocol, uint16_t port) {
    SecurityRules::Answer answer;
    rules.Ask({At("10.1.2.3"), protocol, port}, &answer);
    return answer.permit;
  };
  EXPECT_EQ(permit(6, 44), Permit::kDeny);
  EXPECT_EQ(permit(6, 45), Permit::kAllow);
  EXPECT_EQ(permit(6, 50), Permit::kAllow);
  EXPECT_EQ(permit(6, 51), Permit::kDeny);
  EXPECT_EQ(permit(17, 45), Permit::kDeny);
}

TEST(Reach, FamiliesAreApart) {
  Match all;
  all.peers = {Of("0.0.0.0/0")};
  Match all6;
  all6.peers = {Of("::/0")};
  const SecurityRules rules({{"v4", all}, {"v6", all6}});
  SecurityRules::Answer answer;
  rules.Ask({At("8.8.8.8"), 6, 1}, &answer);
  EXPECT_THAT(answer.allow, ElementsAre(0));
  rules.Ask({At("::1"), 6, 1}, &answer);
  EXPECT_THAT(answer.allow, ElementsAre(1));
  rules.Ask({At("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 6, 1}, &answer);
  EXPECT_THAT(answer.allow, ElementsAre(1));
}

TEST(Reach, AllRulesThatAllowAreNamed) {
  const SecurityRules rules(
      {{"a", Tcp(0, 0xFFFF, "0.0.0.0/0")}, {"b", Tcp(443, 443, "10.0.0.0/8")}, {"c", Tcp(22, 22, "0.0.0.0/0")}});
  SecurityRules::Answer answer;
  rules.Ask({At("10.1.1.1"), 6, 443}, &answer);
  EXPECT_THAT(answer.allow, ElementsAre(0, 1));
  const Missed missed = MissedBy(rules.rules()[2].match, {At("10.1.1.1"), 6, 443});
  EXPECT_TRUE(missed.port);
  EXPECT_FALSE(missed.peer || missed.protocol || missed.icmp);
}

TEST(Reach, RulesForATypeOfIcmpMatchMaybe) {
  Match ping;
  ping.protocol = 1;
  ping.icmp_type = 8;
  ping.peers = {Of("0.0.0.0/0")};
  const SecurityRules rules({{"ping", ping}});
  SecurityRules::Answer answer;
  rules.Ask({At("10.1.1.1"), 1}, &answer);
  EXPECT_EQ(answer.permit, Permit::kMaybe);
  EXPECT_THAT(answer.maybe, ElementsAre(0));
  rules.Ask({At("10.1.1.1"), 1, 0, 0}, &answer);
  EXPECT_EQ(answer.permit, Permit::kDeny);
  rules.Ask({At("10.1.1.1"), 1, 0, 8}, &answer);
  EXPECT_EQ(answer.permit, Permit::kAllow);
}

TEST(Reach, TheFirstEntryByNumberDecides) {
  const NetworkAcl acl(
      {{"acl-1#200", 200, true, Tcp(0, 0xFFFF, "0.0.0.0/0")}, {"acl-1#100", 100, false, Tcp(22, 22, "0.0.0.0/0")}});
  NetworkAcl::Answer answer;
  acl.Ask({At("10.1.1.1"), 6, 22}, &answer);
  EXPECT_EQ(answer.permit, Permit::kDeny);
  EXPECT_TRUE(answer.decided);
  ASSERT_THAT(answer.entries, ElementsAre(0));
  EXPECT_EQ(acl.entries()[0].id, "acl-1#100");
  acl.Ask({At("10.1.1.1"), 17, 22}, &answer);
  EXPECT_EQ(answer.permit, Permit::kDeny);
  EXPECT_FALSE(answer.decided);
  EXPECT_THAT(answer.entries, IsEmpty());
}

TEST(Reach, RoutesGoByTheLongestPrefixThenStatic) {
  const RouteTable table({{"rtb-1", "tgw-1", {Of("10.0.0.0/8")}, false, true},
                          {"rtb-1", "pcx-1", {Of("10.0.0.0/8")}},
                          {"rtb-1", "local", {Of("10.0.0.0/16")}},
                          {"rtb-1", "igw-1", {Of("0.0.0.0/0")}},
                          {"rtb-1", "eigw-1", {Of("::/0")}}});
  EXPECT_EQ(table.Ask(At("10.0.3.4")).route->target, "local");
  EXPECT_EQ(table.Ask(At("10.9.3.4")).route->target, "pcx-1");
  EXPECT_EQ(table.Ask(At("8.8.8.8")).route->target, "igw-1");
  EXPECT_EQ(table.Ask(At("2001:db8::1")).route->target, "eigw-1");
  EXPECT_EQ(RouteTable().Ask(At("8.8.8.8")).route, nullptr);
}

}  // namespace
}  // namespace vpcflow
