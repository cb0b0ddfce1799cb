// Events of a mapping table as records.
#ifndef VPCFLOW_SRC_CONTAINER_EVENT_FIELDS_H_
#define VPCFLOW_SRC_CONTAINER_EVENT_FIELDS_H_

#include <simdjson.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/container/record_lines.h"
#include "vpcflow/container/ocsf.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What stands at a JSON pointer.
using EventLookup = std::function<std::optional<simdjson::dom::element>(std::string_view pointer)>;

// The text of a value, without types around it; nothing if it is null, empty or "-". Of several values it is their
// JSON: no silent null, where a field has one.
std::optional<std::string> EventText(const simdjson::dom::element& value);

// What flow logs call a value of an event.
std::string_view Translated(const EventTranslation& translation, std::string_view value);

// Adds the fields that an event has, and those that stand as members of `own` by their own names; false if these are
// not the fields of a record.
bool TakeEvent(std::span<const EventField> fields, std::string_view own, const EventLookup& at, RecordLines* lines);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_EVENT_FIELDS_H_
