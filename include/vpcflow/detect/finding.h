// Finding: a detector's verdict, with the counts that decided.
//
// Example:
//   vpcflow::Finding finding;
//   finding.severity = vpcflow::Severity::kHigh;
//   std::cout << vpcflow::SeverityName(finding.severity) << " " << finding.technique << " " << finding.sentence << "\n";
#ifndef VPCFLOW_DETECT_FINDING_H_
#define VPCFLOW_DETECT_FINDING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vpcflow/aggregate/total.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

enum class Severity : uint8_t { kHigh, kMedium, kLow };
inline constexpr std::array<std::string_view, 3> kSeverityNames = {"high", "medium", "low"};
constexpr std::string_view SeverityName(Severity severity) { return kSeverityNames[static_cast<size_t>(severity)]; }

// A value that decided. None stands for a port or protocol that a session does not have.
using Evidence = std::variant<std::monostate, int64_t, uint128, double, std::string, Ip, std::vector<int64_t>>;

struct Finding {
  std::string_view detector{};  // its name
  Severity severity = Severity::kMedium;
  Ip actor{};                  // of a flood, and of a service that several outside hosts reach, the host itself
  std::vector<Ip> targets{};   // the first twenty by sessions
  int64_t start = 0, end = 0;  // Unix seconds of the first and last session that count
  double score = 0.5;          // 0.5 at the threshold, towards 1 beyond: an order
  // The share of findings like it that is right in such logs. None of every detector today: it depends on how rare
  // incidents are, which no data at hand can tell of another network.
  std::optional<double> confidence{};
  std::string_view technique{};  // of MITRE ATT&CK
  std::vector<std::pair<std::string_view, Evidence>> evidence{};
  Finding& AddEvidence(std::string_view name, Evidence value);
  std::string sentence{};  // for a person; of texts that came from elsewhere it has labels alone
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_DETECT_FINDING_H_
