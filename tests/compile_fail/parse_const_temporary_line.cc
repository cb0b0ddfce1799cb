// A view of a constant line that is gone after the statement.
#include <string>

#include "vpcflow/core.h"
const std::string Read();
void F(vpcflow::RecordParser& parser, vpcflow::RecordView* out) {
#ifdef VPCFLOW_MUST_FAIL
  (void)parser.Parse(Read(), out);
#else
  const std::string line = Read();
  (void)parser.Parse(line, out);
#endif
}
