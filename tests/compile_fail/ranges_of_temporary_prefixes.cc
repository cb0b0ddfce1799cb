// The ranges of a set of prefixes that is gone after the statement.
#include "vpcflow/filter/cidr_set.h"
vpcflow::CidrSet Make();
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const auto& ranges = Make().ranges();
#else
  const vpcflow::CidrSet set = Make();
  const auto& ranges = set.ranges();
#endif
  return ranges.size();
}
