// LeadingTime: the time that tools write before a line.
#ifndef VPCFLOW_SRC_CONTAINER_LEADING_TIME_H_
#define VPCFLOW_SRC_CONTAINER_LEADING_TIME_H_

#include <cstddef>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The size of the time that a text begins with, its zone included, or 0: ISO 8601 with T or a blank before the time of
// day, with or without fraction and zone ("2025-11-29T07:06:40.000Z", "2025-11-29 07:06:40 UTC", "[2025-11-29
// 07:06:40+01:00]"), or syslog's ("Nov 29 07:06:40", also behind its priority).
size_t LeadingTime(std::string_view text);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_LEADING_TIME_H_
