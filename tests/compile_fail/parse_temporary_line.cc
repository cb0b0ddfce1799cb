// A view of a line that is gone after the statement.
#include <string>

#include "vpcflow/core.h"
void F(vpcflow::RecordParser& parser, vpcflow::RecordView* out, const std::string& line) {
#ifdef VPCFLOW_MUST_FAIL
  (void)parser.Parse(line + "\n", out);
#else
  (void)parser.Parse(line, out);
#endif
}
