// Rows of a grouping that is gone before the first of them.
#include "vpcflow/aggregate/group_by.h"
using Talkers = vpcflow::GroupBy<vpcflow::Keys<vpcflow::f::SrcAddr>, vpcflow::Aggregate<vpcflow::Count>>;
Talkers Make();
uint64_t F() {
  uint64_t n = 0;
#ifdef VPCFLOW_MUST_FAIL
  for (const auto& row : Make().Top<0>(3)) n += row.value<0>();
#else
  const Talkers talkers = Make();
  for (const auto& row : talkers.Top<0>(3)) n += row.value<0>();
#endif
  return n;
}
