// The lines of an index that is gone after the statement.
#include "vpcflow/lines/token_index.h"
vpcflow::TokenIndex Make();
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const auto lines = Make().lines();
#else
  const vpcflow::TokenIndex index = Make();
  const auto lines = index.lines();
#endif
  return lines.size();
}
