#include "src/synth/world.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/enrich/aws.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

struct RegionInfo {
  const char* name;
  const char* zone_prefix;
};
constexpr RegionInfo kRegions[] = {
    {"us-east-1", "use1-az"}, {"eu-west-1", "euw1-az"}, {"us-west-2", "usw2-az"}, {"ap-southeast-1", "apse1-az"}};
constexpr const char* kServices[] = {"orders", "search", "billing", "edge", "auth", "media"};

std::string HexId(Random* random, const char* prefix, int digits = 17) {
  std::string out = prefix;
  for (int i = 0; i < digits; ++i) out += "0123456789abcdef"[random->Below(16)];
  return out;
}

uint16_t PortOf(Role role, Random* random) {
  constexpr uint16_t kDatabases[] = {5432, 3306, 27017, 1433};
  switch (role) {
    case Role::kDatabase: return kDatabases[random->Below(4)];
    case Role::kCache: return 6379;
    case Role::kApp: return random->Chance(0.7) ? 8080 : 8443;
    case Role::kBastion: return 22;
    case Role::kMonitor: return 9090;
    default: return 443;
  }
}

// An address of S3's in the place of another one, which is not in `used`; of IPv4, of large prefixes alone.
Ip InS3(const Ip& ip, std::unordered_set<uint32_t>* used) {
  constexpr uint64_t kLarge = 4095;  // addresses behind the first
  std::vector<Cidr> prefixes;
  for (const Cidr& prefix : AwsS3Prefixes()) {
    if (prefix.first.is_v4() == ip.is_v4() && (!ip.is_v4() || prefix.last.lo - prefix.first.lo >= kLarge))
      prefixes.push_back(prefix);
  }
  const Cidr& prefix = prefixes[(ip.lo ^ ip.hi) % prefixes.size()];
  // The bits behind the prefix are the other address's.
  const uint64_t hi = prefix.first.hi ^ prefix.last.hi, lo = prefix.first.lo ^ prefix.last.lo;
  Ip out{prefix.first.hi | (ip.hi & hi), prefix.first.lo | (ip.lo & lo)};
  while (ip.is_v4() && !used->insert(out.v4()).second) out.lo = prefix.first.lo | ((out.lo + 1) & lo);
  return out;
}

}  // namespace

World::World(const SynthOptions& o, Random* random) : options(o) {
  for (uint32_t i = 0; i < std::max(1u, o.accounts); ++i) {
    std::string digits = std::to_string(random->Next() % 990'000'000'000 + 10'000'000'000);
    accounts.push_back(std::string(12 - digits.size(), '0') + digits);
  }
  for (const RegionInfo& region : kRegions) regions.emplace_back(region.name);
  MakeInterfaces(random);
  MakeTexts(random);
  MakeAddresses(random);
  pick_interface = Sampler::Zipf(options.interfaces, 0.9, random);
  pick_peer = Sampler::Zipf(options.peers, 1.05, random);
  pick_noise = Sampler::Zipf(options.noise_sources, 0.7, random);
}

void World::MakeInterfaces(Random* random) {
  const uint32_t vpcs = std::max(1u, options.interfaces / 60);
  std::vector<std::pair<uint32_t, uint32_t>> homes;  // account, region
  for (uint32_t i = 0; i < vpcs; ++i) {
    const uint32_t region = random->Below(regions.size()), account = random->Below(accounts.size());
    homes.emplace_back(account, region);
  }
  const Sampler roles({30, 30, 12, 8, 6, 3, 2, 2});
  by_role.resize(9);
  for (uint32_t i = 0; i < options.interfaces; ++i) {
    Interface eni{};
    // One of each role first, so that even a small world has all of them.
    eni.role = static_cast<Role>(i < 8 ? i : roles.Draw(random));
    eni.vpc = i * vpcs / options.interfaces;
    // The last one of each VPC is its attachment to the transit gateway.
    if (options.world == SynthWorld::kOffice && (i + 1) * vpcs / options.interfaces != eni.vpc)
      eni.role = Role::kTransit;
    eni.subnet = eni.vpc * 3 + random->Below(3);
    eni.account = homes[eni.vpc].first;
    eni.region = homes[eni.vpc].second;
    eni.port = PortOf(eni.role, random);
    eni.phase = random->Below(static_cast<uint64_t>(options.window));
    by_role[static_cast<size_t>(eni.role)].push_back(i);
    interfaces.push_back(eni);
  }
}

void World::MakeTexts(Random* random) {
  const auto text = [&](Field field) -> std::vector<std::string>& { return texts[static_cast<size_t>(field)]; };
  std::vector<std::string> vpc_ids, subnet_ids, tgw_attachments;
  for (uint32_t i = 0; i < std::max(1u, options.interfaces / 60); ++i) {
    vpc_ids.push_back(HexId(random, "vpc-"));
    tgw_attachments.push_back(HexId(random, "tgw-attach-"));
    for (int s = 0; s < 3; ++s) subnet_ids.push_back(HexId(random, "subnet-"));
  }
  const std::string tgw = HexId(random, "tgw-");
  for (const Interface& eni : interfaces) {
    const std::string region = regions[eni.region], account = accounts[eni.account];
    // AWS's own: no instance.
    const bool managed = eni.role == Role::kLoadBalancer || eni.role == Role::kNat || eni.role == Role::kTransit;
    text(Field::kAccountId).push_back(account);
    text(Field::kInterfaceId).push_back(HexId(random, "eni-"));
    text(Field::kVpcId).push_back(vpc_ids[eni.vpc]);
    text(Field::kSubnetId).push_back(subnet_ids[eni.subnet]);
    text(Field::kInstanceId).push_back(managed ? "-" : HexId(random, "i-"));
    text(Field::kRegion).push_back(region);
    text(Field::kAzId).push_back(kRegions[eni.region].zone_prefix + std::to_string(eni.subnet % 3 + 1));
    text(Field::kSublocationType).emplace_back("-");
    text(Field::kSublocationId).emplace_back("-");
    text(Field::kResourceType).emplace_back("TransitGateway");
    text(Field::kTgwId).push_back(tgw);
    text(Field::kTgwAttachmentId).push_back(tgw_attachments[eni.vpc]);
    text(Field::kResourceId).push_back(eni.role == Role::kNat ? HexId(random, "nat-") : "-");
    text(Field::kEncryptionStatus).push_back(std::to_string(random->Below(4)));
    text(Field::kInterfaceType)
        .emplace_back(eni.role == Role::kNat            ? "nat_gateway"
                      : eni.role == Role::kLoadBalancer ? "network_load_balancer"
                      : eni.role == Role::kTransit      ? "transit_gateway"
                                                        : "-");
    const std::string team = kServices[random->Below(6)];
    text(Field::kInstanceTag).push_back(managed ? "-" : "team%2D" + team);
    text(Field::kInstanceTag2).push_back(managed ? "-" : random->Chance(0.7) ? "prod" : "test");
    text(Field::kInterfaceTag).push_back(team);
    text(Field::kInterfaceTag2).emplace_back("-");
    text(Field::kAsgTag).push_back(managed ? "-" : team + "%2Dasg");
    text(Field::kAsgTag2).emplace_back("-");
    const bool ecs = !managed && random->Chance(0.15);
    const std::string arn = "arn:aws:ecs:" + region + ":" + account + ":", cluster = kServices[random->Below(6)];
    const std::string task = HexId(random, "", 32), instance = HexId(random, "", 32);
    const auto ecs_text = [&](Field field, const std::string& value) { text(field).push_back(ecs ? value : "-"); };
    ecs_text(Field::kEcsClusterArn, arn + "cluster/" + cluster);
    ecs_text(Field::kEcsClusterName, cluster);
    ecs_text(Field::kEcsContainerInstanceArn, arn + "container-instance/" + cluster + "/" + instance);
    ecs_text(Field::kEcsContainerInstanceId, instance);
    ecs_text(Field::kEcsContainerId, HexId(random, "", 32) + "-1");
    ecs_text(Field::kEcsSecondContainerId, "-");
    ecs_text(Field::kEcsServiceName, team);
    ecs_text(Field::kEcsTaskDefinitionArn, arn + "task-definition/" + team + ":7");
    ecs_text(Field::kEcsTaskArn, arn + "task/" + cluster + "/" + task);
    ecs_text(Field::kEcsTaskId, task);
  }
}

void World::MakeAddresses(Random* random) {
  std::unordered_set<uint32_t> used;
  first_peer = options.interfaces;
  first_noise = first_peer + options.peers;
  const uint32_t total = first_noise + options.noise_sources;
  const Sampler services({62, 12, 10, 8, 2, 5, 1});
  constexpr const char* kNames[] = {"-", "AMAZON", "EC2", "S3", "DYNAMODB", "CLOUDFRONT", "GLOBALACCELERATOR"};
  while (v4.size() < total) {
    const auto i = static_cast<uint32_t>(v4.size());
    uint32_t address;
    if (i < first_peer) {  // 10.<vpc>.<subnet>.<host>
      address = 10u << 24 | interfaces[i].vpc % 200 << 16 | interfaces[i].subnet % 3 << 12 | random->Between(4, 4093);
    } else {
      address = random->Between(1u << 24, (223u << 24) - 1);
      const uint32_t first = address >> 24;
      if (first == 10 || first == 127 || first == 169 || first == 172 || first == 192) continue;
      if (address >> 22 == (100u << 2 | 1)) address += 16u << 24;  // RFC 6598: VPCs use it, the internet does not
    }
    const bool peer = i >= first_peer && i < first_noise;
    if (!used.insert(address).second) continue;
    Ip ip{(i < first_peer ? 0x26001F18ull : 0x26000000ull + i % 32 * 0x10000) << 32 | random->Below(1ull << 32),
          random->Next()};
    if (random->Chance(0.6)) ip.lo &= 0xFFFF;  // many are written short
    const char* const name = peer ? kNames[services.Draw(random)] : "-";
    const bool s3 = std::string_view(name) == "S3";
    v4.push_back(ToString(s3 ? InS3(Ip::V4(address), &used) : Ip::V4(address)));
    v6.push_back(ToString(s3 ? InS3(ip, &used) : ip));
    service.push_back(name);
  }
  if (options.world == SynthWorld::kOffice) AddOfficeAddresses();
}

void World::AddOfficeAddresses() {
  const auto add = [&](uint32_t address) {
    v4.push_back(ToString(Ip::V4(address)));
    v6.push_back(ToString(Ip{0xFD00ull << 48, address}));
    service.push_back("-");
  };
  first_on_premises = static_cast<uint32_t>(v4.size());
  for (on_premises = 0; on_premises < 100; ++on_premises) add(192u << 24 | 168u << 16 | 40u << 8 | (10 + on_premises));
  first_multicast = static_cast<uint32_t>(v4.size());
  multicast = 3;
  add(239u << 24 | 255u << 16 | 255u << 8 | 250);  // SSDP
  add(224u << 24 | 251);                           // mDNS
  add(224u << 24 | 252);                           // LLMNR
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
