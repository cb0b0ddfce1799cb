// The rows of all detectors. The list of rows is made by CMake from the files in src/detect/detectors/: a file
// <name>.cc defines vpcflow::internal::detectors::<name>.
#ifndef VPCFLOW_SRC_DETECT_REGISTRY_H_
#define VPCFLOW_SRC_DETECT_REGISTRY_H_

#include <span>

#include "vpcflow/detect/detector.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

namespace detectors {
#define VPCFLOW_DETECTOR(name) extern const DetectorInfo name;
#include "src/detect/detectors.inc"
#undef VPCFLOW_DETECTOR
}  // namespace detectors

// Returns the settings of all detectors, each once: the shared ones, then in the order of detectors.
std::span<const SettingInfo* const> AllSettings();

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_REGISTRY_H_
