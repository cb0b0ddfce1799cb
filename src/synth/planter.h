// Planter: makes the records of what is planted, and their labels.
#ifndef VPCFLOW_SRC_SYNTH_PLANTER_H_
#define VPCFLOW_SRC_SYNTH_PLANTER_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/synth/plants.h"
#include "src/synth/world.h"
#include "vpcflow/synth/synth.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class Planter {
 public:
  Planter(const World& world, uint64_t seed)
      : world_(world),
        random_(seed),
        begin_(world.options.start),
        span_(static_cast<int64_t>(world.options.hours * 3600)) {}

  // Moves what was planted behind what `out` has.
  void TakeInto(Planted* out);

 protected:
  // Labels what was added since the last label. Without `actors` the first record's source is the only one. `also` has
  // further members of the label's JSON object, each with a comma before it.
  void Label(const PlantInfo& info, std::vector<uint32_t> actors = {}, const std::string& also = "");

  uint32_t PickInside() { return random_.Below(world_.options.interfaces); }
  uint32_t PickRole(Role role) {
    const std::vector<uint32_t>& all = world_.by_role[static_cast<size_t>(role)];
    return all[random_.Below(all.size())];
  }
  uint32_t PickPeer() { return world_.first_peer + random_.Below(world_.options.peers); }
  bool IsS3(uint32_t address) const { return std::string_view(world_.service[address]) == "S3"; }
  uint32_t PickNoise() { return world_.first_noise + random_.Below(world_.options.noise_sources); }

  // A period of up to `seconds`, away from both ends of the log and at most half of it.
  std::pair<int64_t, int64_t> Period(int64_t seconds) {
    seconds = std::max<int64_t>(60, std::min(seconds, span_ / 2));
    const int64_t room = std::max<int64_t>(1, span_ * 9 / 10 - seconds - span_ / 10);
    return {begin_ + span_ / 10 + random_.Below(static_cast<uint64_t>(room)), seconds};
  }

  SynthRecord& Add(uint32_t interface, uint32_t src, uint32_t dst, uint16_t srcport, uint16_t dstport, int64_t start) {
    SynthRecord record{};
    record.interface = interface;
    record.src = record.pkt_src = src;
    record.dst = record.pkt_dst = dst;
    const uint32_t end = src == interface ? dst : src;
    record.other = end < world_.first_peer ? end : SynthRecord::kNone;
    record.srcport = srcport;
    record.dstport = dstport;
    record.egress = src == interface;
    record.path = !record.egress ? 0 : record.other != SynthRecord::kNone ? 1 : 8;
    record.start = start;
    record.end = start + random_.Between(1, static_cast<uint32_t>(std::max(2, world_.options.window - 1)));
    return records_.emplace_back(record);
  }
  void Size(SynthRecord* record, int64_t packets, int64_t bytes) {
    record->packets = packets;
    record->bytes = bytes;
  }
  // Each number is drawn by a statement of its own: compilers differ in the order of arguments.
  void DrawSize(SynthRecord* record, uint32_t least_packets, uint32_t most_packets, uint32_t least, uint32_t most) {
    record->bytes = random_.Between(least, most);
    record->packets = random_.Between(least_packets, most_packets);
  }
  // At a port of the client's and a time of the period.
  SynthRecord& AddWithin(uint32_t interface, uint32_t src, uint32_t dst, uint16_t dstport, int64_t at, int64_t length) {
    const int64_t start = at + random_.Below(static_cast<uint64_t>(length));
    const uint16_t port = HighPort();
    return Add(interface, src, dst, port, dstport, start);
  }
  uint16_t HighPort() { return static_cast<uint16_t>(random_.Between(32768, 60999)); }

  // An inside host that is no gateway and no load balancer.
  uint32_t PickHost() {
    while (true) {
      const uint32_t host = PickInside();
      const Role role = world_.interfaces[host].role;
      if (role != Role::kNat && role != Role::kLoadBalancer) return host;
    }
  }
  const World& world_;
  Random random_;
  int64_t begin_, span_;
  std::vector<SynthRecord> records_;

 private:
  size_t first_ = 0;  // of the records without a label
  std::vector<std::string> labels_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SYNTH_PLANTER_H_
