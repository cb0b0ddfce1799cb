// The Arrow C interfaces at the place where earlier releases had them.
#ifndef VPCFLOW_EXPORT_ARROW_ABI_H_
#define VPCFLOW_EXPORT_ARROW_ABI_H_

#include "vpcflow/source/arrow_abi.h"

#endif  // VPCFLOW_EXPORT_ARROW_ABI_H_
