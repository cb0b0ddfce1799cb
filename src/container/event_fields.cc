#include "src/container/event_fields.h"

#include <algorithm>
#include <bitset>
#include <utility>

#include "absl/strings/match.h"
#include "src/container/json_documents.h"
#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

std::optional<std::string> TextAt(const EventLookup& at, std::string_view pointer) {
  const std::optional<dom::element> value = at(pointer);
  return value ? EventText(*value) : std::nullopt;
}

// The value of a field, and nothing if no place has one.
std::optional<std::string> ValueOf(const EventField& field, const EventLookup& at, bool inbound) {
  if (field.ends && inbound) {
    if (std::optional<std::string> value = TextAt(at, field.places[1].pointer)) return value;
  }
  bool any = false;
  for (const EventPlace& place : field.places) {
    if (place.pointer.empty() || (place.last_resort && any)) break;
    const std::optional<dom::element> there = at(place.pointer);
    any |= there && !there->is_null();
    std::optional<std::string> value = there ? EventText(*there) : std::nullopt;
    if (!value && field.time) value = TextAt(at, std::string(place.pointer).append("_dt"));
    if (!value) continue;
    if (field.time) return OcsfTime(*value);
    if (place.translation == nullptr) return value;
    const std::string_view translated = Translated(*place.translation, *value);
    if (translated != "-") return std::string(translated);
  }
  return std::nullopt;
}

bool IsInbound(std::span<const EventField> fields, const EventLookup& at) {
  const auto direction = std::find_if(fields.begin(), fields.end(), [](const EventField& field) {
    return field.name == Info(Field::kFlowDirection).name;
  });
  return direction != fields.end() && ValueOf(*direction, at, false) == "ingress";
}

// The members of an object, or of a map: [{"key": ..., "value": ...}, ...] or [["key", "value"], ...].
template <class Take>
void ForEachMember(const dom::element& map, const Take& take) {
  dom::object object;
  dom::array array;
  if (map.get(object) == simdjson::SUCCESS) {
    for (const auto& [key, value] : object) take(key, value);
  } else if (map.get(array) == simdjson::SUCCESS) {
    for (const dom::element entry : array) {
      std::string_view key;
      dom::element value;
      dom::array pair;
      if (entry["key"].get(key) == simdjson::SUCCESS && entry["value"].get(value) == simdjson::SUCCESS) {
        take(key, value);
      } else if (entry.get(pair) == simdjson::SUCCESS && pair.size() == 2 && pair.at(0).get(key) == simdjson::SUCCESS &&
                 pair.at(1).get(value) == simdjson::SUCCESS) {
        take(key, value);
      }
    }
  }
}

}  // namespace

std::optional<std::string> EventText(const dom::element& value) {
  if (value.is_null()) return std::nullopt;
  std::string text = ValueText(value);
  if (text.empty() || text == "-") return std::nullopt;
  return text;
}

std::string_view Translated(const EventTranslation& translation, std::string_view value) {
  for (const auto& [from, to] : translation) {
    if (from.empty()) break;
    if (absl::EqualsIgnoreCase(absl::string_view(from.data(), from.size()),
                               absl::string_view(value.data(), value.size())))
      return to;
  }
  return value;
}

bool TakeEvent(std::span<const EventField> fields, std::string_view own, const EventLookup& at, RecordLines* lines) {
  std::bitset<kFieldCount> has;
  const bool inbound = IsInbound(fields, at);
  lines->Begin();
  // What has the field's own name is as the log has it; null is what no other place says.
  if (const std::optional<dom::element> members = at(own)) {
    ForEachMember(*members, [&](std::string_view name, const dom::element& member) {
      const std::optional<Field> field = FindField(name);
      if (!field || has[static_cast<size_t>(*field)]) return;
      const std::optional<std::string> value = EventText(member);
      if (!value && !member.is_null()) return;
      has.set(static_cast<size_t>(*field));
      if (value) lines->Add(Info(*field).name, *value);
    });
  }
  for (const EventField& field : fields) {
    const auto number = static_cast<size_t>(*FindField(field.name));
    if (has[number]) continue;
    const std::optional<std::string> value = ValueOf(field, at, inbound);
    if (!value) continue;
    has.set(number);
    lines->Add(field.name, *value);
  }
  return lines->End();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
