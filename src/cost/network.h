// Epoch: a network from one time to the next, ready to be looked up.
#ifndef VPCFLOW_SRC_COST_NETWORK_H_
#define VPCFLOW_SRC_COST_NETWORK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "src/keys/codes.h"
#include "vpcflow/cost/path_class.h"
#include "vpcflow/reach/routes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What kind of interface a record or a hop is of, as far as prices depend on it.
enum class Hop : uint8_t { kNone, kPlain, kNat, kRegionalNat, kTgw, kEndpoint, kAppliance };

Hop HopOf(std::string_view type);
inline bool IsNat(Hop hop) { return hop == Hop::kNat || hop == Hop::kRegionalNat; }

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

struct OneSubnet {
  PathSubnet given{};
  RouteTable routes{};
};
struct OneVpc {
  PathVpc given{};
  uint32_t region = 0;
  std::vector<const OneSubnet*> subnets{};
};
struct OneInterface {
  PathInterface given{};
  Hop hop = Hop::kNone;
  uint32_t owner = 0, region = 0;
  const OneSubnet* subnet = nullptr;
  const OneVpc* vpc = nullptr;
};

// Tells whether one of some prefixes holds an address.
inline bool HoldAny(const std::vector<Cidr>& prefixes, const Ip& address) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const Cidr& one) { return Holds(one, address); });
}

// A network with its ways to look things up.
class Epoch {
 public:
  Epoch(PathNetwork network, Texts* owners, Texts* regions);
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
    const auto at = subnets_.find(id);
    return at == subnets_.end() ? nullptr : &at->second;
  }
  const OneVpc* Vpc(std::string_view id) const {
    const auto at = vpcs_.find(id);
    return at == vpcs_.end() ? nullptr : &at->second;
  }
  // The subnet of a VPC (null: none) that has an address.
  static const OneSubnet* SubnetAt(const OneVpc* vpc, const Ip& address) {
    if (vpc == nullptr) return nullptr;
    for (const OneSubnet* one : vpc->subnets) {
      if (HoldAny(one->given.prefixes, address)) return one;
    }
    return nullptr;
  }
  static bool IsInVpc(const OneVpc* vpc, const Ip& address) {
    return vpc != nullptr && (HoldAny(vpc->given.prefixes, address) || SubnetAt(vpc, address) != nullptr);
  }
  // Another VPC that has an address; null if none or several do.
  const OneVpc* OtherVpc(std::string_view vpc, const Ip& address) const {
    const OneVpc* found = nullptr;
    for (const auto& [id, one] : vpcs_) {
      if (id == vpc || !HoldAny(one.given.prefixes, address)) continue;
      if (found != nullptr) return nullptr;
      found = &one;
    }
    return found;
  }

 private:
  struct Hash : internal::TextHash {
    using is_transparent = void;
  };
  const int64_t from_;
  std::unordered_map<std::string, OneVpc, Hash, std::equal_to<>> vpcs_{};
  std::unordered_map<std::string, OneSubnet, Hash, std::equal_to<>> subnets_{};
  std::vector<OneInterface> interfaces_{};
  std::unordered_map<std::string_view, const OneInterface*, internal::TextHash> by_id_{};
  std::unordered_map<Ip, std::vector<const OneInterface*>, internal::IpHash> by_address_{};
  std::unordered_map<Ip, const OneInterface*, internal::IpHash> by_public_{};
  std::vector<std::pair<Cidr, const OneInterface*>> delegated_{};
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_COST_NETWORK_H_
