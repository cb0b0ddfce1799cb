// The maps of sources that are known.
#ifndef VPCFLOW_SRC_EVENTS_KNOWN_MAPS_H_
#define VPCFLOW_SRC_EVENTS_KNOWN_MAPS_H_

#include <span>
#include <string_view>

#include "vpcflow/events/event_map.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Returns the maps of a source; the first that takes a document counts. None for sources that maps do not describe.
std::span<const EventMap> MapsOf(std::string_view source);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_KNOWN_MAPS_H_
