// Documents: the records of parsed JSON, whatever they are wrapped in.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_DOCUMENTS_H_
#define VPCFLOW_SRC_CONTAINER_JSON_DOCUMENTS_H_

#include <simdjson.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/container/json_members.h"
#include "src/container/record_lines.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class Documents {
 public:
  // Takes the JSON within a text or a blob, padded; false if that lies too deep.
  using TakeInner = std::function<bool(std::string_view)>;

  Documents(RecordLines* lines, TakeInner take_inner) : lines_(*lines), take_inner_(std::move(take_inner)) {}

  // A document, or an element of an array that is one. What holds no record is one entry without, each element of an
  // array for itself.
  void Take(const simdjson::dom::element& value);
  // One of an array of entries.
  void TakeEntry(const simdjson::dom::element& entry);
  // A row of a table; false, and nothing is written, if it holds no record.
  bool TakeRow(const std::vector<std::string>& names, const simdjson::dom::array& row);
  std::vector<std::string> CellTexts(const simdjson::dom::array& row);

 private:
  using Array = simdjson::dom::array;
  using Element = simdjson::dom::element;
  using Object = simdjson::dom::object;

  // Each returns whether there was a record, or something that has none and is no reject; what it could not take is not
  // written.
  bool TakeObject(const Object& object, int nesting);
  bool TakeMember(const Object& object, const Member& member, int nesting);
  bool TakeText(Holds holds, std::string_view text);
  bool TakeList(const Array& list, Holds holds, int nesting);
  bool TakeOneOfList(const Element& entry, Holds holds, int nesting);
  bool TakeTable(const Members& members);
  bool TakeNamed(const Array& cells);
  bool AddCell(std::string_view name, std::string_view text);
  bool TakeMessage(std::string_view text);
  bool TakeBlob(std::string_view base64);
  bool TakeRecord(const Object& object);
  void AddValue(std::string_view name, const Element& value);

  RecordLines& lines_;
  TakeInner take_inner_;
  std::string scratch_;
};

// Whether each object whose members have these names is one record, whatever their values are.
bool IsRecordByNames(std::span<const std::string_view> names);
// The number of the member that is the record of each object whose members have these names, if it is a text; nothing
// if there is none.
std::optional<size_t> MessageByNames(std::span<const std::string_view> names);

// A number of JSON as the value of a field: 6.0, which is how pandas writes 6 in a column with nulls, as 6; what is no
// whole number stays as it is.
std::string NumberText(double number);

// A value as the text of a field, "-" for null. Of what is no single value its JSON.
std::string ValueText(const simdjson::dom::element& value);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_DOCUMENTS_H_
