// The name of a source that is gone after the statement.
#include "vpcflow/source/source.h"
size_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const std::string& name = vpcflow::Source::File("flow.log").name();
#else
  const vpcflow::Source source = vpcflow::Source::File("flow.log");
  const std::string& name = source.name();
#endif
  return name.size();
}
