// The core ring: catalogue, format mapper, record parser and compile-time accumulators. Header-only, standard library
// alone. CMake target vpcflow::core. The engine (files, gzip, filters, plans) is <vpcflow/vpcflow.h>.
#ifndef VPCFLOW_CORE_H_
#define VPCFLOW_CORE_H_

#include "vpcflow/aggregate/accumulator.h"
#include "vpcflow/aggregate/coverage.h"
#include "vpcflow/base/errc.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/base/scalar.h"
#include "vpcflow/base/time.h"
#include "vpcflow/format/capabilities.h"
#include "vpcflow/format/format.h"
#include "vpcflow/lines/token_index.h"
#include "vpcflow/record/record.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/version.h"

#endif  // VPCFLOW_CORE_H_
