// Events of OCSF Network Activity back into flow log records.
#ifndef VPCFLOW_SRC_CONTAINER_OCSF_H_
#define VPCFLOW_SRC_CONTAINER_OCSF_H_

#include <simdjson.h>

#include "src/container/record_lines.h"
#include "vpcflow/container/ocsf.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// False, and nothing is written, if an event has nothing of a flow.
bool TakeOcsf(const simdjson::dom::object& event, RecordLines* lines);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_OCSF_H_
