// Texts have no sum.
#include "vpcflow/core.h"
#ifdef VPCFLOW_MUST_FAIL
using Field = vpcflow::f::InterfaceId;
#else
using Field = vpcflow::f::Bytes;
#endif
void F(vpcflow::Sum<Field>& sum, const vpcflow::RecordView& record) { sum.Update(record); }
