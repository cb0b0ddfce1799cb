// A text of a record that is gone after the statement.
#include "vpcflow/core.h"
size_t F(const vpcflow::RecordView& record) {
#ifdef VPCFLOW_MUST_FAIL
  const auto name = vpcflow::Record(record)->interface_id();
#else
  const vpcflow::Record kept(record);
  const auto name = kept->interface_id();
#endif
  return name->size();
}
