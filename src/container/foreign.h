// SeemsToBe: the kind of a document, line or header that is no flow log record, by its content.
#ifndef VPCFLOW_SRC_CONTAINER_FOREIGN_H_
#define VPCFLOW_SRC_CONTAINER_FOREIGN_H_

#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// "a CloudTrail event", "a GuardDuty finding", "a syslog line", ..., or empty if nothing tells. Looks at the first 4
// KiB.
std::string_view SeemsToBe(std::string_view text);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_FOREIGN_H_
