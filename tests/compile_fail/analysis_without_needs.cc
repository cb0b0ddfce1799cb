// An analysis names the fields that it needs: without any it would look as if every format could answer it.
#include "vpcflow/format/capabilities.h"
constexpr vpcflow::FieldNeed kNeeds[] = {
#ifndef VPCFLOW_MUST_FAIL
    vpcflow::Essential("who sends is unknown", {vpcflow::Field::kSrcAddr})
#endif
};
constexpr vpcflow::AnalysisInfo kAnalysis = {"port_scan", "one source that tries many ports", kNeeds};
