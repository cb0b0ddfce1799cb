#include "src/cost/way.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Whether an address can be on the internet.
bool IsGlobal(const Ip& ip) {
  if (!ip.is_v4()) return (ip.hi >> 61) == 1;  // 2000::/3
  const uint32_t a = ip.v4();
  const auto in = [&](uint32_t first, int bits) { return (a >> (32 - bits)) == (first >> (32 - bits)); };
  return !(in(0x0A000000, 8) || in(0xAC100000, 12) || in(0xC0A80000, 16) || in(0x64400000, 10) || in(0x7F000000, 8) ||
           in(0xA9FE0000, 16) || in(0xE0000000, 3) || in(0, 8));
}

// A zone as a log has it, and as the files do.
struct Zone {
  std::string_view logged{}, known{};
};

// One record's way. Its parts ask each other, and each returns the answer.
class Way {
 public:
  Way(const Epoch& epoch, const Texts& regions, const Labels& ranges, const PathRow& row)
      : epoch_(epoch), regions_(regions), ranges_(ranges), row_(row) {}

  PathAnswer Find() {
    self_ = row_.self;
    if (self_ == nullptr && !row_.has_interface) self_ = RegionalNat();
    const Hop kind = row_.type.empty() ? self_ != nullptr ? self_->hop : Hop::kPlain : HopOf(row_.type);
    const bool known_vpc = self_ != nullptr && (row_.vpc.empty() || row_.vpc == self_->given.vpc);
    ground_ = known_vpc ? self_->vpc : row_.vpc.empty() ? nullptr : epoch_.Vpc(row_.vpc);
    vpc_ = known_vpc ? std::string_view(self_->given.vpc) : row_.vpc;
    const bool known_subnet = self_ != nullptr && (row_.subnet.empty() || row_.subnet == self_->given.subnet);
    subnet_ = known_subnet ? self_->subnet : row_.subnet.empty() ? nullptr : epoch_.Subnet(row_.subnet);
    zone_.logged = row_.zone;
    if (self_ != nullptr) zone_.known = self_->given.zone;
    if (zone_.known.empty() && subnet_ != nullptr) zone_.known = subnet_->given.zone;
    FindRegion();
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
  void FindRegion() {
    region_ = row_.region;
    if (self_ != nullptr && !self_->given.region.empty() && (region_.empty() || region_ == self_->given.region)) {
      region_ = self_->given.region;
      answer_.region = self_->region;
    } else if (region_.empty() && ground_ != nullptr) {
      region_ = ground_->given.region;
      answer_.region = ground_->region;
    } else {
      answer_.region = regions_.Known(region_);
    }
  }

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
      const auto is_here = [&](const Ip& ip) {
        return HoldAny(self_->given.addresses, ip) || epoch_.Public(ip) == self_;
      };
      const bool src = is_here(*row_.src), dst = is_here(*row_.dst);
      if (src == dst) {
        // What passes a transit gateway's interface has neither address: it comes from the VPC, or goes there.
        if (kind != Hop::kTgw) return false;
        egress_ = !Epoch::IsInVpc(ground_, *row_.src);
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
      inside = Epoch::IsInVpc(ground_, near) || (!IsGlobal(near) && epoch_.At(vpc_, near) != nullptr);
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
      case Hop::kRegionalNat: return ByNat(row_.hop, row_.hop_zone, HopOf(row_.hop_type));
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
    const OneInterface* before = row_.hop;
    if (IsNat(hop)) return ByNat(before, row_.hop_zone, hop);
    if (hop == Hop::kTgw) return SenderIsLogged({}) ? Elsewhere() : As(PathClass::kTgw, 1);
    if (hop == Hop::kEndpoint)
      return before != nullptr && before->given.logged ? Elsewhere() : As(PathClass::kInterfaceEndpoint, 1);
    if (hop == Hop::kAppliance) return Unpriced(PathReason::kAppliance);
    if (before != nullptr && before->given.vpc == vpc_) return before->given.logged ? Elsewhere() : WithinVpc();
    if (IsNear()) return SenderIsLogged(vpc_) ? Elsewhere() : WithinVpc();
    return Received();
  }

  bool IsNear() const { return Epoch::IsInVpc(ground_, remote_) || Near() != nullptr; }
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
    const OneSubnet* subnet = Epoch::SubnetAt(other != nullptr ? other->vpc : ground_, remote_);
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
    if (const OneVpc* vpc = epoch_.OtherVpc(vpc_, remote_); vpc != nullptr) subnet = Epoch::SubnetAt(vpc, remote_);
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
    const OneVpc* vpc = epoch_.OtherVpc(vpc_, remote_);
    return vpc == nullptr ? std::string_view() : std::string_view(vpc->given.region);
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
  const PathRow& row_;
  PathAnswer answer_{};
  const OneInterface* self_ = nullptr;
  const OneSubnet* subnet_ = nullptr;
  const OneVpc* ground_ = nullptr;  // the VPC
  std::string_view vpc_, region_;
  Zone zone_;
  bool egress_ = false;
  Ip remote_{};
};

}  // namespace

PathAnswer FindWay(const Epoch& epoch, const Texts& regions, const Labels& ranges, const PathRow& row) {
  return Way(epoch, regions, ranges, row).Find();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
