#include "src/session/packed_tries.h"

#include <limits>
#include <tuple>

#include "src/session/kind.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

template <class T>
bool Fits(uint64_t value) {
  return value <= std::numeric_limits<T>::max();
}

int64_t FirstSeen(const InterfaceView& view, int64_t start) { return view.flow != 0 ? start : kNever; }

}  // namespace

bool PackedTries::Packs(const EndpointPair& pair, const Session& session, const InterfaceView& view) {
  const size_t from = view.from;
  const uint32_t flags = session.flags[from] & ~kFlagsTold;
  return view.next == InterfaceView().next && view.records == 1 && view.packets >= 1 && view.packets <= kMostPackets &&
         (flags & kFin) == 0 && Fits<uint16_t>(view.bytes) && Fits<uint16_t>(flags) && session.start >= 0 &&
         Fits<uint32_t>(static_cast<uint64_t>(session.start)) &&
         Fits<uint16_t>(static_cast<uint64_t>(session.end - session.start)) && session.first[from] == session.start &&
         !session.seen(1 - from) && session.first_seen[from] == FirstSeen(view, session.start) &&
         session.first_seen[1 - from] == kNever && session.flags[1 - from] == 0 && view.rejected <= 1 &&
         std::tie(pair.address[0], pair.port[0]) != std::tie(pair.address[1], pair.port[1]);
}

uint32_t PackedTries::EndNumber(const End& end) {
  const auto [at, added] = end_numbers_.try_emplace(end, static_cast<uint32_t>(ends_.size()));
  if (added) ends_.push_back(end);
  return at->second;
}

uint32_t PackedTries::AddressNumber(const Ip& address) {
  const auto [at, added] = address_numbers_.try_emplace(address, static_cast<uint32_t>(addresses_.size()));
  if (added) addresses_.push_back(address);
  return at->second;
}

void PackedTries::Add(const Try& one) {
  const size_t from = one.view.from, to = 1 - from;
  const Session& session = one.session;
  const auto port = [&](size_t end) {
    return one.pair.port[end] == kNoPort ? uint16_t{0} : static_cast<uint16_t>(one.pair.port[end]);
  };
  Packed packed{};
  packed.marks = static_cast<uint8_t>(
      (one.pair.port[from] == kNoPort ? kNoSenderPort : 0) | (one.pair.port[to] == kNoPort ? kNoTargetPort : 0) |
      ((session.flags[from] & kFlagsTold) != 0 ? kTold : 0) | (one.sender().is_v4() ? 0 : kV6));
  if (one.sender().is_v4()) {
    packed.sender = one.sender().v4();
  } else {
    packed.sender = static_cast<uint32_t>(v6_.size());
    v6_.push_back(one.sender());
  }
  packed.end = EndNumber(
      {AddressNumber(one.target()), one.pair.protocol, one.view.interface, one.view.flow, one.view.rejected > 0});
  packed.start = static_cast<uint32_t>(session.start);
  packed.seconds = static_cast<uint16_t>(session.end - session.start);
  packed.sender_port = port(from);
  packed.target_port = port(to);
  packed.bytes = static_cast<uint16_t>(one.view.bytes);
  packed.flags = static_cast<uint16_t>(session.flags[from] & ~kFlagsTold);
  packed.packets = static_cast<uint8_t>(one.view.packets);
  packed_.push_back(packed);
}

Ip PackedTries::SenderOf(size_t i) const {
  const Packed& packed = packed_[i];
  return (packed.marks & kV6) != 0 ? v6_[packed.sender] : Ip::V4(packed.sender);
}

Try PackedTries::Get(size_t i) const {
  const Packed& packed = packed_[i];
  const End& end = ends_[packed.end];
  const Ip sender = SenderOf(i), target = addresses_[end.address];
  const uint32_t sender_port = (packed.marks & kNoSenderPort) != 0 ? kNoPort : packed.sender_port,
                 target_port = (packed.marks & kNoTargetPort) != 0 ? kNoPort : packed.target_port;
  Try out;
  const uint8_t from = std::tie(target, target_port) < std::tie(sender, sender_port) ? 1 : 0;
  out.pair.address[from] = sender;
  out.pair.port[from] = sender_port;
  out.pair.address[1 - from] = target;
  out.pair.port[1 - from] = target_port;
  out.pair.protocol = end.protocol;
  out.view = {end.interface,        packed.packets, packed.bytes, 1, end.rejected ? uint64_t{1} : 0,
              InterfaceView().next, from,           end.flow};
  out.session.start = packed.start;
  out.session.end = out.session.start + packed.seconds;
  out.session.first = out.session.first_seen = {kNever, kNever};
  out.session.first[from] = out.session.start;
  out.session.first_seen[from] = FirstSeen(out.view, out.session.start);
  out.session.flags[from] = packed.flags | ((packed.marks & kTold) != 0 ? kFlagsTold : 0);
  return out;
}

void PackedTries::Merge(const PackedTries& other, const CodeMap& codes) {
  std::vector<uint32_t> ends;
  ends.reserve(other.ends_.size());
  for (End end : other.ends_) {
    end.address = AddressNumber(other.addresses_[end.address]);
    end.interface = codes(end.interface, Kind::kText);
    ends.push_back(EndNumber(end));
  }
  const auto before = static_cast<uint32_t>(v6_.size());
  v6_.insert(v6_.end(), other.v6_.begin(), other.v6_.end());
  packed_.reserve(packed_.size() + other.packed_.size());
  for (Packed packed : other.packed_) {
    packed.end = ends[packed.end];
    if ((packed.marks & kV6) != 0) packed.sender += before;
    packed_.push_back(packed);
  }
}

size_t PackedTries::bytes() const {
  constexpr size_t kEntry = sizeof(End) + sizeof(uint32_t);
  return packed_.size() * sizeof(Packed) + v6_.size() * sizeof(Ip) + ends_.size() * (sizeof(End) + 2 * kEntry) +
         addresses_.size() * 4 * sizeof(Ip);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
