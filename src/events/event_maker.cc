#include "src/events/event_maker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

void EventRow::AddEntity(std::string_view entity) {
  if (entity.empty()) return;
  for (size_t i = 0; i < count; ++i) {
    if (entities[i] == entity) return;
  }
  if (count == entities.size()) entities.emplace_back();
  entities[count++].assign(entity);
}

void EventRow::AddAttr(std::string_view name, const Element* value) {
  if (value == nullptr || !IsScalar(*value)) return;
  AppendName(name, &attrs);
  AppendValue(*value, &attrs);
}

void EventRow::AddText(std::string_view name, std::string_view text) {
  if (text.empty()) return;
  AppendName(name, &attrs);
  AppendJson(text, &attrs);
}

void EventRow::AddNumber(std::string_view name, int64_t number) {
  AppendName(name, &attrs);
  absl::StrAppend(&attrs, number);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
