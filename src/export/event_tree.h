// The members of the events of a schema as a tree, and the steps that write it for a batch.
#ifndef VPCFLOW_SRC_EXPORT_EVENT_TREE_H_
#define VPCFLOW_SRC_EXPORT_EVENT_TREE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "src/export/event_columns.h"
#include "src/export/event_values.h"
#include "vpcflow/export/events.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct EventNode {
  std::string name;
  EventStyle style = EventStyle::kObject;  // as a member of what it stands in
  const EventRow* row = nullptr;           // of a value; null for an object or array
  bool array = false;                      // its members are elements or pairs
  const EventRow* rest = nullptr;          // takes the values that no row writes
  std::vector<EventNode> members{};
};

EventNode MakeEventTree(const EventSchema& schema, bool maps);

// What is written for a number.
struct EventMade {
  int64_t value = kNullInt64;
  size_t size = 0;
  std::string text{};
};

// What is kept from batch to batch.
struct EventScratch {
  // Members made of numbers, by the row, name and type of the first.
  std::map<std::tuple<const EventRow*, std::string, ColumnType>, std::vector<EventMade>> made{};
  std::vector<int32_t> numbers{};                      // of the values of a dictionary; kNullCode between uses
  std::map<std::string, bool, std::less<>> covered{};  // whether some row writes a field
};

// Appends some bytes to each row.
struct EventStep {
  enum class Kind : uint8_t {
    kText,      // the same for each row
    kCodes,     // what the dictionary's value has
    kNumber32,  // a number with a text before and one behind it, if it is not null
    kNumber64,
    kMade32,  // members made of a number
    kMade64,
    kMillis,  // a time
    kSeconds,
    kNanos,
    kRfc3339,
    kId,
    kBegin,  // of an object or array that is left out if it has no members
    kEnd
  };
  // What may be read behind a text, and written behind a row.
  static constexpr size_t kMostCopied = 192, kSlack = kMostCopied + 32;
  static constexpr size_t kMostNested = 16;
  std::string Make(int64_t value) const;

  Kind kind = Kind::kText;
  char bracket = '}';
  bool keep = false;   // of kEnd: an object without members stays
  std::string text{};  // with slack behind it, as `behind`
  size_t size = 0;
  std::string behind{};
  size_t behind_size = 0;
  size_t longest = 0;              // bytes that it may append
  size_t copied = 0;               // of kCodes: bytes that are copied whatever the size of the value; 0 for its own
  const int32_t* codes = nullptr;  // numbers; of kCodes places in `begins`
  const int64_t* wide = nullptr;
  std::vector<int32_t> places{};  // what codes points to, of kCodes
  std::vector<size_t> begins{};   // of the bytes of each value in text, null first
  std::vector<EventMade>* made = nullptr;
  const EventColumn* column = nullptr;
  std::vector<EventMember> values{};  // of kMade
  // The last day of kRfc3339 and how it is written.
  int64_t day = -1;
  std::array<char, 10> date{};
};

// The columns that no row writes, and values that are not read from their places as they were.
std::vector<const EventColumn*> RestOf(const EventSchema& schema, EventColumns* columns, EventScratch* scratch);
// The row that each of them is written by.
const EventRow& RestRow(const EventRow& rest);
// A column of a type that is rare in events as texts.
const EventColumn& AsTexts(const EventColumn& column, EventColumns* columns);

std::vector<EventStep> StepsOf(const EventSchema& schema, const EventNode& tree, std::string_view version,
                               EventColumns* columns, EventScratch* scratch);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_EVENT_TREE_H_
