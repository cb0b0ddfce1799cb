// Some field is essential to each analysis: one that could do without all of them would answer for any format.
#include "vpcflow/format/capabilities.h"
#ifdef VPCFLOW_MUST_FAIL
constexpr vpcflow::FieldNeed kNeeds[] = {vpcflow::Helpful("who sends is unknown", {vpcflow::Field::kSrcAddr})};
#else
constexpr vpcflow::FieldNeed kNeeds[] = {vpcflow::Essential("who sends is unknown", {vpcflow::Field::kSrcAddr})};
#endif
constexpr vpcflow::FieldNeeds kAll = kNeeds;
