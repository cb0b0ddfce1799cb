#include "vpcflow/core.h"

bool OtherUnitAgrees(const vpcflow::RecordView& record) { return vpcflow::Record(record)->dstport() == 22; }
