// What decides on records says yes or no.
#include "vpcflow/sketch/accumulators.h"
constexpr auto kPasses = [](const vpcflow::RecordView& record) {
#ifdef VPCFLOW_MUST_FAIL
  (void)record;
#else
  return record.dstport() == 22;
#endif
};
void F(vpcflow::Where<kPasses, vpcflow::Count>& some, const vpcflow::RecordView& record) { some.Update(record); }
