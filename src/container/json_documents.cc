#include "src/container/json_documents.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "src/container/blob.h"
#include "src/container/column_names.h"
#include "src/container/ecs.h"
#include "src/container/ocsf.h"
#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

constexpr int kMaxNesting = 24;  // of objects and arrays that wrap a record

std::string_view Text(const dom::element& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

bool Is(const dom::element& value, uint64_t number) {
  uint64_t have;
  return value.get(have) == simdjson::SUCCESS ? have == number : Text(value) == std::to_string(number);
}

// Whether a text can be a line of a flow log: most words of these are numbers, addresses, ids and `-`, or names of
// fields.
bool LooksLikeLine(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr size_t kEnough = 4;
  size_t words = 0, telling = 0;
  while (telling < kEnough) {
    const size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    if (std::any_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; })) return false;
    ++words;
    telling += word == "-" || word.find_first_of("0123456789") != std::string_view::npos || FindField(word).has_value();
  }
  return telling == kEnough || (words > 1 && 2 * telling >= words);
}

// Whether the names of an object's members are those of a record.
bool NamesRecord(const dom::object& object) {
  unsigned evidence = kSaysNothing;
  for (const auto& [key, value] : object) evidence |= MeaningOf(key).evidence();
  return IsFlow(evidence);
}

// The name and the value of a cell that has both: {"field": ..., "value": ...} of Logs Insights, {"key": ..., "value":
// ...} of OTLP.
bool IsNamedCell(const dom::element& element, std::string_view* name, dom::element* value) {
  dom::object cell;
  if (element.get(cell) != simdjson::SUCCESS) return false;
  bool has_name = false, has_value = false;
  for (const auto& [key, member] : cell) {
    if (key == "value") {
      *value = member;
      has_value = true;
    } else if (key == "field" || key == "key") {
      has_name = member.get(*name) == simdjson::SUCCESS;
    }
  }
  return has_name && has_value;
}

bool IsNamedRow(const dom::array& array) {
  std::string_view name;
  dom::element value;
  return array.begin() != array.end() && IsNamedCell(*array.begin(), &name, &value);
}

// The text of a cell, a part of the value or of `scratch`; it may be wrapped in its type: {"stringValue": ...},
// {"VarCharValue": ...}; {} is null.
std::string_view CellText(dom::element value, std::string* scratch) {
  dom::object typed;
  if (value.get(typed) == simdjson::SUCCESS && typed.size() == 0) return "-";
  if (value.is_object() && typed.size() == 1) value = (*typed.begin()).value;
  if (value.is_string()) return Text(value);
  *scratch = ValueText(value);
  return *scratch;
}

// A line of Elastic's bulk files that says what to do with the document on the next.
bool IsAction(const dom::object& object, const Member& member) {
  dom::object target;
  if (object.size() != 1 || member.value.get(target) != simdjson::SUCCESS) return false;
  for (const auto& [key, value] : target) {
    if (!key.starts_with('_') && key != "routing" && key != "retry_on_conflict" && key != "pipeline") return false;
  }
  return true;
}

// The names of a table's columns: texts, or objects with a name, or an object whose only array holds such.
std::vector<std::string> ColumnNames(const dom::element& columns) {
  std::vector<std::string> names;
  dom::object object;
  dom::array array;
  if (columns.get(object) == simdjson::SUCCESS) {
    if (object["ColumnInfo"].get(array) != simdjson::SUCCESS) return names;
  } else if (columns.get(array) != simdjson::SUCCESS) {
    return names;
  }
  for (const dom::element column : array) {
    std::string_view name;
    if (column.get(name) != simdjson::SUCCESS && column["name"].get(name) != simdjson::SUCCESS &&
        column["Name"].get(name) != simdjson::SUCCESS)
      return {};
    names.emplace_back(name);
  }
  return names;
}

std::optional<Holds> HoldsOf(std::string_view name) {
  const uint8_t place = kMemberIndex.Find(name);
  return place == MemberIndex::kNone ? std::nullopt : std::optional(kMemberNames[place].holds);
}

constexpr bool EachNameIsFound() {
  for (size_t i = 0; i < kMemberNames.size(); ++i) {
    if (kMemberIndex.Find(kMemberNames[i].name) != i) return false;
  }
  return true;
}
static_assert(EachNameIsFound(), "a name stands in kMemberNames twice");

// The cells of a table's row: the array itself, or Athena's {"Data": [...]}.
bool CellsOf(const dom::element& row, dom::array* cells) {
  return row.get(*cells) == simdjson::SUCCESS || row["Data"].get(*cells) == simdjson::SUCCESS;
}

}  // namespace

void Documents::Take(const Element& value) {
  Array array;
  if (value.get(array) == simdjson::SUCCESS && !IsNamedRow(array)) {
    for (const Element entry : array) Take(entry);
  } else if (value.is_array()) {
    if (!TakeNamed(array)) lines_.NoRecord(simdjson::minify(value));
  } else if (value.is_string()) {  // lines as an array of texts
    if (!TakeMessage(Text(value))) lines_.NoRecord(Text(value));
  } else if (Object object; value.get(object) != simdjson::SUCCESS || !TakeObject(object, 0)) {
    lines_.NoRecord(simdjson::minify(value));
  }
}

void Documents::TakeEntry(const Element& entry) {
  Array row;
  if (entry.get(row) != simdjson::SUCCESS) return Take(entry);
  if (row.begin() == row.end() || !TakeList(row, Holds::kEntries, 0)) lines_.NoRecord(simdjson::minify(entry));
}

bool Documents::TakeObject(const Object& object, int nesting) {
  const Members members(object);
  if (members.empty()) return TakeRecord(object);
  bool other = false;  // whether the object is known not to be a record itself
  for (const Member& member : members) {
    switch (member.holds()) {
      case Holds::kClass:
        if (Is(member.value, kOcsfNetworkActivity)) return TakeOcsf(object, &lines_);
        continue;
      case Holds::kMessageType:  // CloudWatch Logs tests the destination: no records
        if (Text(member.value) == "CONTROL_MESSAGE") return true;
        continue;
      case Holds::kEntries:
        if (Array entries; member.value.get(entries) == simdjson::SUCCESS) {
          for (const Element entry : entries) TakeEntry(entry);
          return true;
        }
        break;
      case Holds::kMessage:
        if (member.value.is_string()) return TakeMessage(Text(member.value));
        break;
      default: break;
    }
    // Names that others have, too.
    if (!other) {
      if (nesting == kMaxNesting) return false;
      if (object.size() > 1 && NamesRecord(object)) return TakeRecord(object);
      other = true;
      if (TakeTable(members)) return true;
    }
    if (TakeMember(object, member, nesting)) return true;
  }
  return !other && TakeRecord(object);
}

bool Documents::TakeMember(const Object& object, const Member& member, int nesting) {
  if (member.holds() == Holds::kAction && IsAction(object, member)) return true;
  if (member.holds() == Holds::kEvent) return TakeEcs(object, EventForm::kDotted, &lines_);
  switch (member.value.type()) {
    case dom::element_type::STRING: return TakeText(member.holds(), Text(member.value));
    case dom::element_type::ARRAY:
      return TakeList(member.value.get_array().value_unsafe(), member.holds(), nesting + 1);
    case dom::element_type::OBJECT: {
      const Object inner = member.value.get_object().value_unsafe();
      if (kMemberNames[member.place].name == "aws" && inner["vpcflow"].is_object())
        return TakeEcs(object, EventForm::kNested, &lines_);
      return TakeObject(inner, nesting + 1);
    }
    default: return false;
  }
}

bool Documents::TakeText(Holds holds, std::string_view text) {
  switch (holds) {
    case Holds::kLine: return (text.starts_with('{') || LooksLikeLine(text)) && TakeMessage(text);
    case Holds::kMessage: return TakeMessage(text);
    case Holds::kBase64: return TakeBlob(text);
    default: return false;
  }
}

bool Documents::TakeList(const Array& list, Holds holds, int nesting) {
  if (nesting > kMaxNesting) return false;
  if (IsNamedRow(list)) return TakeNamed(list);
  std::vector<Element> others;
  bool any = list.begin() == list.end();
  for (const Element entry : list) {
    const bool taken = TakeOneOfList(entry, holds, nesting + 1);
    any |= taken;
    if (!taken) others.push_back(entry);
  }
  if (any) {  // some hold records: each other is an entry without
    for (const Element& entry : others) lines_.NoRecord(simdjson::minify(entry));
  }
  return any;
}

bool Documents::TakeOneOfList(const Element& entry, Holds holds, int nesting) {
  Array inner;
  Object object;
  if (entry.is_string()) return TakeText(holds, Text(entry));
  if (entry.get(object) == simdjson::SUCCESS) return TakeObject(object, nesting);
  if (entry.get(inner) != simdjson::SUCCESS) return false;
  if (holds == Holds::kPairs && inner.size() >= 2 && inner.at(1).is_string())
    return TakeText(Holds::kLine, Text(inner.at(1).value_unsafe()));
  return TakeList(inner, holds, nesting);
}

// Rows whose columns are named beside them or, as in Athena's first page, by the first of them.
bool Documents::TakeTable(const Members& members) {
  const Member* columns = members.Find(Holds::kColumns);
  const Member* member = members.Find(Holds::kRows);
  if (member == nullptr && columns != nullptr) member = members.Find(Holds::kBase64);
  Array rows;
  if (member == nullptr || member->value.get(rows) != simdjson::SUCCESS || rows.begin() == rows.end()) return false;
  std::vector<std::string> names = columns == nullptr ? std::vector<std::string>() : ColumnNames(columns->value);
  bool first = true;
  for (const Element row : rows) {
    Array cells;
    if (!CellsOf(row, &cells)) {
      if (first) return false;
      lines_.NoRecord(simdjson::minify(row));
      continue;
    }
    if (std::exchange(first, false)) {
      const std::vector<std::string> texts = CellTexts(cells);
      if (names.empty()) names = texts;
      if (names == texts) continue;  // the header
    }
    if (!TakeRow(names, cells)) lines_.NoRecord(simdjson::minify(row));
  }
  return true;
}

bool Documents::TakeRow(const std::vector<std::string>& names, const Array& row) {
  lines_.Begin();
  size_t column = 0;
  for (const Element cell : row) {
    if (column == names.size()) return false;
    if (AddCell(names[column++], CellText(cell, &scratch_))) return true;
  }
  return column == names.size() && lines_.End();
}

std::vector<std::string> Documents::CellTexts(const Array& row) {
  std::vector<std::string> texts;
  for (const Element cell : row) texts.emplace_back(CellText(cell, &scratch_));
  return texts;
}

// Adds a cell to the record begun. True if it holds the record itself, which is taken.
bool Documents::AddCell(std::string_view name, std::string_view text) {
  const std::optional<Holds> holds = HoldsOf(name);
  if ((holds == Holds::kMessage || holds == Holds::kLine) && TakeText(*holds, text)) return true;
  if (!name.starts_with('@')) lines_.Add(name, text);
  return false;
}

// A row that names its cells.
bool Documents::TakeNamed(const Array& cells) {
  lines_.Begin();
  bool is_event = false;
  for (const Element cell : cells) {
    std::string_view name;
    Element value;
    if (!IsNamedCell(cell, &name, &value)) continue;
    if (AddCell(name, CellText(value, &scratch_))) return true;
    is_event |= HoldsOf(name) == Holds::kEvent;
  }
  return is_event ? TakeEcs(cells, &lines_) : lines_.End();
}

bool Documents::TakeMessage(std::string_view text) {
  if (!text.starts_with('{')) {
    lines_.Message(text);
    return true;
  }
  std::string inner(text);  // a record as JSON in JSON
  JsonSplitter::Pad(&inner);
  return take_inner_(inner);
}

bool Documents::TakeBlob(std::string_view base64) {
  const std::string text = UnpackBlob(base64);
  lines_.CountUnpacked(text.size());
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) {
    if (!LooksLikeLine(base64)) return base64.empty();
    lines_.Message(base64);  // not encoded at all
    return true;
  }
  if (text[begin] == '{' || text[begin] == '[') return take_inner_(text);
  if (!LooksLikeLine(std::string_view(text).substr(0, text.find('\n')))) return false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines_.Message(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  return true;
}

bool Documents::TakeRecord(const Object& object) {
  lines_.Begin();
  for (const auto& [key, value] : object) {
    if (key.starts_with('@')) continue;  // of the system that kept it
    AddValue(key, value);
  }
  return lines_.End();
}

void Documents::AddValue(std::string_view name, const Element& value) {
  if (value.is_string()) return lines_.Add(name, value.get_string().value_unsafe());
  lines_.Add(name, ValueText(value));
}

bool IsRecordByNames(std::span<const std::string_view> names) {
  bool members = false;
  unsigned evidence = kSaysNothing;
  for (const std::string_view name : names) {
    evidence |= MeaningOf(name).evidence();
    const std::optional<Holds> holds = HoldsOf(name);
    members |= holds.has_value();
    switch (holds.value_or(Holds::kWrapper)) {  // what TakeObject looks at before the names
      case Holds::kClass:
      case Holds::kMessageType:
      case Holds::kEntries:
      case Holds::kMessage: return false;
      default: break;
    }
  }
  return !members || (names.size() > 1 && IsFlow(evidence));
}

std::optional<size_t> MessageByNames(std::span<const std::string_view> names) {
  std::optional<size_t> message;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::optional<Holds> holds = HoldsOf(names[i]);
    if (holds == Holds::kClass || holds == Holds::kMessageType || holds == Holds::kEntries) return std::nullopt;
    if (holds != Holds::kMessage) continue;
    if (message) return std::nullopt;  // the first of them that is a text
    message = i;
  }
  return message;
}

std::string NumberText(double number) {
  if (number == std::floor(number) && std::fabs(number) < 9007199254740992.0)
    return std::to_string(static_cast<int64_t>(number));
  return std::to_string(number);
}

std::string ValueText(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::STRING: return std::string(value.get_string().value_unsafe());
    case dom::element_type::INT64: return std::to_string(value.get_int64().value_unsafe());
    case dom::element_type::UINT64: return std::to_string(value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE: return NumberText(value.get_double().value_unsafe());
    case dom::element_type::NULL_VALUE: return "-";
    default: return simdjson::minify(value);
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
