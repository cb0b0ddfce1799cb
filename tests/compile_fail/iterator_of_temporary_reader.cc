// An iterator of a reader that is gone after the statement.
#include "vpcflow/scan/reader.h"
void F() {
#ifdef VPCFLOW_MUST_FAIL
  auto at = vpcflow::Reader::Open("flow.log")->begin();
#else
  auto reader = vpcflow::Reader::Open("flow.log");
  auto at = reader->begin();
#endif
  (void)at;
}
