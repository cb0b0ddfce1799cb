// World: the fixed cast of synthetic logs: interfaces with their roles and texts, and the addresses outside.
#ifndef VPCFLOW_SRC_SYNTH_WORLD_H_
#define VPCFLOW_SRC_SYNTH_WORLD_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "src/synth/random.h"
#include "vpcflow/format/field.h"
#include "vpcflow/synth/synth.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// kTransit is a transit gateway's interface, of which only the office world has any.
enum class Role : uint8_t { kWeb, kApp, kDatabase, kCache, kLoadBalancer, kNat, kBastion, kMonitor, kTransit };

struct Interface {
  Role role;
  uint32_t account;
  uint32_t region;
  uint32_t vpc;
  uint32_t subnet;
  uint16_t port;  // what it serves
  int64_t phase;  // second of the window in which its windows begin
};

// A record before it is text. Addresses are indices into World::addresses; interfaces come first there.
struct SynthRecord {
  static constexpr uint32_t kNone = 0xFFFFFFFF;
  uint32_t interface;
  uint32_t other = kNone;  // the interface at the other end, if it is one of ours
  uint32_t src, dst, pkt_src, pkt_dst;
  uint16_t srcport = 0, dstport = 0;
  uint8_t protocol = 6;
  uint8_t flags = 0;
  bool six = false;
  bool rejected = false;
  bool egress = false;
  uint8_t path = 0;    // traffic-path, 0 for none
  uint8_t status = 0;  // 0 OK, 1 NODATA, 2 SKIPDATA
  bool bpa = false;
  int64_t packets = 1, bytes = 40;
  int64_t start = 0, end = 0;
};

class World {
 public:
  World(const SynthOptions& options, Random* random);

  const SynthOptions& options;
  std::vector<std::string> accounts;
  std::vector<std::string> regions;
  std::vector<Interface> interfaces;
  // Texts of the fields that depend on the interface alone, by field and interface.
  std::array<std::vector<std::string>, kFieldCount> texts;
  uint32_t first_peer, first_noise;
  // Of the office world: addresses of a building behind a VPN, and groups of multicast; none of them has an interface.
  uint32_t first_on_premises = 0, on_premises = 0, first_multicast = 0, multicast = 0;
  std::vector<std::string> v4, v6;   // addresses as text
  std::vector<const char*> service;  // AWS service of an address
  Sampler pick_interface, pick_peer, pick_noise;
  std::vector<std::vector<uint32_t>> by_role;

 private:
  void MakeInterfaces(Random* random);
  void MakeTexts(Random* random);
  void MakeAddresses(Random* random);
  void AddOfficeAddresses();
};

// Renders records as lines of a format.
class Renderer {
 public:
  Renderer(const World& world, const Format& format);
  // Writes the line at `out`, which has room for max_line() bytes; returns its end.
  char* Write(const SynthRecord& record, char* out) const;
  size_t max_line() const { return max_line_; }

 private:
  // A column: its field, the texts by interface it comes from (or null), and whether silent records have it.
  struct Piece {
    Field field;
    const std::vector<std::string>* texts;
    bool always;
  };

  const World& world_;
  std::vector<Piece> pieces_;
  std::string version_;
  size_t max_line_ = 1;
};

// Ordinary traffic, window by window.
class Traffic {
 public:
  Traffic(const World& world, uint64_t seed) : world_(world), random_(seed) {}
  // Emits `n` records of the window that begins at `begin`.
  void Window(int64_t begin, uint64_t n, const std::function<void(const SynthRecord&)>& emit);

 private:
  struct Conversation {
    uint32_t interface, other;  // where it is logged; the other end's interface, or kNone
    uint32_t peer;              // address of the other end
    uint16_t client_port, server_port;
    uint8_t protocol;
    bool outbound;  // the interface is the client
    bool six;
    uint8_t path;
    int windows_left;
    bool first = true;
    double request, reply;         // packets a window
    int request_size, reply_size;  // bytes a packet
  };

  Conversation NewConversation();
  void EmitNoise(int64_t begin, const std::function<void(const SynthRecord&)>& emit);
  void EmitSilence(int64_t begin, uint8_t status, const std::function<void(const SynthRecord&)>& emit);
  uint64_t EmitWindow(Conversation* c, int64_t begin, uint64_t room,
                      const std::function<void(const SynthRecord&)>& emit);

  const World& world_;
  Random random_;
  std::vector<Conversation> active_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SYNTH_WORLD_H_
