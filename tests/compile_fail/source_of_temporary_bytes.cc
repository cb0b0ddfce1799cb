// A source whose bytes are gone after the statement.
#include <string>

#include "vpcflow/vpcflow.h"
std::string Read();
vpcflow::Source F(const std::string& text) {
#ifdef VPCFLOW_MUST_FAIL
  return vpcflow::Source::Bytes("x", Read());
#else
  return vpcflow::Source::Bytes("x", text);
#endif
}
