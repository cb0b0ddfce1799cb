#include "src/container/ocsf.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "src/container/json_records.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

// A value by a JSON pointer, as text; nothing if it is not there, null, or "-".
std::optional<std::string> At(const dom::object& event, std::string_view pointer) {
  dom::element value;
  if (event.at_pointer(pointer).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (text.empty() || text == "-") return std::nullopt;
    return std::string(text);
  }
  if (uint64_t number; value.get(number) == simdjson::SUCCESS) return std::to_string(number);
  if (double number; value.get(number) == simdjson::SUCCESS) return NumberText(number);
  return std::nullopt;
}

// A time: milliseconds, which the records may have too; or Unix seconds of the _dt member, which is RFC 3339.
std::optional<std::string> TimeAt(const dom::object& event, std::string_view pointer) {
  if (std::optional<std::string> number = At(event, pointer)) return number;
  const std::optional<std::string> text = At(event, std::string(pointer).append("_dt"));
  absl::Time time;
  std::string error;
  if (!text || !absl::ParseTime(absl::RFC3339_full, *text, &time, &error)) return std::nullopt;
  return std::to_string(absl::ToUnixSeconds(time));
}

}  // namespace

void TakeOcsf(const dom::object& event, RecordLines* lines) {
  lines->Begin();
  for (const OcsfField& field : kOcsfFields) {
    std::optional<std::string> value;
    for (const std::string_view pointer : field.pointers) {
      if (!value && !pointer.empty()) value = field.time ? TimeAt(event, pointer) : At(event, pointer);
    }
    if (value && field.translation != nullptr) {
      const OcsfTranslation& t = *field.translation;
      const auto found = std::find_if(t.begin(), t.end(), [&](const auto& pair) { return pair.first == *value; });
      if (found != t.end()) {
        value = found->second;
      } else if (field.only_translated) {
        value.reset();
      }
    }
    lines->Add(field.name, value ? std::string_view(*value) : "-");
  }
  if (!lines->End()) lines->NoRecord(simdjson::minify(event));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
