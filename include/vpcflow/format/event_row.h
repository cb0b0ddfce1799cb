// EventRow: a row of the table that maps the fields of a record to the members of an event of another schema. One table
// a schema is read and written by.
//
// Example:
//   static constexpr auto kRows = std::to_array<vpcflow::EventRow>({
//       {.pointer = "/source/port", .reads = "srcport", .writes = "srcport"},
//       {.pointer = "/event/kind", .constant = "event"},
//   });
//   constexpr auto kFields = vpcflow::EventFieldsOf<kRows>();   // srcport is read from /source/port
#ifndef VPCFLOW_FORMAT_EVENT_ROW_H_
#define VPCFLOW_FORMAT_EVENT_ROW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Values of events, in any case, and what flow logs call them; empty pairs at the end. Others stay as they are.
using EventTranslation = std::array<std::pair<std::string_view, std::string_view>, 20>;

// How a value stands in an event. Null is absent.
enum class EventValue : uint8_t {
  kNatural,     // numbers as numbers, texts and addresses as texts
  kText,        // as a text
  kMillis,      // a time in milliseconds since 1970
  kSeconds,     // a time in seconds since 1970
  kRfc3339,     // a time as 2026-11-23T06:00:00Z
  kTimeNanos,   // a time span in nanoseconds
  kWord,        // a text of the translation
  kNumber,      // a number of the translation
  kList,        // an array of the words of the translation, which are separated by blanks
  kProtocol,    // the usual name of a protocol number, in small letters; others are left out
  kPROTOCOL,    // in capitals
  kObservable,  // OCSF's {"name", "type_id", "type", "value"} of an address
  kNull,        // null, where the value is there
  kRest,        // an object of all values that no other row writes, under their own names with underscores
  kRestTexts,   // likewise, numbers as texts
};

// A row is written if it has `writes` or `constant`, and read if it has `reads`; most do both.
struct EventRow {
  std::string_view pointer{};  // a JSON pointer; behind "/-" stands an element of an array
  std::string_view
      reads{};  // AWS's name of the field that is read there; several rows in order: the first value counts
  std::string_view writes{};  // a field, or a value that is computed (see export/events.h)
  EventValue as = EventValue::kNatural;
  const EventTranslation* words = nullptr;  // what is read means
  // The words written for a value, if they are not `words` the other way: of "-" for any other, "" for none.
  const EventTranslation* written = nullptr;
  std::string_view constant{};  // JSON, written into each event; of kObservable the name
  bool last_resort = false;     // read only where no place before it is set, not even to "-"
  bool ends = false;            // read: the first place is of the source's end, the second of the destination's
};

struct EventPlace {
  std::string_view pointer{};
  const EventTranslation* translation = nullptr;
  bool last_resort = false;  // counts only where no place before it is set, not even to "-"
};

// The rows of a field, as readers need them.
struct EventField {
  std::string_view name{};             // AWS's
  std::array<EventPlace, 8> places{};  // the first that has a value counts; empty ones at the end
  // A time: a number of seconds, or of milli-, micro- or nanoseconds by its size, or RFC 3339; also in a member of the
  // place's name and _dt.
  bool time = false;
  // The first place is of the source's end, the second of the destination's: that of the recording interface, which of
  // an inbound connection is the destination's, counts.
  bool ends = false;
};

namespace internal {
template <const auto& kRows>
consteval size_t CountEventFields() {
  size_t count = 0;
  for (size_t i = 0; i < kRows.size(); ++i) {
    bool seen = kRows[i].reads.empty();
    for (size_t j = 0; j < i && !seen; ++j) seen = kRows[j].reads == kRows[i].reads;
    count += !seen;
  }
  return count;
}
}  // namespace internal

// Returns the fields that the rows of a table read, in the order of the table.
template <const auto& kRows>
consteval auto EventFieldsOf() {
  std::array<EventField, internal::CountEventFields<kRows>()> fields{};
  size_t count = 0;
  for (const EventRow& row : kRows) {
    if (row.reads.empty()) continue;
    size_t at = 0;
    while (at < count && fields[at].name != row.reads) ++at;
    EventField& field = fields[at];
    if (at == count) {
      ++count;
      field.name = row.reads;
      field.time = row.reads == "start" || row.reads == "end";
      field.ends = row.ends;
    }
    size_t place = 0;
    while (!field.places[place].pointer.empty()) ++place;
    field.places[place] = {row.pointer, row.words, row.last_resort};
  }
  return fields;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_EVENT_ROW_H_
