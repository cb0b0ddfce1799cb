// A label of a table that is gone after the statement.
#include "vpcflow/enrich/labels.h"
vpcflow::Labels Make();
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const std::string& label = Make().label(0);
#else
  const vpcflow::Labels labels = Make();
  const std::string& label = labels.label(0);
#endif
  return label.size();
}
