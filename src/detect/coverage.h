// What the formats of logs hide from detectors.
#ifndef VPCFLOW_SRC_DETECT_COVERAGE_H_
#define VPCFLOW_SRC_DETECT_COVERAGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vpcflow/detect/detection.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Returns the coverage of each detector. `formats` and `shown`: as Report::formats and Report::shown. Where `shown` is
// empty the formats alone decide.
std::vector<DetectorCoverage> CoverageOf(const std::map<std::string, uint64_t>& formats,
                                         const std::map<std::string, uint64_t>& shown);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_COVERAGE_H_
