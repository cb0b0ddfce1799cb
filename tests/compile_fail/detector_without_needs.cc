// The row of a detector says which fields it needs.
#include "vpcflow/detect/detector.h"
constexpr vpcflow::FieldNeed kNeeds[] = {vpcflow::Essential("who sends is unknown", {vpcflow::Field::kSrcAddr})};
constexpr vpcflow::DetectorInfo kDetector = {
    .name = "port_scan",
    .technique = "T1046",
#ifndef VPCFLOW_MUST_FAIL
    .needs = kNeeds,
#endif
};
