// DetectorInfo: all that is said about a detector, in one row of its file, src/detect/detectors/<name>.cc. Names,
// settings, capabilities, documentation and the Python package are made from these rows.
//
// Example:
//   for (const vpcflow::DetectorInfo* detector : vpcflow::Detectors()) {
//     std::cout << detector->name << " (" << detector->technique << "): " << detector->meaning << "\n";
//     for (const vpcflow::SettingInfo* setting : detector->settings) std::cout << "  " << setting->name << "\n";
//   }
//
// The rows live as long as the program.
#ifndef VPCFLOW_DETECT_DETECTOR_H_
#define VPCFLOW_DETECT_DETECTOR_H_

#include <span>
#include <string_view>
#include <vector>

#include "vpcflow/detect/finding.h"
#include "vpcflow/detect/settings.h"
#include "vpcflow/format/capabilities.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

namespace internal {
struct DetectorContext;
}

struct DetectorInfo {
  std::string_view name{};
  std::string_view technique{};  // of MITRE ATT&CK
  std::string_view meaning{};    // what it looks for
  std::string_view method{};     // how it decides, with sources
  std::string_view misses{};     // what it cannot see in any format
  FieldNeeds needs;              // fields; empty needs do not compile
  // What else it needs, by the name of the argument that gives it ("baseline", or a setting); it finds nothing without.
  std::span<const std::string_view> inputs{};
  std::span<const SettingInfo* const> settings{};
  std::vector<Finding> (*find)(const internal::DetectorContext& context) = nullptr;  // for Detection

  constexpr AnalysisInfo analysis() const { return {name, meaning, needs}; }
};

// Returns all detectors, in the order of their names.
std::span<const DetectorInfo* const> Detectors();
// Returns a detector by its name; null if there is none.
const DetectorInfo* DetectorNamed(std::string_view name);
// Returns the settings that all detectors share.
std::span<const SettingInfo* const> SharedSettings();
// Returns the analyses of vpcflow/format/capabilities.h, then the detectors, for Capabilities and RecommendedFormat.
std::span<const AnalysisInfo> Analyses();

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_DETECT_DETECTOR_H_
