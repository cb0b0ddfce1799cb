#include "vpcflow/cost/path_class.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/cost/network.h"
#include "src/cost/way.h"
#include "vpcflow/enrich/labels.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::Epoch;
using internal::OneInterface;
using internal::Texts;

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

// Interfaces by where the text of their id lies: equal texts of a batch lie at one place.
class Cache {
 public:
  const OneInterface* Find(const Epoch& epoch, std::string_view id) {
    if (id.empty()) return nullptr;
    if (epoch_ != &epoch) {
      entries_ = {};
      epoch_ = &epoch;
    }
    auto& [place, found] = entries_[reinterpret_cast<uintptr_t>(id.data()) / 8 % entries_.size()];
    if (place != id.data()) {
      place = id.data();
      found = epoch.Interface(id);
    }
    return found;
  }

 private:
  const Epoch* epoch_ = nullptr;
  std::array<std::pair<const char*, const OneInterface*>, 128> entries_{};
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
  // A log has these fields or has them not; a batch in which one has a value is of a log that has them.
  bool hops_told = false;
  for (const size_t field : {kHop, kHopZone, kHopType, kType}) {
    const std::vector<uint32_t>& texts = batch.columns[slots[field]].texts;
    hops_told |= std::any_of(texts.begin(), texts.end(), [](uint32_t code) { return code != kNullText; });
  }
  Cache interfaces;
  for (size_t i = 0; i < out.size(); ++i) {
    internal::PathRow row;
    row.start = number(kStart, i) == kNullInt ? 0 : number(kStart, i);
    row.src = address(kSrc, i), row.dst = address(kDst, i);
    row.pkt_src = address(kPktSrc, i), row.pkt_dst = address(kPktDst, i);
    const Epoch& epoch = impl_->At(row.start);
    row.self = interfaces.Find(epoch, text(kInterface, i));
    row.hops_told = hops_told;
    row.has_interface = !text(kInterface, i).empty();
    if (row.self == nullptr) row.self = interfaces.Find(epoch, text(kResource, i));
    row.hop = interfaces.Find(epoch, text(kHop, i));
    row.action = text(kAction, i), row.direction = text(kDirection, i);
    row.region = text(kRegion, i), row.zone = text(kZone, i), row.vpc = text(kVpc, i), row.subnet = text(kSubnet, i);
    row.src_service = text(kSrcService, i), row.dst_service = text(kDstService, i);
    row.type = text(kType, i);
    row.hop_zone = text(kHopZone, i), row.hop_type = text(kHopType, i);
    row.path = number(kPath, i) == kNullInt ? -1 : number(kPath, i);
    const PathAnswer answer = internal::FindWay(epoch, impl_->regions, impl_->ranges, row);
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
