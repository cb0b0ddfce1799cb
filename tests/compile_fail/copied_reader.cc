// A reader is at one place of its sources, so it is not copied.
#include <utility>

#include "vpcflow/vpcflow.h"
void F(vpcflow::Reader& reader) {
#ifdef VPCFLOW_MUST_FAIL
  vpcflow::Reader other = reader;
#else
  vpcflow::Reader other = std::move(reader);
#endif
  other.Next();
}
