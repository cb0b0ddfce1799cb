// The values of rows as they stand in an event: JSON, or the extension of CEF.
#ifndef VPCFLOW_SRC_EXPORT_EVENT_VALUES_H_
#define VPCFLOW_SRC_EXPORT_EVENT_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/export/event_columns.h"
#include "vpcflow/format/event_row.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

enum class EventStyle : uint8_t {
  kObject,   // "name":value,
  kElement,  // value,
  kPair,     // {"key":"name","value":value},
  kCef,      // " name=value"
  kRaw       // the value as it is
};

// What stands before and behind the values of a member.
struct MemberFrame {
  std::string before;
  std::string behind;
};
MemberFrame FrameOf(std::string_view name, EventStyle style, bool quoted);

// A member of an event: what a row writes under a name.
struct EventMember {
  EventMember(const EventRow& of, std::string_view name, EventStyle as);

  const EventRow* row;
  EventStyle style;
  MemberFrame frame;
  MemberFrame address{};  // of an address that is written as it is, or as an observable
};

// Appends a member with a value of a column, or nothing if the row has no word for the value. `code` is a number of the
// column's dictionary, or a number itself; no time.
void AppendMember(const EventMember& member, const EventColumn& column, int64_t code, std::string* out);

// Returns the value without quotes; nothing if there is none to write.
std::optional<std::string> PlainValue(const EventRow& row, const EventColumn& column, int64_t code);

// Whether what a row writes for a text is read as the same by its words.
bool IsReadAsWritten(const EventRow& row, std::string_view value);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_EVENT_VALUES_H_
