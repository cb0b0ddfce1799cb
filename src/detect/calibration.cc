// How sure a finding is: the share of its like that was right on labelled data.
#include "src/detect/calibration.h"

#include <cstdint>

#include "src/detect/context.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

struct Calibrated {
  std::string_view detector;
  Severity severity;
  int strength;
  uint32_t right, all;
};
constexpr Calibrated kCalibrated[] = {
#define VPCFLOW_CALIBRATED(detector, severity, strength, right, all) \
  {detector, Severity::severity, strength, right, all},
#include "src/detect/calibration.inc"
#undef VPCFLOW_CALIBRATED
};
constexpr uint32_t kEnough = 8;  // findings; fewer say too little

}  // namespace

std::optional<double> ConfidenceOf(std::string_view detector, Severity severity, double score) {
  const int strength = score >= 0.95 ? 2 : score >= 5.0 / 6 ? 1 : 0;
  // Of its strength; if there are too few, of any.
  for (const bool any : {false, true}) {
    uint32_t right = 0, all = 0;
    for (const Calibrated& own : kCalibrated) {
      if (own.detector != detector || own.severity != severity) continue;
      if (!any && own.strength != strength) continue;
      right += own.right;
      all += own.all;
    }
    // Laplace's rule of succession: no number of findings makes certain.
    if (all >= kEnough) return Rounded((right + 1.0) / (all + 2.0), 3);
  }
  return std::nullopt;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
