// The report of a reader that is gone after the statement.
#include "vpcflow/scan/reader.h"
vpcflow::Reader Make();
void F() {
#ifdef VPCFLOW_MUST_FAIL
  const vpcflow::Report& report = Make().report();
#else
  vpcflow::Reader reader = Make();
  const vpcflow::Report& report = reader.report();
#endif
  (void)report;
}
