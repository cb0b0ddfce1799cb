// Views point into their parser, so it is not copied.
#include "vpcflow/core.h"
void F(vpcflow::RecordParser& parser) {
#ifdef VPCFLOW_MUST_FAIL
  vpcflow::RecordParser copy = parser;
#endif
  (void)parser;
}
