// Addresses have no quantiles.
#include "vpcflow/sketch/accumulators.h"
#ifdef VPCFLOW_MUST_FAIL
using Field = vpcflow::f::SrcAddr;
#else
using Field = vpcflow::f::Bytes;
#endif
void F(vpcflow::ApproxQuantile<Field>& quantiles, const vpcflow::RecordView& record) { quantiles.Update(record); }
