// The plan of an aggregation that is gone after the statement.
#include "vpcflow/plan/aggregation.h"
vpcflow::Aggregation Make();
void F() {
#ifdef VPCFLOW_MUST_FAIL
  const vpcflow::Plan& plan = Make().plan();
#else
  const vpcflow::Aggregation aggregation = Make();
  const vpcflow::Plan& plan = aggregation.plan();
#endif
  (void)plan;
}
