// Groups by different keys are not merged.
#include "vpcflow/vpcflow.h"
#ifdef VPCFLOW_MUST_FAIL
using Key = vpcflow::f::DstAddr;
#else
using Key = vpcflow::f::SrcAddr;
#endif
void F(vpcflow::GroupBy<vpcflow::Keys<vpcflow::f::SrcAddr>, vpcflow::Count>& groups,
       const vpcflow::GroupBy<vpcflow::Keys<Key>, vpcflow::Count>& other) {
  groups.Merge(other);
}
