// OCSF Network Activity (class 4001), as Security Lake delivers flow logs: where the fields of a record stand in it.
//
// The mapping is that of AWS's converter (ocsf/examples, "VPC Flowlogs", versions 1.0.0-rc.2, 1.1 and 1.5) and of
// others that write the same events. OCSF says less than a record: fields that it lacks are null, and which of source
// and destination is the recording interface's is where its ids stand. The packet's own address is the endpoint's, the
// interface's stands before it. Fields that no other place has are members of `unmapped` by their own names.
//
// Example:
//   for (const vpcflow::EventField& field : vpcflow::OcsfFields()) Print(field.name, field.places[0].pointer);
//   Print(vpcflow::OcsfTime("2026-11-23T06:00:00Z"));            // 1795413600
#ifndef VPCFLOW_CONTAINER_OCSF_H_
#define VPCFLOW_CONTAINER_OCSF_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vpcflow/format/event_row.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

inline constexpr uint64_t kOcsfNetworkActivity = 4001;

// Returns the fields that events have, with their places.
std::span<const EventField> OcsfFields();

// Returns a time of an event as the parser takes one, Unix seconds; another text unchanged.
std::string OcsfTime(std::string_view text);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_CONTAINER_OCSF_H_
