#include "src/container/ecs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "src/container/event_fields.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

std::string Dotted(std::string_view pointer) {
  std::string name(pointer.substr(1));
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

// A value that may be an array of one, as Elastic gives `fields`, or wrapped in its type, as OTLP does.
dom::element Single(dom::element value) {
  dom::array array;
  dom::object typed;
  if (value.get(array) == simdjson::SUCCESS && array.size() == 1) return array.at(0).value_unsafe();
  if (value.get(typed) == simdjson::SUCCESS && typed.size() == 1) return (*typed.begin()).value;
  return value;
}

// Other flows have names of ECS, too: those of AWS have some of its own.
bool Take(const EventLookup& at, RecordLines* lines) {
  const bool is_ours =
      at(kEcsOwn).has_value() || std::any_of(kEcsFields.begin(), kEcsFields.end(), [&at](const EventField& field) {
        return std::any_of(field.places.begin(), field.places.end(), [&at](const EventPlace& place) {
          return place.pointer.starts_with("/aws/vpc") && at(place.pointer).has_value();
        });
      });
  return is_ours && TakeEvent(kEcsFields, kEcsOwn, at, lines);
}

}  // namespace

bool TakeEcs(const dom::object& event, EventForm form, RecordLines* lines) {
  const auto nested = [&event](std::string_view pointer) -> std::optional<dom::element> {
    dom::element value;
    if (event.at_pointer(pointer).get(value) != simdjson::SUCCESS) return std::nullopt;
    return pointer == kEcsOwn ? value : Single(value);
  };
  const auto dotted = [&event](std::string_view pointer) -> std::optional<dom::element> {
    dom::element value;
    if (event.at_key(Dotted(pointer)).get(value) != simdjson::SUCCESS) return std::nullopt;
    return Single(value);
  };
  return form == EventForm::kNested ? Take(nested, lines) : Take(dotted, lines);
}

bool TakeEcs(const dom::array& attributes, RecordLines* lines) {
  return Take(
      [&attributes](std::string_view pointer) -> std::optional<dom::element> {
        const std::string name = Dotted(pointer);
        for (const dom::element attribute : attributes) {
          std::string_view key;
          dom::element value;
          if (attribute["key"].get(key) == simdjson::SUCCESS && key == name &&
              attribute["value"].get(value) == simdjson::SUCCESS)
            return Single(value);
        }
        return std::nullopt;
      },
      lines);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
