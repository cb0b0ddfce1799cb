// The columns of a format that is gone after the statement.
#include "vpcflow/core.h"
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const auto& columns = vpcflow::Format::Default().columns();
#else
  const vpcflow::Format format = vpcflow::Format::Default();
  const auto& columns = format.columns();
#endif
  return columns.size();
}
