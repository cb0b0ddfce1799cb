// Events whose fields have names of ECS, as Elastic's pipeline writes flow logs, or of OpenTelemetry's conventions.
#ifndef VPCFLOW_SRC_CONTAINER_ECS_H_
#define VPCFLOW_SRC_CONTAINER_ECS_H_

#include <simdjson.h>

#include "src/container/record_lines.h"
#include "src/format/ecs_rows.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

enum class EventForm {
  kNested,  // {"source": {"ip": ...}}
  kDotted   // {"source.ip": ...}
};

// False, and nothing is written, if it is no event of a flow log. Values may be arrays of one.
bool TakeEcs(const simdjson::dom::object& event, EventForm form, RecordLines* lines);
// A list of [{"key": "source.address", "value": {"stringValue": ...}}, ...].
bool TakeEcs(const simdjson::dom::array& attributes, RecordLines* lines);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_ECS_H_
