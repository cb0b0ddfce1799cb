// The detectors: what each asks of sessions, and what it makes of the answer; and what they share.
#ifndef VPCFLOW_SRC_DETECT_DETECTORS_H_
#define VPCFLOW_SRC_DETECT_DETECTORS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/detect/sessions.h"
#include "vpcflow/detect/finding.h"
#include "vpcflow/detect/settings.h"
#include "vpcflow/enrich/labels.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Services that ask a person for a password; and those that applications log in to all day, of which only tries from
// outside tell something; and those by which one host gets into another.
inline constexpr std::array<int32_t, 8> kAdminPorts = {21, 22, 23, 445, 3389, 5900, 5985, 5986};
inline constexpr std::array<int32_t, 5> kDatabasePorts = {1433, 1521, 3306, 5432, 27017};
inline constexpr std::array<int32_t, 7> kLateralPorts = {22, 135, 139, 445, 3389, 5985, 5986};
inline constexpr int32_t kDynamicPorts = 49152;  // RFC 6335: from here on ports are of no service

template <size_t n>
bool IsOneOf(const std::array<int32_t, n>& ports, int32_t port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

// What a detector looks at.
struct Asked {
  const Sessions& sessions;
  const DetectSettings& settings;
  const Labels& services;         // AWS's, by address
  std::string_view services_day;  // of the list that comes with the library; none for another

  bool inside(uint32_t address) const { return sessions.Is(address, kInside); }
  std::string text(uint32_t address) const { return ToString(sessions.address(address)); }
};

// One of each detector; in no order.
std::vector<Finding> FindPortScans(const Asked& asked);
std::vector<Finding> FindBruteForce(const Asked& asked);
std::vector<Finding> FindExfiltration(const Asked& asked);
std::vector<Finding> FindBeacons(const Asked& asked);
std::vector<Finding> FindLateralMovement(const Asked& asked);
std::vector<Finding> FindUnauthorisedAccess(const Asked& asked);
std::vector<Finding> FindAcceptedAfterReject(const Asked& asked);
std::vector<Finding> FindFloods(const Asked& asked);
std::vector<Finding> FindTunnels(const Asked& asked);
std::vector<Finding> FindKnownBad(const Asked& asked);
std::vector<Finding> FindNewAdminEdges(const Asked& asked);
std::vector<Finding> FindNewPorts(const Asked& asked);
std::vector<Finding> FindNewProtocols(const Asked& asked);
std::vector<Finding> FindNewDestinations(const Asked& asked);
std::vector<Finding> FindNewCountries(const Asked& asked);

// -- what they share

struct Span {
  int64_t first = std::numeric_limits<int64_t>::max(), last = std::numeric_limits<int64_t>::min();
  void Add(const SessionRow& row) {
    first = std::min(first, row.start);
    last = std::max(last, row.end);
  }
};

// Sessions by host. The first twenty by sessions, those of as many by their text.
using Counts = std::vector<std::pair<uint32_t, uint64_t>>;
std::vector<Ip> MostOf(const Sessions& sessions, Counts counts);

// The value that at least the share `q` of the values do not exceed; `values` are put in another order, and not none.
uint64_t QuantileOf(std::vector<uint64_t>* values, double q);

// 1,234,567; and of so many digits behind the point.
std::string Commas(uint128 n);
std::string Fixed(double value, int digits);
double Rounded(double value, int digits);
// 0.5 at the threshold, towards 1 beyond.
double ScoreOf(double threshold, double count);
// A port as logs have it.
std::string PortText(int32_t port);
// Of a port or protocol.
Evidence NumberOrNone(int32_t value);
// ", 2026-11-23 10:00:00 to 2026-11-23 11:00:00"
std::string When(const Span& span);
template <class T>
int64_t Signed(T n) {
  return static_cast<int64_t>(n);
}

Finding Made(std::string_view detector, std::string_view technique, Severity severity, const Ip& actor,
             std::vector<Ip> targets, const Span& span, double score);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_DETECTORS_H_
