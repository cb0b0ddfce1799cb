// A scan that is gone after the statement that set it up.
#include "vpcflow/scan/scan.h"
void F(const vpcflow::Source& source) {
#ifdef VPCFLOW_MUST_FAIL
  vpcflow::Scan& scan = vpcflow::Scan(source).Where("bytes > 0").Threads(1);
#else
  vpcflow::Scan scan = vpcflow::Scan(source).Where("bytes > 0").Threads(1);
#endif
  (void)scan;
}
