#include "src/detect/registry.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "src/detect/settings.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr const DetectorInfo* kDetectors[] = {
#define VPCFLOW_DETECTOR(name) &internal::detectors::name,
#include "src/detect/detectors.inc"
#undef VPCFLOW_DETECTOR
};
constexpr const SettingInfo* kSharedSettings[] = {&internal::kInsideNetworks};

}  // namespace

std::span<const DetectorInfo* const> Detectors() { return kDetectors; }

const DetectorInfo* DetectorNamed(std::string_view name) {
  const auto at = std::find_if(std::begin(kDetectors), std::end(kDetectors),
                               [&](const DetectorInfo* detector) { return detector->name == name; });
  return at == std::end(kDetectors) ? nullptr : *at;
}

std::span<const SettingInfo* const> SharedSettings() { return kSharedSettings; }

std::span<const AnalysisInfo> Analyses() {
  static const std::vector<AnalysisInfo> all = [] {
    std::vector<AnalysisInfo> out(std::begin(kAnalyses), std::end(kAnalyses));
    for (const DetectorInfo* detector : kDetectors) out.push_back(detector->analysis());
    return out;
  }();
  return all;
}

std::span<const SettingInfo* const> internal::AllSettings() {
  static const std::vector<const SettingInfo*> all = [] {
    std::vector<const SettingInfo*> out(std::begin(kSharedSettings), std::end(kSharedSettings));
    for (const DetectorInfo* detector : kDetectors) {
      for (const SettingInfo* setting : detector->settings) {
        if (std::find(out.begin(), out.end(), setting) == out.end()) out.push_back(setting);
      }
    }
    return out;
  }();
  return all;
}

VPCFLOW_NAMESPACE_END
