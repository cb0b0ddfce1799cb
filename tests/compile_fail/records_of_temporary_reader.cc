// A walk over a reader that is gone before the first step.
#include "vpcflow/scan/reader.h"
int F() {
  int n = 0;
#ifdef VPCFLOW_MUST_FAIL
  for (const auto& record : *vpcflow::Reader::Open("flow.log")) n += record.dstport() == 22;
#else
  absl::StatusOr<vpcflow::Reader> reader = vpcflow::Reader::Open("flow.log");
  for (const auto& record : *reader) n += record.dstport() == 22;
  for (const auto& record : vpcflow::Reader::Open("flow.log").value()) n += record.dstport() == 22;
#endif
  return n;
}
