// The smallest of texts is not offered.
#include "vpcflow/core.h"
#ifdef VPCFLOW_MUST_FAIL
vpcflow::Min<vpcflow::f::InterfaceId> least;
#else
vpcflow::Min<vpcflow::f::Bytes> least;
#endif
