// RouteTable: where a VPC's route table sends a packet.
//
// Example:
//   std::vector<vpcflow::Route> routes(1);
//   routes[0].id = "rtb-1";
//   routes[0].target = "igw-1";
//   routes[0].destinations.push_back({vpcflow::Ip::V4(0), vpcflow::Ip::V4(0xFFFFFFFF)});
//   const vpcflow::RouteTable table(routes);
//   const vpcflow::RouteTable::Answer answer = table.Ask(vpcflow::Ip::V4(0x08080808));
//   if (answer.route != nullptr && !answer.route->blackhole) Use(answer.route->target);
#ifndef VPCFLOW_REACH_ROUTES_H_
#define VPCFLOW_REACH_ROUTES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/reach/match.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

struct Route {
  std::string id{};                   // of its table, "rtb-..."
  std::string target{};               // "local", "igw-...", "nat-...", "tgw-...", "pcx-...", "eni-...", ...
  std::vector<Cidr> destinations{};   // one prefix, or those of a prefix list
  bool destinations_unknown = false;  // of a prefix list whose entries nobody knows
  bool propagated = false;            // else static
  bool blackhole = false;             // its target is gone: packets are dropped
};

// Any number of threads may ask at once.
class RouteTable {
 public:
  struct Answer {
    const Route* route = nullptr;  // null: no route
    bool certain = true;           // false: a route of unknown destinations might be longer
  };

  RouteTable() = default;
  explicit RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
    for (const Route& route : routes_) unknown_ |= route.destinations_unknown;
  }

  const std::vector<Route>& routes() const& { return routes_; }
  const std::vector<Route>& routes() const&& = delete;

  // Returns the route of an address: that of the longest prefix; among equals static before propagated, then in order.
  // Valid as long as the table. O(prefixes): tables are short, and a pair of subnets asks once.
  Answer Ask(const Ip& address) const {
    Answer out;
    const Cidr* longest = nullptr;
    for (const Route& route : routes_) {
      for (const Cidr& prefix : route.destinations) {
        if (!Holds(prefix, address)) continue;
        const bool within = longest != nullptr && longest->first <= prefix.first && prefix.last <= longest->last;
        const bool equal = within && longest->first == prefix.first && longest->last == prefix.last;
        if (longest != nullptr && (!within || (equal && (route.propagated || !out.route->propagated)))) continue;
        longest = &prefix;
        out.route = &route;
      }
    }
    out.certain = !unknown_;
    return out;
  }

 private:
  std::vector<Route> routes_;
  bool unknown_ = false;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_REACH_ROUTES_H_
