// The fields of a filter that is gone after the statement.
#include "vpcflow/filter/filter.h"
vpcflow::Filter Make();
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const auto& fields = Make().fields();
#else
  const vpcflow::Filter filter = Make();
  const auto& fields = filter.fields();
#endif
  return fields.size();
}
