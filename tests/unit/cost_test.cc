#include <memory>
#include <string>
#include <vector>

#include "unit/testing.h"
#include "vpcflow/cost/path_class.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;

Cidr Of(const std::string& text) {
  Cidr out;
  EXPECT_TRUE(ParseCidr(text, &out)) << text;
  return out;
}

PathInterface Interface(const std::string& id, const std::string& address, const std::string& zone,
                        const std::string& kind = "") {
  PathInterface out;
  out.id = id;
  out.kind = kind;
  out.zone = zone;
  out.vpc = "vpc-1";
  out.subnet = "subnet-1";
  out.region = "us-east-1";
  out.owner = "team of " + id;
  out.addresses = {Of(address)};
  out.logged = true;
  return out;
}

// The workload and the gateway of AWS's example of a NAT gateway.
PathNetwork Example(const std::string& zone_of_nat) {
  PathNetwork out;
  out.interfaces = {Interface("eni-work", "10.0.1.5", "use1-az1"),
                    Interface("eni-nat", "10.0.0.220", zone_of_nat, "natGateway")};
  PathSubnet subnet;
  subnet.id = "subnet-1";
  subnet.vpc = "vpc-1";
  subnet.zone = "use1-az1";
  subnet.prefixes = {Of("10.0.0.0/16")};
  subnet.routes_known = true;
  subnet.routes.resize(2);
  subnet.routes[0].destinations = {Of("10.0.0.0/16")};
  subnet.routes[0].target = PathTarget::kLocal;
  subnet.routes[1].destinations = {Of("0.0.0.0/0")};
  subnet.routes[1].target = PathTarget::kNat;
  subnet.routes[1].nat = "eni-nat";
  out.subnets = {subnet};
  out.vpcs = {{"vpc-1", "us-east-1", {Of("10.0.0.0/16")}}};
  return out;
}

constexpr char kHeader[] =
    "version interface-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr flow-direction bytes start end action log-status\n";

// A line a path and its bytes.
std::string Paths(std::vector<PathNetwork> networks, const std::string& log, std::vector<PublicRange> ranges = {}) {
  PlanSpec spec;
  spec.labels = {
      {.name = "path", .record = std::make_shared<const PathClassifier>(std::move(networks), std::move(ranges))}};
  spec.by = {"path"};
  spec.aggs = {{"bytes", "sum(bytes)"}};
  spec.allow_missing = true;
  return vpcflow_testing::RunToJson(spec, {Source::Bytes("log", std::string_view(log))});
}

TEST(PathClassifierTest, CountsTheFourLegsOfANatGatewayOnce) {
  const std::string log = std::string(kHeader) +
                          "5 eni-work 10.0.1.5 203.0.113.5 10.0.1.5 203.0.113.5 egress 100 1 2 ACCEPT OK\n"
                          "5 eni-nat 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5 ingress 100 1 2 ACCEPT OK\n"
                          "5 eni-nat 10.0.0.220 203.0.113.5 10.0.0.220 203.0.113.5 egress 100 1 2 ACCEPT OK\n"
                          "5 eni-nat 203.0.113.5 10.0.0.220 203.0.113.5 10.0.0.220 ingress 7 1 2 ACCEPT OK\n"
                          "5 eni-nat 10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5 egress 7 1 2 ACCEPT OK\n"
                          "5 eni-work 203.0.113.5 10.0.1.5 203.0.113.5 10.0.1.5 ingress 7 1 2 ACCEPT OK\n";
  EXPECT_EQ(Paths({Example("use1-az1")}, log),
            "{\"path\": \"nat_outside|internet_in|0|us-east-1|||other|\", \"bytes\": 7}\n"
            "{\"path\": \"nat_outside|internet_out|1|us-east-1|||other|\", \"bytes\": 100}\n"
            "{\"path\": \"nat||1|us-east-1||team of eni-work|other|\", \"bytes\": 107}\n"
            "{\"path\": null, \"bytes\": 107}\n");
  // In another zone the workload's own records are the bytes between the zones.
  EXPECT_THAT(Paths({Example("use1-az2")}, log),
              HasSubstr("{\"path\": \"cross_az||2|us-east-1||team of eni-work|local|\", \"bytes\": 107}\n"));
}

TEST(PathClassifierTest, AsksTheNetworkOfTheRecordsTime) {
  PathNetwork later = Example("use1-az1");
  later.from = 1000;
  later.interfaces[0].owner = "later";
  later.subnets[0].routes[1].target = PathTarget::kInternet;
  const std::string log = std::string(kHeader) +
                          "5 eni-work 10.0.1.5 8.8.8.8 - - egress 1 999 1001 ACCEPT OK\n"
                          "5 eni-work 10.0.1.5 8.8.8.8 - - egress 10 1000 1001 ACCEPT OK\n"
                          "5 eni-work 10.0.1.5 52.1.1.1 - - egress 100 1000 1001 ACCEPT OK\n";
  const std::vector<PublicRange> ranges = {{Of("52.0.0.0/8"), "AMAZON", "us-west-2"},
                                           {Of("52.1.0.0/16"), "EC2", "us-east-1"}};
  EXPECT_EQ(Paths({Example("use1-az1"), later}, log, ranges),
            "{\"path\": \"internet_out||1|us-east-1||later|local|\", \"bytes\": 10}\n"
            "{\"path\": \"public_in_region||1|us-east-1||later|local|\", \"bytes\": 100}\n"
            "{\"path\": null, \"bytes\": 1}\n");  // the gateway, which is logged, counts it
}

TEST(PathClassifierTest, SaysWhyThereIsNoClass) {
  const std::string log = std::string(kHeader) +
                          "5 eni-9 10.0.1.5 8.8.8.8 - - - 1 1 2 ACCEPT OK\n"
                          "5 eni-9 10.0.1.5 8.8.8.8 - - egress 2 1 2 ACCEPT OK\n"
                          "5 eni-9 10.0.1.5 10.9.9.9 - - egress 3 1 2 REJECT OK\n";
  EXPECT_EQ(Paths({}, log),
            "{\"path\": \"rejected||0||||local|\", \"bytes\": 3}\n"
            "{\"path\": \"unpriced||0||||local|no route table tells the way, and the log has no traffic-path\", "
            "\"bytes\": 2}\n"
            "{\"path\": \"unpriced||0||||local|the interface is in no file, and the log does not say the direction\", "
            "\"bytes\": 1}\n");
}

}  // namespace
}  // namespace vpcflow
