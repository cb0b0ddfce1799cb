#include "src/container/ocsf.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/container/event_fields.h"
#include "src/format/ocsf_rows.h"
#include "src/format/spelling.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

// The members of an event, found in one walk over it, and what stands below them.
class EventMembers {
 public:
  explicit EventMembers(const dom::object& event) {
    constexpr size_t kMost = 64;  // OCSF has some forty; of other objects the first are enough
    members_.reserve(kMost);
    for (const auto& [key, value] : event) {
      if (members_.size() == kMost) break;
      members_.emplace_back(key, value);
    }
  }
  std::optional<dom::element> operator()(std::string_view pointer) const {
    const size_t end = std::min(pointer.find('/', 1), pointer.size());
    const std::string_view name = pointer.substr(1, end - 1);
    const auto member =
        std::find_if(members_.begin(), members_.end(), [name](const auto& m) { return m.first == name; });
    if (member == members_.end()) return std::nullopt;
    dom::element value = member->second;
    if (end == pointer.size()) return value;
    if (value.at_pointer(pointer.substr(end)).get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  }

 private:
  std::vector<std::pair<std::string_view, dom::element>> members_;
};

bool IsAllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

bool TakeOcsf(const dom::object& event, RecordLines* lines) {
  const EventMembers members(event);
  return TakeEvent(kOcsfFields, kOcsfUnmapped, std::cref(members), lines);
}

}  // namespace internal

std::span<const EventField> OcsfFields() { return internal::kOcsfFields; }

std::string OcsfTime(std::string_view text) {
  constexpr size_t kSeconds = 10, kMicroseconds = 16, kNanoseconds = 19;
  const std::string_view whole = text.substr(0, text.find('.'));
  const bool is_number = internal::IsAllDigits(whole) &&
                         (whole.size() == text.size() || internal::IsAllDigits(text.substr(whole.size() + 1)));
  if (!is_number) {
    std::string scratch;
    return std::string(internal::AsAwsWrites(Field::kStart, text, &scratch));
  }
  return std::string(whole.size() == kMicroseconds || whole.size() == kNanoseconds ? whole.substr(0, kSeconds) : whole);
}

VPCFLOW_NAMESPACE_END
