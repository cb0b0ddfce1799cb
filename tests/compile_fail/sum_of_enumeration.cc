// ACCEPT and REJECT have numbers inside, but no sum.
#include "vpcflow/core.h"
#ifdef VPCFLOW_MUST_FAIL
using Field = vpcflow::f::Action;
#else
using Field = vpcflow::f::Bytes;
#endif
vpcflow::Sum<Field> sum;
