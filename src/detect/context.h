// DetectorContext: what a detector looks at, and the functions that detectors share to count and to state findings.
#ifndef VPCFLOW_SRC_DETECT_CONTEXT_H_
#define VPCFLOW_SRC_DETECT_CONTEXT_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/detect/prevalence.h"
#include "src/detect/sessions.h"
#include "src/detect/settings.h"
#include "vpcflow/detect/finding.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What a detector is given.
struct DetectorContext {
  const Sessions& sessions;
  const ResolvedSettings& settings;
  const Prevalence& prevalence;

  template <class T>
  const T& Get(const Setting<T>& setting) const {
    return settings.Get(setting);
  }
  // Returns whether an address is in one of the user's own networks.
  bool inside(uint32_t address) const { return sessions.Is(address, kInside); }
  // Returns whether an address is a host in none of them.
  bool outside(uint32_t address) const { return sessions.IsOutside(address); }
  // Returns whether so many outside hosts got an answer of a session's service that everybody may.
  bool open(const SessionRow& row) const { return prevalence.strangers(ServiceOf(row)) >= Get(kOpenStrangers); }
  std::string text(uint32_t address) const { return ToString(sessions.address(address)); }
};

// The first and last time of sessions.
struct Span {
  int64_t first = std::numeric_limits<int64_t>::max(), last = std::numeric_limits<int64_t>::min();
  void Add(const SessionRow& row) {
    first = std::min(first, row.start);
    last = std::max(last, row.end);
  }
};

// Sessions by host.
using Counts = std::vector<std::pair<uint32_t, uint64_t>>;
// Returns the first twenty hosts by sessions; of as many sessions, by their text.
std::vector<Ip> MostOf(const Sessions& sessions, Counts counts);

// Returns the value that at least the share `q` of `values` do not exceed. Reorders `values`, which are not empty.
uint64_t QuantileOf(std::vector<uint64_t>* values, double q);

// Returns a number as "1,234,567"; Fixed with that many digits behind the point.
std::string Commas(uint128 n);
std::string Fixed(double value, int digits);
double Rounded(double value, int digits);
// Returns 0.5 at the threshold, and towards 1 beyond.
double ScoreOf(double threshold, double count);
// Returns "1 session", "1,234 sessions".
std::string Counted(uint128 n, std::string_view what);
// Returns a port as logs have it: "-" for none.
std::string PortText(int32_t port);
// Returns "port 443", "UDP port 53", "protocol 132 port 80", "protocol 50"; TCP is not named.
std::string ServiceText(int32_t port, int32_t protocol);
inline std::string ServiceText(const SessionRow& row) { return ServiceText(row.port, row.protocol); }
// Returns "UDP ports": what `ports` of a protocol are called.
std::string PortsText(int32_t protocol, uint64_t ports);
// Returns protocols as evidence, without null.
std::vector<int64_t> ProtocolsOf(const std::set<int32_t>& protocols);

// Services of a finding, by protocol and port.
class ServicePorts {
 public:
  void Add(const SessionRow& row) { services_.insert({row.protocol, row.port}); }
  void Add(const ServicePorts& other) { services_.insert(other.services_.begin(), other.services_.end()); }
  size_t size() const { return services_.size(); }
  bool empty() const { return services_.empty(); }
  // Returns "ports 22, 445 and UDP port 3389", of the first twenty.
  std::string Text() const;
  // Adds the evidence `ports` and `protocols`, of the first twenty.
  void AddTo(Finding* finding, std::string_view name = "ports") const;

 private:
  static constexpr size_t kShown = 20;
  std::set<std::pair<int32_t, int32_t>> services_;
};
// Returns a port or protocol as evidence: none for null.
Evidence NumberOrNone(int32_t value);
// Returns ", 2026-11-23 10:00:00 to 2026-11-23 11:00:00 UTC", the end of a sentence.
std::string When(const Span& span);
template <class T>
int64_t Signed(T n) {
  return static_cast<int64_t>(n);
}

// Makes a finding without evidence and sentence. Detector and technique are set by Detection.
Finding MakeFinding(Severity severity, const Ip& actor, std::vector<Ip> targets, const Span& span, double score);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_CONTEXT_H_
