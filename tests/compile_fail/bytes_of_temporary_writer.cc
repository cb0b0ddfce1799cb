// The bytes of a writer that is gone after the statement.
#include "vpcflow/state/bytes.h"
vpcflow::StateWriter Make();
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const std::string& bytes = Make().bytes();
#else
  const vpcflow::StateWriter writer = Make();
  const std::string& bytes = writer.bytes();
#endif
  return bytes.size();
}
