// Confidence: how sure a finding is.
#ifndef VPCFLOW_SRC_DETECT_CALIBRATION_H_
#define VPCFLOW_SRC_DETECT_CALIBRATION_H_

#include <optional>
#include <string_view>

#include "vpcflow/detect/finding.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Returns the share of findings like this one that was right on labelled data; none where there is too little of it.
std::optional<double> ConfidenceOf(std::string_view detector, Severity severity, double score);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_CALIBRATION_H_
