// Windows are longer than nothing.
#include "vpcflow/sketch/accumulators.h"
#ifdef VPCFLOW_MUST_FAIL
constexpr int64_t kSeconds = 0;
#else
constexpr int64_t kSeconds = 60;
#endif
vpcflow::Windows<kSeconds, vpcflow::Count> windows;
