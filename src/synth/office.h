// Office: what sessions of the office world leave in the logs of the interfaces that see them.
#ifndef VPCFLOW_SRC_SYNTH_OFFICE_H_
#define VPCFLOW_SRC_SYNTH_OFFICE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/synth/planter.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A conversation. Addresses are those of World; bytes are the payload's. Written in braces, its numbers are drawn in
// the same order by every compiler.
struct Session {
  uint32_t client, server;
  uint16_t port;
  int64_t start, seconds;
  int64_t sent, received;
  uint8_t protocol = 6;
  uint16_t client_port = 0;  // 0: drawn
  double keepalive = 60;     // seconds between packets of a side that has nothing to say
  bool one_way = false;      // the server never answers
};

// How a try fails: the server's network rejects it, the port is closed, or nobody answers.
enum class Failure : uint8_t { kRejected, kClosed, kSilent };
struct Try {
  uint32_t client, server;
  uint16_t port;
  int64_t start;
  Failure failure;
  uint8_t protocol = 6;
};
// When people and machines do something: at all hours, in working hours, at night.
enum class Hours : uint8_t { kAll, kWork, kNight };

// Where the cast of each plant begins in the order of hosts; some hosts have several parts, as real ones do.
enum Cast : size_t {
  kNodes = 0,
  kControllers = 22,
  kResolvers = 24,
  kMonitors = 26,
  kRunners = 28,
  kBackupServer = 34,
  kCollector = 35,
  kMailRelays = 36,
  kSftp = 38,
  kSites = 39,
  kScanner = 43,
  kBastions = 44,
  kDatabases = 46,
  kBlockchain = 52,
  kShare = 53,
  kMirror = 54,
  kCache = 55,
  kScaled = 56,
  kDesktops = 64,
};

struct OfficePlant {
  PlantInfo info;
  std::vector<std::string> detectors{};  // that may name it; none for what is benign
  void (*make)(const World& world, const OfficePlant& plant, uint64_t seed, Planted* out) = nullptr;
};
// In the order of "all".
std::vector<OfficePlant> OfficeDayPlants();
std::vector<OfficePlant> OfficeStrangersPlants();
std::vector<OfficePlant> OfficeAttackPlants();

class Office : public Planter {
 public:
  Office(const World& world, uint64_t seed);

  void LabelAs(const OfficePlant& plant);

 protected:
  // The hosts of the world in an order of its own, the same for all plants: the n-th from the front for benign plants,
  // from the back for attacks.
  uint32_t Host(size_t n) const { return cast_[n % cast_.size()]; }
  uint32_t AttackHost(size_t n) const { return cast_[cast_.size() - 1 - n % cast_.size()]; }
  size_t hosts() const { return cast_.size(); }
  std::vector<uint32_t> Some(size_t n, size_t from) const;  // hosts from..from+n, fewer in a small world
  uint32_t AnyHost() { return cast_[random_.Below(cast_.size())]; }
  uint32_t OnPremises(uint32_t n) const { return world_.first_on_premises + n % world_.on_premises; }
  uint32_t Multicast(uint32_t n) const { return world_.first_multicast + n % world_.multicast; }
  // An outside host of the AWS service.
  uint32_t PeerOf(std::string_view service);
  // An outside host of no service.
  uint32_t Stranger();

  uint32_t Draw(uint32_t least, uint32_t most) { return random_.Between(least, most); }
  // Of a log-normal distribution.
  int64_t Bytes(double median, double sigma = 0.8) {
    return std::max<int64_t>(1, static_cast<int64_t>(median * std::exp(sigma * random_.Normal())));
  }
  int64_t end() const { return begin_ + span_; }
  double days() const { return static_cast<double>(span_) / 86400; }
  int64_t Within(int64_t at, int64_t length) {
    return at + random_.Below(static_cast<uint64_t>(std::max<int64_t>(1, length)));
  }
  // Where an attack of so many seconds begins; it is cut to the log.
  int64_t Begin(int64_t* seconds);
  // A count or bytes of an attack, by the intensity asked for.
  int64_t Scaled(double n) const { return std::max<int64_t>(1, std::llround(n * world_.options.intensity)); }

  // Calls fn(time) every `period` seconds, each time later or earlier by up to that share of the period.
  template <class Fn>
  void Every(double period, double jitter, Fn fn) {
    EveryWithin(begin_, span_, period, jitter, fn);
  }
  template <class Fn>
  void EveryWithin(int64_t at, int64_t length, double period, double jitter, Fn fn) {
    const double phase = random_.Unit() * period;
    for (double t = phase; t < static_cast<double>(length); t += period) {
      const double moved = t + period * jitter * (2 * random_.Unit() - 1);
      const auto time = at + static_cast<int64_t>(std::max(0.0, moved));
      if (time < at + length) fn(time);
    }
  }
  // Calls fn(time) about n times a day, at times of those hours.
  template <class Fn>
  void Daily(double n, Hours hours, Fn fn) {
    const double a_day = WeightOfDay(hours);
    for (int64_t hour = begin_; hour < end(); hour += 3600) {
      const int64_t length = std::min<int64_t>(3600, end() - hour);
      const double mean = n * Weight(hours, hour) / a_day * static_cast<double>(length) / 3600;
      const auto times = static_cast<int64_t>(mean + random_.Unit());
      for (int64_t i = 0; i < times; ++i) fn(Within(hour, length));
    }
  }

  // Logs a session wherever it is seen: at both ends that are ours, at the NAT gateway of hosts that have one, and at
  // both attachments of the transit gateway between VPCs.
  void Log(Session session);
  void Fail(const Try& failed);

  std::vector<uint32_t> actors_;  // of an attack; without, the first record's source

 private:
  struct Side {
    uint32_t address, seen;  // what the packet has, and what the interface sees
    uint16_t port;
    int64_t packets, bytes;
  };
  bool IsOurs(uint32_t address) const { return address < world_.first_peer; }
  bool IsOutside(uint32_t address) const { return address >= world_.first_peer && address < world_.first_on_premises; }
  // The NAT gateway by which a host goes out; none for hosts with an address of their own.
  std::optional<uint32_t> GatewayOf(uint32_t host) const;
  std::optional<uint32_t> AttachmentOf(uint32_t host) const;
  void LogAt(uint32_t interface, const Session& session, const Side& client, const Side& server);
  void LogDirection(uint32_t interface, const Session& session, const Side& from, const Side& to, bool request,
                    int64_t cut);
  void AddFailed(uint32_t interface, uint32_t from, uint32_t to, uint16_t from_port, uint16_t to_port, int64_t start,
                 uint8_t protocol, uint8_t flags, bool rejected, int64_t packets);
  static double Weight(Hours hours, int64_t time);
  static double WeightOfDay(Hours hours);

  std::vector<uint32_t> cast_;
};

// Makes a plant: a member function of a class of Office.
template <class T>
struct PlanterOf;
template <class C>
struct PlanterOf<void (C::*)()> {
  using type = C;
};
template <auto plant>
void MakePlant(const World& world, const OfficePlant& what, uint64_t seed, Planted* out) {
  typename PlanterOf<decltype(plant)>::type planter(world, seed);
  (planter.*plant)();
  planter.LabelAs(what);
  planter.TakeInto(out);
}

inline OfficePlant BenignPlant(std::string_view name, std::string_view meaning, decltype(OfficePlant::make) make) {
  return {{name, true, meaning, SynthWorld::kOffice}, {}, make};
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SYNTH_OFFICE_H_
