// PathClassifier: the way that a record's bytes took, as AWS prices it: within a zone, across zones, through a NAT, to
// the internet, ...; and whether they are counted in this record or in another one that tells of the same bytes.
//
// Fields of version 11 say it exactly; with fewer of them what the network was at that time fills in: interfaces,
// subnets, routes. What neither tells is kUnpriced with the reason.
//
// Example:
//   vpcflow::PathNetwork network;                         // of all times
//   network.interfaces.push_back({.id = "eni-1", .zone = "use1-az1", .vpc = "vpc-1", .subnet = "subnet-1"});
//   const auto classifier = std::make_shared<const vpcflow::PathClassifier>(
//       std::vector<vpcflow::PathNetwork>{network}, std::vector<vpcflow::PublicRange>{});
//   spec.labels = {{.name = "path", .record = classifier}};
//   spec.by = {"path"};
//   spec.aggs = {{"bytes", "sum(bytes)"}};
//   spec.allow_missing = true;
#ifndef VPCFLOW_COST_PATH_CLASS_H_
#define VPCFLOW_COST_PATH_CLASS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/enrich/record_labels.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// X(constant, name, meaning)
#define VPCFLOW_PATH_CLASSES(X)                                                                           \
  X(kSameAz, "same_az", "within a VPC, in one zone")                                                      \
  X(kCrossAz, "cross_az", "within a VPC, from one zone to another")                                       \
  X(kNat, "nat", "between a workload and a NAT gateway: each byte that the gateway processes, once")      \
  X(kNatOutside, "nat_outside", "between a NAT gateway and what is behind it, priced as the onward path") \
  X(kGatewayEndpoint, "gateway_endpoint", "S3 or DynamoDB by a gateway endpoint")                         \
  X(kInterfaceEndpoint, "interface_endpoint", "a service by an interface endpoint (PrivateLink)")         \
  X(kTgw, "tgw", "through a transit gateway, counted at the sender")                                      \
  X(kPeering, "peering", "through VPC peering in one region")                                             \
  X(kPublicInRegion, "public_in_region", "to or from a public address of an instance in the region")      \
  X(kAwsServicePublic, "aws_service_public", "to or from a public endpoint of AWS in the region")         \
  X(kRegionOut, "region_out", "to another region")                                                        \
  X(kRegionIn, "region_in", "from another region")                                                        \
  X(kCloudFront, "cloudfront", "to or from CloudFront")                                                   \
  X(kInternetOut, "internet_out", "to the internet")                                                      \
  X(kInternetIn, "internet_in", "from the internet")                                                      \
  X(kVgw, "vgw", "through a virtual private gateway: VPN or Direct Connect")                              \
  X(kLocalGateway, "local_gateway", "through the local gateway of an Outpost")                            \
  X(kRejected, "rejected", "refused")                                                                     \
  X(kUnpriced, "unpriced", "nothing tells which way it took")

enum class PathClass : uint8_t {
#define VPCFLOW_X(id, name, meaning) id,
  VPCFLOW_PATH_CLASSES(VPCFLOW_X)
#undef VPCFLOW_X
};
std::string_view PathClassName(PathClass path);

// Why a record has no class, or one that is less than certain. X(constant, text)
#define VPCFLOW_PATH_REASONS(X)                                                                                    \
  X(kNone, "")                                                                                                     \
  X(kNoInterface, "the interface is in no file, and the log does not say the direction")                           \
  X(kNoRoute, "no route table tells the way, and the log has no traffic-path")                                     \
  X(kNoZone, "the zone of the other end is not known")                                                             \
  X(kNoRegion, "it is an address of AWS, and neither the log nor ip-ranges.json says of which region and service") \
  X(kNotInFiles, "a private address that is in no file")                                                           \
  X(kAppliance, "through an appliance or its endpoint")                                                            \
  X(kNatNotLogged, "the NAT gateway is not logged: counted at the workload")                                       \
  X(kBlackhole, "the route leads nowhere")

enum class PathReason : uint8_t {
#define VPCFLOW_X(id, text) id,
  VPCFLOW_PATH_REASONS(VPCFLOW_X)
#undef VPCFLOW_X
};
std::string_view PathReasonText(PathReason reason);

struct PathInterface {
  std::string id{};    // "eni-..."; of a regional NAT gateway "nat-..."
  std::string kind{};  // "nat_gateway", "transit_gateway", "vpc_endpoint", ...
  std::string zone{}, vpc{}, subnet{}, region{};
  std::string owner{};            // whose bytes these are
  std::vector<Cidr> addresses{};  // private
  std::vector<Ip> public_addresses{};
  bool logged = false;  // there are records of it
};

// Where a route leads.
enum class PathTarget : uint8_t {
  kLocal,
  kInternet,
  kNat,
  kTgw,
  kPeering,
  kVgw,
  kLocalGateway,
  kGatewayEndpoint,
  kAppliance,
  kBlackhole,
  kUnknown
};

struct PathRoute {
  std::vector<Cidr> destinations{};
  bool unknown = false;     // there are more of them, which nobody knows
  bool propagated = false;  // else static
  PathTarget target = PathTarget::kUnknown;
  std::string region{};  // of a peering: the other end's
  bool own = true;       // of a peering: the other end is of the same owner
  std::string nat{};     // the NAT gateway's interface, or its id
};

struct PathSubnet {
  std::string id{}, vpc{}, zone{}, region{};
  std::vector<Cidr> prefixes{};
  std::vector<PathRoute> routes{};
  bool routes_known = false;
};

struct PathVpc {
  std::string id{}, region{};
  std::vector<Cidr> prefixes{};
};

// What the network was from a time on, until the next.
struct PathNetwork {
  int64_t from = std::numeric_limits<int64_t>::min();  // Unix seconds
  std::vector<PathInterface> interfaces{};
  std::vector<PathSubnet> subnets{};
  std::vector<PathVpc> vpcs{};
};

// A row of AWS's ip-ranges.json. Of several that hold an address the longest is meant, of equal ones the last.
struct PublicRange {
  Cidr prefix{};
  std::string service{}, region{};
};

// What a record's bytes are.
struct PathAnswer {
  PathClass path = PathClass::kUnpriced;
  PathClass onward = PathClass::kUnpriced;  // of kNatOutside
  uint8_t sides = 0;                        // how many ends AWS charges for a byte
  PathReason reason = PathReason::kNone;
  bool elsewhere = false;                  // another record tells of the same bytes: nothing is counted here
  bool owner_is_local = true;              // false: the other end is the owner, as a NAT gateway's workload
  uint32_t region = 0, to = 0, owner = 0;  // numbers of texts; 0: not known
};

// Any number of threads may ask at once. O(log interfaces + routes of a subnet) a record.
class PathClassifier final : public RecordLabels {
 public:
  // `networks` by time, ascending.
  PathClassifier(std::vector<PathNetwork> networks, std::vector<PublicRange> ranges);
  ~PathClassifier() override;

  std::span<const Field> fields() const override;
  // Records that are counted elsewhere have no label.
  void Label(const Batch& batch, std::span<const size_t> slots, std::span<uint64_t> out) const override;
  // "CLASS|ONWARD|SIDES|REGION|TO|OWNER|WHOSE|REASON", WHOSE being "local" or "other".
  std::string Text(uint64_t number) const override;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_COST_PATH_CLASS_H_
