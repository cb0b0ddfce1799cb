#include "vpcflow/cost/path_class.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/keys/codes.h"
#include "vpcflow/enrich/labels.h"
#include "vpcflow/reach/routes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr std::array kPathFields = {Field::kStart,
                                    Field::kInterfaceId,
                                    Field::kAction,
                                    Field::kSrcAddr,
                                    Field::kDstAddr,
                                    Field::kPktSrcAddr,
                                    Field::kPktDstAddr,
                                    Field::kFlowDirection,
                                    Field::kTrafficPath,
                                    Field::kRegion,
                                    Field::kAzId,
                                    Field::kVpcId,
                                    Field::kSubnetId,
                                    Field::kPktSrcAwsService,
                                    Field::kPktDstAwsService,
                                    Field::kInterfaceType,
                                    Field::kResourceId,
                                    Field::kNextHopInterfaceId,
                                    Field::kNextHopAzId,
                                    Field::kNextHopInterfaceType};
enum : size_t {
  kStart,
  kInterface,
  kAction,
  kSrc,
  kDst,
  kPktSrc,
  kPktDst,
  kDirection,
  kPath,
  kRegion,
  kZone,
  kVpc,
  kSubnet,
  kSrcService,
  kDstService,
  kType,
  kResource,
  kHop,
  kHopZone,
  kHopType
};

// What kind of interface a record or a hop is of, as far as prices depend on it.
enum class Hop : uint8_t { kNone, kPlain, kNat, kRegionalNat, kTgw, kEndpoint, kAppliance };

Hop HopOf(std::string_view type) {
  struct Spelling {
    std::string_view text;
    Hop hop;
  };
  static constexpr Spelling kSpellings[] = {{"nat_gateway", Hop::kNat},
                                            {"natGateway", Hop::kNat},
                                            {"regional_nat_gateway", Hop::kRegionalNat},
                                            {"regionalNatGateway", Hop::kRegionalNat},
                                            {"transit_gateway", Hop::kTgw},
                                            {"transitGateway", Hop::kTgw},
                                            {"vpc_endpoint", Hop::kEndpoint},
                                            {"vpcEndpoint", Hop::kEndpoint},
                                            {"gateway_load_balancer_endpoint", Hop::kAppliance},
                                            {"gatewayLoadBalancerEndpoint", Hop::kAppliance},
                                            {"gateway_load_balancer", Hop::kAppliance},
                                            {"gatewayLoadBalancer", Hop::kAppliance}};
  if (type.empty()) return Hop::kNone;
  for (const Spelling& one : kSpellings) {
    if (one.text == type) return one.hop;
  }
  return Hop::kPlain;
}
bool IsNat(Hop hop) { return hop == Hop::kNat || hop == Hop::kRegionalNat; }

// Texts by numbers from 1; 0 is none.
class Texts {
 public:
  uint32_t Number(std::string_view text) {
    if (text.empty()) return 0;
    const auto at = numbers_.find(text);
    if (at != numbers_.end()) return at->second;
    texts_.emplace_back(text);
    return numbers_[texts_.back()] = static_cast<uint32_t>(texts_.size());
  }
  // 0 for a text that was never numbered.
  uint32_t Known(std::string_view text) const {
    const auto at = numbers_.find(text);
    return at == numbers_.end() ? 0 : at->second;
  }
  std::string_view text(uint32_t number) const { return number == 0 ? std::string_view() : texts_[number - 1]; }

 private:
  std::deque<std::string> texts_{};
  std::unordered_map<std::string_view, uint32_t, internal::TextHash> numbers_{};
};

bool IsIn(const std::vector<Cidr>& prefixes, const Ip& address) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Cidr& one) { return Holds(one, address); });
}

// Whether an address can be on the internet.
bool IsGlobal(const Ip& ip) {
  if (!ip.is_v4()) return (ip.hi >> 61) == 1;  // 2000::/3
  const uint32_t a = ip.v4();
  const auto in = [&](uint32_t first, int bits) { return (a >> (32 - bits)) == (first >> (32 - bits)); };
  return !(in(0x0A000000, 8) || in(0xAC100000, 12) || in(0xC0A80000, 16) || in(0x64400000, 10) || in(0x7F000000, 8) ||
           in(0xA9FE0000, 16) || in(0xE0000000, 3) || in(0, 8));
}

struct OneInterface {
  PathInterface given{};
  Hop hop = Hop::kNone;
  uint32_t owner = 0, region = 0;
  int subnet = -1;
};
struct OneSubnet {
  PathSubnet given{};
  RouteTable routes{};
  uint32_t region = 0;
};

// A network with its ways to look things up.
class Epoch {
 public:
  Epoch(PathNetwork network, Texts* owners, Texts* regions) : from_(network.from), vpcs_(std::move(network.vpcs)) {
    for (const PathVpc& vpc : vpcs_) {
      regions->Number(vpc.region);
      vpc_by_id_[vpc.id] = &vpc;
    }
    for (PathSubnet& subnet : network.subnets) {
      std::vector<Route> routes;
      for (const PathRoute& route : subnet.routes) {
        regions->Number(route.region);
        routes.push_back({.destinations = route.destinations,
                          .destinations_unknown = route.unknown,
                          .propagated = route.propagated});
      }
      const uint32_t region = regions->Number(subnet.region);
      subnets_.push_back({std::move(subnet), RouteTable(std::move(routes)), region});
    }
    for (size_t i = 0; i < subnets_.size(); ++i) {
      subnet_by_id_[subnets_[i].given.id] = static_cast<int>(i);
      subnets_of_[subnets_[i].given.vpc].push_back(static_cast<int>(i));
    }
    for (PathInterface& one : network.interfaces) {
      OneInterface made;
      made.owner = owners->Number(one.owner);
      made.region = regions->Number(one.region);
      made.hop = one.kind.empty() ? Hop::kPlain : HopOf(one.kind);
      const auto subnet = subnet_by_id_.find(one.subnet);
      made.subnet = subnet == subnet_by_id_.end() ? -1 : subnet->second;
      made.given = std::move(one);
      interfaces_.push_back(std::move(made));
    }
    for (const OneInterface& one : interfaces_) {
      by_id_[one.given.id] = &one;
      for (const Cidr& prefix : one.given.addresses) {
        if (prefix.first == prefix.last) {
          by_address_[prefix.first].push_back(&one);
        } else {
          delegated_.emplace_back(prefix, &one);
        }
      }
      for (const Ip& address : one.given.public_addresses) by_public_[address] = &one;
    }
  }
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  int64_t from() const { return from_; }
  const OneInterface* Interface(std::string_view id) const {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second;
  }
  // The interface with a private address: of a VPC, else the only one of all.
  const OneInterface* At(std::string_view vpc, const Ip& address) const {
    const OneInterface* other = nullptr;
    size_t others = 0;
    const auto look = [&](const OneInterface* one) {
      if (!vpc.empty() && one->given.vpc == vpc) return true;
      other = one;
      ++others;
      return false;
    };
    if (const auto at = by_address_.find(address); at != by_address_.end()) {
      for (const OneInterface* one : at->second) {
        if (look(one)) return one;
      }
    }
    for (const auto& [prefix, one] : delegated_) {
      if (Holds(prefix, address) && look(one)) return one;
    }
    return others == 1 ? other : nullptr;
  }
  const OneInterface* Public(const Ip& address) const {
    const auto at = by_public_.find(address);
    return at == by_public_.end() ? nullptr : at->second;
  }
  const OneSubnet* Subnet(std::string_view id) const {
    const auto at = subnet_by_id_.find(id);
    return at == subnet_by_id_.end() ? nullptr : &subnets_[static_cast<size_t>(at->second)];
  }
  const OneSubnet* SubnetAt(std::string_view vpc, const Ip& address) const {
    const auto at = subnets_of_.find(vpc);
    if (at == subnets_of_.end()) return nullptr;
    for (const int i : at->second) {
      if (IsIn(subnets_[static_cast<size_t>(i)].given.prefixes, address)) return &subnets_[static_cast<size_t>(i)];
    }
    return nullptr;
  }
  bool IsInVpc(std::string_view vpc, const Ip& address) const {
    const auto at = vpc_by_id_.find(vpc);
    return (at != vpc_by_id_.end() && IsIn(at->second->prefixes, address)) || SubnetAt(vpc, address) != nullptr;
  }
  const PathVpc* Vpc(std::string_view id) const {
    const auto at = vpc_by_id_.find(id);
    return at == vpc_by_id_.end() ? nullptr : at->second;
  }
  // Another VPC that has an address; null if none or several do.
  const PathVpc* OtherVpc(std::string_view vpc, const Ip& address) const {
    const PathVpc* found = nullptr;
    for (const PathVpc& one : vpcs_) {
      if (one.id == vpc || !IsIn(one.prefixes, address)) continue;
      if (found != nullptr) return nullptr;
      found = &one;
    }
    return found;
  }

 private:
  const int64_t from_;
  const std::vector<PathVpc> vpcs_;
  std::vector<OneSubnet> subnets_{};
  std::vector<OneInterface> interfaces_{};
  std::unordered_map<std::string_view, const PathVpc*, internal::TextHash> vpc_by_id_{};
  std::unordered_map<std::string_view, int, internal::TextHash> subnet_by_id_{};
  std::unordered_map<std::string_view, std::vector<int>, internal::TextHash> subnets_of_{};
  std::unordered_map<std::string_view, const OneInterface*, internal::TextHash> by_id_{};
  std::unordered_map<Ip, std::vector<const OneInterface*>, internal::IpHash> by_address_{};
  std::unordered_map<Ip, const OneInterface*, internal::IpHash> by_public_{};
  std::vector<std::pair<Cidr, const OneInterface*>> delegated_{};
};

// A zone as a log has it, and as the files do.
struct Zone {
  std::string_view logged{}, known{};
};

// A record, and what its interface is.
struct Row {
  std::optional<Ip> src, dst, pkt_src, pkt_dst;
  std::string_view interface, action, direction, region, zone, vpc, subnet, src_service, dst_service, type, resource;
  std::string_view hop, hop_zone, hop_type;
  int64_t start = 0;
  int64_t path = -1;       // traffic-path
  bool hops_told = false;  // the log has fields of hops: null means that there is none
};

}  // namespace

std::string_view PathClassName(PathClass path) {
  static constexpr std::string_view kNames[] = {
#define VPCFLOW_X(id, name, meaning) name,
      VPCFLOW_PATH_CLASSES(VPCFLOW_X)
#undef VPCFLOW_X
  };
  return kNames[static_cast<size_t>(path)];
}

std::string_view PathReasonText(PathReason reason) {
  static constexpr std::string_view kTexts[] = {
#define VPCFLOW_X(id, text) text,
      VPCFLOW_PATH_REASONS(VPCFLOW_X)
#undef VPCFLOW_X
  };
  return kTexts[static_cast<size_t>(reason)];
}

struct PathClassifier::Impl {
  Texts owners{}, regions{};
  std::deque<Epoch> epochs{};
  Labels ranges{};  // "SERVICE REGION"

  const Epoch& At(int64_t time) const {
    size_t at = epochs.size() - 1;
    while (at > 0 && epochs[at].from() > time) --at;
    return epochs[at];
  }
};

namespace {

// One record's way. Its parts ask each other, and each returns the answer.
class Way {
 public:
  Way(const Epoch& epoch, const Texts& regions, const Labels& ranges, const Row& row)
      : epoch_(epoch), regions_(regions), ranges_(ranges), row_(row) {}

  PathAnswer Find() {
    self_ = epoch_.Interface(row_.interface);
    if (self_ == nullptr && !row_.resource.empty()) self_ = epoch_.Interface(row_.resource);
    if (self_ == nullptr && row_.interface.empty()) self_ = RegionalNat();
    const Hop kind = row_.type.empty() ? self_ != nullptr ? self_->hop : Hop::kPlain : HopOf(row_.type);
    vpc_ = !row_.vpc.empty() || self_ == nullptr ? row_.vpc : std::string_view(self_->given.vpc);
    const std::string_view subnet_id = !row_.subnet.empty() || self_ == nullptr ? row_.subnet : self_->given.subnet;
    subnet_ = epoch_.Subnet(subnet_id);
    zone_.logged = row_.zone;
    if (self_ != nullptr) zone_.known = self_->given.zone;
    if (zone_.known.empty() && subnet_ != nullptr) zone_.known = subnet_->given.zone;
    if (!row_.region.empty()) {
      region_ = row_.region;
    } else if (self_ != nullptr && !self_->given.region.empty()) {
      region_ = self_->given.region;
    } else if (const PathVpc* vpc = epoch_.Vpc(vpc_); vpc != nullptr) {
      region_ = vpc->region;
    }
    answer_.region = regions_.Known(region_);
    answer_.owner = self_ == nullptr ? 0 : self_->owner;
    if (row_.action == "REJECT") return As(PathClass::kRejected);
    if (!FindDirection(kind)) return Unpriced(PathReason::kNoInterface);
    if (IsNat(kind)) return OfNat();
    if (kind == Hop::kTgw) return OfTgwInterface();
    if (kind == Hop::kEndpoint) return OfEndpointInterface();
    if (kind == Hop::kAppliance) return Unpriced(PathReason::kAppliance);
    return egress_ ? Out() : In();
  }

 private:
  PathAnswer As(PathClass path, uint8_t sides = 0) {
    answer_.path = path;
    answer_.sides = sides;
    return answer_;
  }
  PathAnswer Unpriced(PathReason reason) {
    answer_.reason = reason;
    return As(PathClass::kUnpriced);
  }
  PathAnswer Elsewhere() {
    answer_.elsewhere = true;
    return answer_;
  }
  PathAnswer OfOther(PathAnswer answer, const OneInterface* other) {
    answer.owner_is_local = false;
    answer.owner = other == nullptr ? 0 : other->owner;
    return answer;
  }

  // The regional NAT gateway that a record without an interface is of, by its public address.
  const OneInterface* RegionalNat() const {
    for (const std::optional<Ip>& end : {row_.src, row_.dst}) {
      const OneInterface* one = end ? epoch_.Public(*end) : nullptr;
      if (one != nullptr && one->hop == Hop::kRegionalNat) return one;
    }
    return nullptr;
  }

  // Which end is here. Without flow-direction it is that whose address the interface has, or which lies in its subnet.
  bool FindDirection(Hop kind) {
    if (!row_.src || !row_.dst) return false;
    if (!row_.direction.empty()) {
      egress_ = row_.direction == "egress";
    } else {
      if (self_ == nullptr) return false;
      const auto is_here = [&](const Ip& ip) { return IsIn(self_->given.addresses, ip) || epoch_.Public(ip) == self_; };
      const bool src = is_here(*row_.src), dst = is_here(*row_.dst);
      if (src == dst) {
        // What passes a transit gateway's interface has neither address: it comes from the VPC, or goes there.
        if (kind != Hop::kTgw) return false;
        egress_ = !epoch_.IsInVpc(vpc_, *row_.src);
      } else {
        egress_ = src;
      }
    }
    // At the workload the packet's own address is that of the other end, behind whatever stands between.
    remote_ = egress_ ? row_.pkt_dst.value_or(*row_.dst) : row_.pkt_src.value_or(*row_.src);
    return true;
  }

  PathAnswer OfNat() {
    const Ip near = egress_ ? *row_.dst : *row_.src;  // the other end of this leg
    const std::optional<Ip> packet = egress_ ? row_.pkt_src : row_.pkt_dst;
    const Ip nat = egress_ ? *row_.src : *row_.dst;
    bool inside = false;
    if (packet) {
      inside = *packet != nat;
    } else {
      inside = epoch_.IsInVpc(vpc_, near) || (!IsGlobal(near) && epoch_.At(vpc_, near) != nullptr);
    }
    if (inside) return OfOther(As(PathClass::kNat, 1), epoch_.At(vpc_, near));
    remote_ = near;
    answer_.owner_is_local = false;
    answer_.owner = 0;
    const PathAnswer onward = IsGlobal(near) ? PublicWay() : egress_ ? Routed() : Received();
    answer_ = onward;
    answer_.elsewhere = false;
    answer_.onward = onward.path;
    answer_.path = PathClass::kNatOutside;
    return answer_;
  }

  // The workload's own record says the same, if there is one.
  PathAnswer OfTgwInterface() {
    const Ip local = egress_ ? *row_.dst : *row_.src;  // in this VPC
    const Ip far = egress_ ? *row_.src : *row_.dst;
    const OneInterface* workload = epoch_.At(vpc_, local);
    const OneInterface* sender = egress_ ? epoch_.At({}, far) : workload;
    if ((workload != nullptr && workload->given.logged) || (sender != nullptr && sender->given.logged))
      return Elsewhere();
    return OfOther(As(PathClass::kTgw, 1), workload);
  }

  PathAnswer OfEndpointInterface() {
    const Ip consumer = egress_ ? *row_.dst : *row_.src;
    const OneInterface* other = epoch_.At(vpc_, consumer);
    if (!egress_ && other != nullptr && other->given.logged) return Elsewhere();
    return OfOther(As(PathClass::kInterfaceEndpoint, 1), other);
  }

  PathAnswer Out() {
    switch (HopOf(row_.hop_type)) {
      case Hop::kNat:
      case Hop::kRegionalNat: return ByNat(epoch_.Interface(row_.hop), row_.hop_zone, HopOf(row_.hop_type));
      case Hop::kTgw: return As(PathClass::kTgw, 1);
      case Hop::kEndpoint: return As(PathClass::kInterfaceEndpoint, 1);
      case Hop::kAppliance: return Unpriced(PathReason::kAppliance);
      default: break;
    }
    switch (row_.path) {
      case 1: return IsNear() ? WithinVpc() : Routed();
      case 2: return IsByGatewayEndpoint() ? As(PathClass::kGatewayEndpoint) : PublicWay();
      case 3: return As(PathClass::kVgw, 1);
      case 4: return Peered(region_, true);
      case 5: return ToRegion(RegionOfPeer());
      case 6: return As(PathClass::kLocalGateway);
      case 7: return As(PathClass::kGatewayEndpoint);
      case 8: return PublicWay();
      default: return IsNear() ? WithinVpc() : Routed();
    }
  }

  // The bytes were counted at the sender if it is logged.
  PathAnswer In() {
    const Hop hop = HopOf(row_.hop_type);
    const OneInterface* before = epoch_.Interface(row_.hop);
    if (IsNat(hop)) return ByNat(before, row_.hop_zone, hop);
    if (hop == Hop::kTgw) return SenderIsLogged({}) ? Elsewhere() : As(PathClass::kTgw, 1);
    if (hop == Hop::kEndpoint)
      return before != nullptr && before->given.logged ? Elsewhere() : As(PathClass::kInterfaceEndpoint, 1);
    if (hop == Hop::kAppliance) return Unpriced(PathReason::kAppliance);
    if (before != nullptr && before->given.vpc == vpc_) return before->given.logged ? Elsewhere() : WithinVpc();
    if (IsNear()) return SenderIsLogged(vpc_) ? Elsewhere() : WithinVpc();
    return Received();
  }

  bool IsNear() const { return epoch_.IsInVpc(vpc_, remote_) || Near() != nullptr; }
  // The interface of the other end, in this VPC.
  const OneInterface* Near() const {
    const OneInterface* one = epoch_.At(vpc_, remote_);
    return one != nullptr && !vpc_.empty() && one->given.vpc == vpc_ ? one : nullptr;
  }
  bool SenderIsLogged(std::string_view vpc) const {
    const OneInterface* one = epoch_.At(vpc, remote_);
    return one != nullptr && one->given.logged;
  }

  PathAnswer WithinVpc() {
    const OneInterface* other = Near();
    if (other != nullptr && other->hop == Hop::kEndpoint)
      return !egress_ && other->given.logged ? Elsewhere() : As(PathClass::kInterfaceEndpoint, 1);
    if (other != nullptr && other->hop == Hop::kAppliance) return Unpriced(PathReason::kAppliance);
    const std::optional<bool> same = Same(ZoneOfOther(other));
    if (!same) return Unpriced(PathReason::kNoZone);
    return *same ? As(PathClass::kSameAz) : As(PathClass::kCrossAz, 2);
  }
  Zone ZoneOfOther(const OneInterface* other) const {
    if (other != nullptr && !other->given.zone.empty()) return {row_.hop_zone, other->given.zone};
    const OneSubnet* subnet = epoch_.SubnetAt(other != nullptr ? std::string_view(other->given.vpc) : vpc_, remote_);
    return {row_.hop_zone, subnet != nullptr ? std::string_view(subnet->given.zone) : std::string_view()};
  }
  // Whether two zones are one; ids (use1-az1) and names (us-east-1a) cannot be told to be the same.
  std::optional<bool> Same(const Zone& other) const {
    if (!zone_.logged.empty() && !other.logged.empty()) return zone_.logged == other.logged;
    const auto is_id = [](std::string_view zone) { return zone.find("-az") != std::string_view::npos; };
    for (const std::string_view here : {zone_.known, zone_.logged}) {
      for (const std::string_view there : {other.known, other.logged}) {
        if (!here.empty() && !there.empty() && is_id(here) == is_id(there)) return here == there;
      }
    }
    return std::nullopt;
  }

  // The route of the subnet to the other end.
  const PathRoute* RouteOut(bool* certain) const {
    *certain = false;
    if (subnet_ == nullptr || !subnet_->given.routes_known) return nullptr;
    const RouteTable::Answer found = subnet_->routes.Ask(remote_);
    *certain = found.certain;
    if (found.route == nullptr) return nullptr;
    return &subnet_->given.routes[static_cast<size_t>(found.route - subnet_->routes.routes().data())];
  }

  PathAnswer Routed() {
    bool certain = false;
    const PathRoute* route = RouteOut(&certain);
    if (route == nullptr) {
      if (certain) return Unpriced(PathReason::kBlackhole);
      return Unpriced(IsGlobal(remote_) ? PathReason::kNoRoute : PathReason::kNotInFiles);
    }
    switch (route->target) {
      case PathTarget::kLocal: return WithinVpc();
      case PathTarget::kInternet: return PublicWay();
      case PathTarget::kNat: {
        const OneInterface* nat = epoch_.Interface(route->nat);
        return ByNat(nat, {}, nat == nullptr ? Hop::kNat : nat->hop);
      }
      case PathTarget::kTgw: return As(PathClass::kTgw, 1);
      case PathTarget::kPeering:
        return route->region.empty() || route->region == region_ ? Peered(region_, route->own)
                                                                 : ToRegion(route->region);
      case PathTarget::kVgw: return As(PathClass::kVgw, 1);
      case PathTarget::kLocalGateway: return As(PathClass::kLocalGateway);
      case PathTarget::kGatewayEndpoint: return As(PathClass::kGatewayEndpoint);
      case PathTarget::kAppliance: return Unpriced(PathReason::kAppliance);
      case PathTarget::kBlackhole: return Unpriced(PathReason::kBlackhole);
      case PathTarget::kUnknown: break;
    }
    return Unpriced(PathReason::kNoRoute);
  }

  // What came, by the way that answers take: the route back.
  PathAnswer Received() {
    bool certain = false;
    const PathRoute* route = RouteOut(&certain);
    const PathTarget target = route == nullptr ? PathTarget::kUnknown : route->target;
    const bool has_public = self_ != nullptr && !self_->given.public_addresses.empty();
    if (IsGlobal(remote_) && (target == PathTarget::kInternet || (target == PathTarget::kUnknown && has_public)))
      return PublicWay();
    switch (target) {
      case PathTarget::kTgw: return SenderIsLogged({}) ? Elsewhere() : As(PathClass::kTgw, 1);
      case PathTarget::kPeering: {
        if (!route->region.empty() && route->region != region_) return ToRegion(route->region);
        return SenderIsLogged({}) ? Elsewhere() : Peered(region_, route->own);
      }
      case PathTarget::kUnknown:
        if (!IsGlobal(remote_) && SenderIsLogged({})) return Elsewhere();
        if (IsGlobal(remote_) && row_.hops_told)
          return IsByGatewayEndpoint() ? As(PathClass::kGatewayEndpoint) : PublicWay();
        return Unpriced(IsGlobal(remote_) ? PathReason::kNoRoute : PathReason::kNotInFiles);
      default: return Routed();
    }
  }

  // The workload's record of what a NAT gateway carries: its inside leg has the bytes. What is left is the way there.
  PathAnswer ByNat(const OneInterface* nat, std::string_view zone, Hop kind) {
    if (nat != nullptr && !nat->given.logged) {
      answer_.reason = PathReason::kNatNotLogged;
      return As(PathClass::kNat, 1);
    }
    if (kind == Hop::kRegionalNat) return Elsewhere();
    const std::optional<bool> same =
        Same({zone, nat == nullptr ? std::string_view() : std::string_view(nat->given.zone)});
    return same.value_or(true) ? Elsewhere() : As(PathClass::kCrossAz, 2);
  }

  PathAnswer Peered(std::string_view region, bool own) {
    const OneInterface* other = epoch_.At({}, remote_);
    const OneSubnet* subnet = nullptr;
    if (const PathVpc* vpc = epoch_.OtherVpc(vpc_, remote_); vpc != nullptr) subnet = epoch_.SubnetAt(vpc->id, remote_);
    Zone zone{row_.hop_zone, {}};
    if (other != nullptr && other->given.vpc != vpc_) zone.known = other->given.zone;
    if (zone.known.empty() && subnet != nullptr) zone.known = subnet->given.zone;
    answer_.to = regions_.Known(region);
    const std::optional<bool> same = Same(zone);
    if (!same) return Unpriced(PathReason::kNoZone);
    return As(PathClass::kPeering, *same ? 0 : own ? 2 : 1);
  }

  std::string_view RegionOfPeer() const {
    bool certain = false;
    const PathRoute* route = RouteOut(&certain);
    if (route != nullptr && !route->region.empty()) return route->region;
    const PathVpc* vpc = epoch_.OtherVpc(vpc_, remote_);
    return vpc == nullptr ? std::string_view() : std::string_view(vpc->region);
  }

  PathAnswer ToRegion(std::string_view region) {
    answer_.to = regions_.Known(region);
    return As(egress_ ? PathClass::kRegionOut : PathClass::kRegionIn, egress_ ? 1 : 0);
  }

  // An address of S3 or DynamoDB in this region, and a gateway endpoint on the way.
  bool IsByGatewayEndpoint() const {
    bool certain = false;
    const PathRoute* route = RouteOut(&certain);
    return route != nullptr && route->target == PathTarget::kGatewayEndpoint;
  }

  // Through an internet gateway.
  PathAnswer PublicWay() {
    if (const OneInterface* own = epoch_.Public(remote_); own != nullptr) {
      if (!egress_ && own->given.logged) return Elsewhere();
      if (own->given.region.empty() || own->given.region == region_) return As(PathClass::kPublicInRegion, 2);
      return ToRegion(own->given.region);
    }
    if (!IsGlobal(remote_)) return Unpriced(PathReason::kNotInFiles);
    std::string_view service = egress_ ? row_.dst_service : row_.src_service, region;
    if (const uint32_t range = ranges_.OfAddress(remote_, 0); range != Labels::kNone) {
      const std::string_view text = ranges_.label(range);
      region = text.substr(text.find(' ') + 1);
      if (service.empty() || service == "AMAZON") service = text.substr(0, text.find(' '));
    }
    if (service.empty()) return As(egress_ ? PathClass::kInternetOut : PathClass::kInternetIn, egress_ ? 1 : 0);
    if (service == "CLOUDFRONT" || service == "CLOUDFRONT_ORIGIN_FACING") return As(PathClass::kCloudFront);
    if (region.empty()) return Unpriced(PathReason::kNoRegion);
    if (region == "GLOBAL") return As(PathClass::kAwsServicePublic);
    if (region != region_) return ToRegion(region);
    return service == "EC2" ? As(PathClass::kPublicInRegion, 1) : As(PathClass::kAwsServicePublic);
  }

  const Epoch& epoch_;
  const Texts& regions_;
  const Labels& ranges_;
  const Row& row_;
  PathAnswer answer_{};
  const OneInterface* self_ = nullptr;
  const OneSubnet* subnet_ = nullptr;
  std::string_view vpc_, region_;
  Zone zone_;
  bool egress_ = false;
  Ip remote_{};
};

// An answer as a number: never 0.
constexpr int kOwnerBits = 24, kRegionBits = 10;
uint64_t Packed(const PathAnswer& a) {
  uint64_t out = 1;
  const auto put = [&](uint64_t value, int bits) { out = out << bits | value; };
  put(static_cast<uint64_t>(a.path), 5);
  put(static_cast<uint64_t>(a.onward), 5);
  put(a.sides, 2);
  put(static_cast<uint64_t>(a.reason), 4);
  put(a.owner_is_local ? 1 : 0, 1);
  put(a.region, kRegionBits);
  put(a.to, kRegionBits);
  put(a.owner, kOwnerBits);
  return out;
}
PathAnswer Unpacked(uint64_t number) {
  const auto take = [&](int bits) {
    const uint64_t value = number & ((uint64_t{1} << bits) - 1);
    number >>= bits;
    return value;
  };
  PathAnswer a;
  a.owner = static_cast<uint32_t>(take(kOwnerBits));
  a.to = static_cast<uint32_t>(take(kRegionBits));
  a.region = static_cast<uint32_t>(take(kRegionBits));
  a.owner_is_local = take(1) != 0;
  a.reason = static_cast<PathReason>(take(4));
  a.sides = static_cast<uint8_t>(take(2));
  a.onward = static_cast<PathClass>(take(5));
  a.path = static_cast<PathClass>(take(5));
  return a;
}

}  // namespace

PathClassifier::PathClassifier(std::vector<PathNetwork> networks, std::vector<PublicRange> ranges) {
  auto impl = std::make_unique<Impl>();
  if (networks.empty()) networks.emplace_back();
  for (const PublicRange& range : ranges) {
    impl->regions.Number(range.region);
    impl->ranges.AddPrefix(range.prefix, absl::StrCat(range.service, " ", range.region));
  }
  impl->ranges.Freeze();
  for (PathNetwork& network : networks) impl->epochs.emplace_back(std::move(network), &impl->owners, &impl->regions);
  impl_ = std::move(impl);
}
PathClassifier::~PathClassifier() = default;

std::span<const Field> PathClassifier::fields() const { return kPathFields; }

void PathClassifier::Label(const Batch& batch, std::span<const size_t> slots, std::span<uint64_t> out) const {
  const auto text = [&](size_t field, size_t row) { return batch.columns[slots[field]].text(row); };
  const auto number = [&](size_t field, size_t row) { return batch.columns[slots[field]].ints[row]; };
  const auto address = [&](size_t field, size_t row) -> std::optional<Ip> {
    const AddressCode code = batch.columns[slots[field]].addresses[row];
    if (code == kNullAddress) return std::nullopt;
    return batch.address(code);
  };
  for (size_t i = 0; i < out.size(); ++i) {
    Row row;
    row.start = number(kStart, i) == kNullInt ? 0 : number(kStart, i);
    row.src = address(kSrc, i), row.dst = address(kDst, i);
    row.pkt_src = address(kPktSrc, i), row.pkt_dst = address(kPktDst, i);
    row.interface = text(kInterface, i), row.action = text(kAction, i), row.direction = text(kDirection, i);
    row.region = text(kRegion, i), row.zone = text(kZone, i), row.vpc = text(kVpc, i), row.subnet = text(kSubnet, i);
    row.src_service = text(kSrcService, i), row.dst_service = text(kDstService, i);
    row.type = text(kType, i), row.resource = text(kResource, i);
    row.hop = text(kHop, i), row.hop_zone = text(kHopZone, i), row.hop_type = text(kHopType, i);
    row.path = number(kPath, i) == kNullInt ? -1 : number(kPath, i);
    const PathAnswer answer = Way(impl_->At(row.start), impl_->regions, impl_->ranges, row).Find();
    out[i] = answer.elsewhere ? kNone : Packed(answer);
  }
}

std::string PathClassifier::Text(uint64_t number) const {
  const PathAnswer a = Unpacked(number);
  const auto view = [](std::string_view text) { return absl::string_view(text.data(), text.size()); };
  return absl::StrCat(view(PathClassName(a.path)), "|",
                      view(a.path == PathClass::kNatOutside ? PathClassName(a.onward) : ""), "|",
                      static_cast<int>(a.sides), "|", view(impl_->regions.text(a.region)), "|",
                      view(impl_->regions.text(a.to)), "|", view(impl_->owners.text(a.owner)), "|",
                      a.owner_is_local ? "local" : "other", "|", view(PathReasonText(a.reason)));
}

VPCFLOW_NAMESPACE_END
