// A view of a record that is gone after the statement.
#include "vpcflow/core.h"
vpcflow::Record Make();
void F() {
#ifdef VPCFLOW_MUST_FAIL
  vpcflow::RecordView view = Make().view();
#else
  vpcflow::Record record = Make();
  vpcflow::RecordView view = record.view();
#endif
  (void)view;
}
