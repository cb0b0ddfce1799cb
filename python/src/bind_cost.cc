// Classes of paths.
#include <optional>
#include <tuple>

#include "convert.h"
#include "vpcflow/cost/path_class.h"

namespace vpcflow_python {
namespace {

using vpcflow::PathInterface;
using vpcflow::PathNetwork;
using vpcflow::PathRoute;
using vpcflow::PathSubnet;
using vpcflow::PathTarget;
using vpcflow::PathVpc;

std::vector<vpcflow::Cidr> Prefixes(const std::vector<std::string>& texts) {
  std::vector<vpcflow::Cidr> out;
  for (const std::string& text : texts) {
    if (!vpcflow::ParseCidr(text, &out.emplace_back()))
      Raise("PlanError", "paths: '" + vpcflow::ValidUtf8(text) + "' is no prefix");
  }
  return out;
}

PathTarget TargetNamed(const std::string& name) {
  static constexpr std::string_view kNames[] = {"local",     "internet",  "nat",           "tgw",
                                                "peering",   "vgw",       "local_gateway", "gateway_endpoint",
                                                "appliance", "blackhole", "unknown"};
  const auto at = std::find(std::begin(kNames), std::end(kNames), name);
  return at == std::end(kNames) ? PathTarget::kUnknown : static_cast<PathTarget>(at - std::begin(kNames));
}

PathRoute RouteOf(const py::dict& given) {
  return {.destinations = Prefixes(given["destinations"].cast<std::vector<std::string>>()),
          .unknown = given["unknown"].cast<bool>(),
          .propagated = given["propagated"].cast<bool>(),
          .target = TargetNamed(given["target"].cast<std::string>()),
          .region = given["region"].cast<std::string>(),
          .own = given["own"].cast<bool>(),
          .nat = given["nat"].cast<std::string>()};
}

PathInterface InterfaceOf(const py::dict& given) {
  PathInterface out;
  out.id = given["id"].cast<std::string>();
  out.kind = given["kind"].cast<std::string>();
  out.zone = given["zone"].cast<std::string>();
  out.vpc = given["vpc"].cast<std::string>();
  out.subnet = given["subnet"].cast<std::string>();
  out.region = given["region"].cast<std::string>();
  out.owner = given["owner"].cast<std::string>();
  out.addresses = Prefixes(given["addresses"].cast<std::vector<std::string>>());
  for (const vpcflow::Cidr& one : Prefixes(given["public"].cast<std::vector<std::string>>()))
    out.public_addresses.push_back(one.first);
  out.logged = given["logged"].cast<bool>();
  return out;
}

PathSubnet SubnetOf(const py::dict& given) {
  PathSubnet out;
  out.id = given["id"].cast<std::string>();
  out.vpc = given["vpc"].cast<std::string>();
  out.zone = given["zone"].cast<std::string>();
  out.region = given["region"].cast<std::string>();
  out.prefixes = Prefixes(given["prefixes"].cast<std::vector<std::string>>());
  if (!given["routes"].is_none()) {
    out.routes_known = true;
    for (const auto& route : given["routes"].cast<std::vector<py::dict>>()) out.routes.push_back(RouteOf(route));
  }
  return out;
}

// From what time on, interfaces, subnets, VPCs.
using Network = std::tuple<std::optional<int64_t>, std::vector<py::dict>, std::vector<py::dict>, std::vector<py::dict>>;

PathNetwork NetworkOf(const Network& given) {
  const auto& [from, interfaces, subnets, vpcs] = given;
  PathNetwork out;
  if (from) out.from = *from;
  for (const py::dict& one : interfaces) out.interfaces.push_back(InterfaceOf(one));
  for (const py::dict& one : subnets) out.subnets.push_back(SubnetOf(one));
  for (const py::dict& one : vpcs) {
    out.vpcs.push_back({one["id"].cast<std::string>(), one["region"].cast<std::string>(),
                        Prefixes(one["prefixes"].cast<std::vector<std::string>>())});
  }
  return out;
}

}  // namespace

void BindCost(py::module_& m) {
  using Ranges = std::vector<std::tuple<std::string, std::string, std::string>>;
  py::class_<vpcflow::RecordLabels, std::shared_ptr<vpcflow::RecordLabels>>(m, "RecordLabels");
  py::class_<vpcflow::PathClassifier, vpcflow::RecordLabels, std::shared_ptr<vpcflow::PathClassifier>>(m,
                                                                                                       "PathClassifier")
      .def(py::init([](const std::vector<Network>& networks, const Ranges& ranges) {
             std::vector<PathNetwork> made;
             for (const Network& network : networks) made.push_back(NetworkOf(network));
             std::vector<vpcflow::PublicRange> published;
             for (const auto& [prefix, service, region] : ranges)
               published.push_back({Prefixes({prefix})[0], service, region});
             return std::make_shared<vpcflow::PathClassifier>(std::move(made), std::move(published));
           }),
           py::arg("networks"), py::arg("ranges"));
}

}  // namespace vpcflow_python
