// The values of an array that is gone after the statement.
#include <cstdint>

#include "vpcflow/result/array.h"
vpcflow::Array<int64_t> Make();
int64_t F() {
#ifdef VPCFLOW_MUST_FAIL
  const int64_t* values = Make().data();
#else
  const vpcflow::Array<int64_t> array = Make();
  const int64_t* values = array.data();
#endif
  return *values;
}
