// The rows of schemas that are written and not read.
#ifndef VPCFLOW_SRC_EXPORT_EVENT_SCHEMAS_H_
#define VPCFLOW_SRC_EXPORT_EVENT_SCHEMAS_H_

#include "vpcflow/export/events.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Whether a row that writes a value holds a field's.
bool Covers(std::string_view value, std::string_view field);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_EVENT_SCHEMAS_H_
