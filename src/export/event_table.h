// Events as columns instead of lines.
#ifndef VPCFLOW_SRC_EXPORT_EVENT_TABLE_H_
#define VPCFLOW_SRC_EXPORT_EVENT_TABLE_H_

#include "src/export/event_columns.h"
#include "src/export/event_tree.h"
#include "vpcflow/export/events.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Returns the values of the members of a tree that was made with maps.
EventTables TablesOf(const EventSchema& schema, const EventNode& tree, EventColumns* columns, EventScratch* scratch);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_EVENT_TABLE_H_
