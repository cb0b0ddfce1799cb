// OCSF Network Activity (class 4001), as Security Lake delivers flow logs, back into flow log records.
//
// The mapping is that of AWS's converter (ocsf/examples, "VPC Flowlogs", versions 1.0 to 1.1). OCSF says less than a
// record: fields that it lacks are null, and which of source and destination is the recording interface's is where its
// ids stand.
#ifndef VPCFLOW_SRC_CONTAINER_OCSF_H_
#define VPCFLOW_SRC_CONTAINER_OCSF_H_

#include <simdjson.h>

#include "src/container/record_lines.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr uint64_t kOcsfNetworkActivity = 4001;

void TakeOcsf(const simdjson::dom::object& event, RecordLines* lines);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_OCSF_H_
