// Sums of different fields are not merged.
#include "vpcflow/core.h"
#ifdef VPCFLOW_MUST_FAIL
using Field = vpcflow::f::Packets;
#else
using Field = vpcflow::f::Bytes;
#endif
void F(vpcflow::Sum<vpcflow::f::Bytes>& bytes, const vpcflow::Sum<Field>& other) { bytes.Merge(other); }
