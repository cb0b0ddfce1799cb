#include "src/cost/network.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

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

Epoch::Epoch(PathNetwork network, Texts* owners, Texts* regions) : from_(network.from) {
  for (PathVpc& vpc : network.vpcs) {
    const uint32_t region = regions->Number(vpc.region);
    vpcs_[vpc.id] = {std::move(vpc), region, {}};
  }
  for (PathSubnet& subnet : network.subnets) {
    std::vector<Route> routes;
    for (const PathRoute& route : subnet.routes) {
      regions->Number(route.region);
      routes.push_back(
          {.destinations = route.destinations, .destinations_unknown = route.unknown, .propagated = route.propagated});
    }
    OneVpc& vpc = vpcs_[subnet.vpc];
    if (vpc.given.id.empty()) vpc.region = regions->Number(vpc.given.region = subnet.region);
    vpc.given.id = subnet.vpc;
    OneSubnet& made = subnets_[subnet.id];
    made = {std::move(subnet), RouteTable(std::move(routes))};
    vpc.subnets.push_back(&made);
  }
  for (PathInterface& one : network.interfaces) {
    OneInterface made;
    made.owner = owners->Number(one.owner);
    made.region = regions->Number(one.region);
    made.hop = one.kind.empty() ? Hop::kPlain : HopOf(one.kind);
    made.subnet = Subnet(one.subnet);
    made.vpc = Vpc(one.vpc);
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

}  // namespace internal
VPCFLOW_NAMESPACE_END
