// The format of a parser that is gone after the statement.
#include "vpcflow/core.h"
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const vpcflow::Format& format = vpcflow::RecordParser(vpcflow::Format::Default()).format();
#else
  const vpcflow::RecordParser parser(vpcflow::Format::Default());
  const vpcflow::Format& format = parser.format();
#endif
  return format.size();
}
