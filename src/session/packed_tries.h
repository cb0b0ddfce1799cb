// PackedTries: tries, sessions of one record with a packet or a few of one end, in 24 bytes instead of some 220.
#ifndef VPCFLOW_SRC_SESSION_PACKED_TRIES_H_
#define VPCFLOW_SRC_SESSION_PACKED_TRIES_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "src/keys/codes.h"
#include "src/session/store.h"
#include "vpcflow/result/array.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A session with its ends and its only view.
struct Try {
  EndpointPair pair{};
  Session session{};
  InterfaceView view{};
  const Ip& sender() const { return pair.address[view.from]; }
  const Ip& target() const { return pair.address[1 - view.from]; }
};

class PackedTries {
 public:
  static constexpr uint64_t kMostPackets = 3;  // that a try has whatever its bytes

  // Returns whether a session can be packed, whose views are `view` and those that it is linked to.
  static bool Packs(const EndpointPair& pair, const Session& session, const InterfaceView& view);
  // Adds a session that can be packed.
  void Add(const Try& one);
  // Adds another's. The codes of its interfaces are translated by `codes`.
  void Merge(const PackedTries& other, const CodeMap& codes);
  // Returns what was added, but for the links.
  Try Get(size_t i) const;
  Ip SenderOf(size_t i) const;
  // Returns the number of the target's address, below targets(): the same for the same address.
  uint32_t TargetOf(size_t i) const { return ends_[packed_[i].end].address; }
  const Ip& target(uint32_t number) const { return addresses_[number]; }
  size_t targets() const { return addresses_.size(); }
  // Takes out the tries for which wanted(number) is true, and hands each to take(try).
  template <class Wanted, class Take>
  void TakeIf(Wanted wanted, Take take) {
    size_t left = 0;
    for (size_t i = 0; i < packed_.size(); ++i) {
      if (wanted(i)) {
        take(Get(i));
      } else {
        packed_[left++] = packed_[i];
      }
    }
    packed_.slice(0, left);
  }

  size_t size() const { return packed_.size(); }
  bool empty() const { return packed_.empty(); }
  // Memory, about.
  size_t bytes() const;

 private:
  enum Mark : uint8_t { kV6 = 1, kNoSenderPort = 2, kNoTargetPort = 4, kTold = 8 };
  struct Packed {
    uint32_t sender;  // of IPv4 the address, else its number
    uint32_t end;     // the number of the receiving end
    uint32_t start;
    uint16_t sender_port, target_port, seconds, bytes, flags;
    uint8_t packets, marks;
  };
  static_assert(sizeof(Packed) == 24);
  // What tries of many senders share.
  struct End {
    uint32_t address;
    int32_t protocol;
    uint64_t interface;
    uint8_t flow;
    bool rejected;
    friend bool operator==(const End&, const End&) = default;
    template <class H>
    friend H AbslHashValue(H h, const End& e) {
      return H::combine(std::move(h), e.address, e.protocol, e.interface, e.flow, e.rejected);
    }
  };
  uint32_t EndNumber(const End& end);
  uint32_t AddressNumber(const Ip& address);

  Array<Packed> packed_;
  std::vector<Ip> v6_;  // senders
  std::vector<Ip> addresses_;
  std::vector<End> ends_;
  absl::flat_hash_map<Ip, uint32_t, IpHash> address_numbers_;
  absl::flat_hash_map<End, uint32_t> end_numbers_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_PACKED_TRIES_H_
