#include "vpcflow/core.h"

bool OtherUnitAgrees(const vpcflow::RecordView& record) {
  const vpcflow::Record kept(record);
  return kept->dstport() == 22;
}
