// A view of a constant record that is gone after the statement.
#include "vpcflow/core.h"
const vpcflow::Record Make();
void F() {
#ifdef VPCFLOW_MUST_FAIL
  const vpcflow::RecordView view = Make().view();
#else
  const vpcflow::Record record = Make();
  const vpcflow::RecordView view = record.view();
#endif
  (void)view;
}
