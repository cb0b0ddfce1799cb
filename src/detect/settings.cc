#include "src/detect/settings.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/registry.h"
#include "vpcflow/error/error.h"
#include "vpcflow/export/text.h"

VPCFLOW_NAMESPACE_BEGIN

SettingValue DefaultOf(const SettingInfo& setting) {
  switch (setting.type) {
    case SettingType::kBool: return setting.preset != 0;
    case SettingType::kInteger: return static_cast<int64_t>(setting.preset);
    case SettingType::kNumber: return setting.preset;
    case SettingType::kPrefixes: return Prefixes(setting.preset_prefixes.begin(), setting.preset_prefixes.end());
    case SettingType::kAddressList: return AddressList();
    case SettingType::kAddressLabels: return AddressLabels();
  }
  return {};
}

namespace internal {
namespace {

// Of another type: whole numbers are numbers, and prefixes a list whose day is not known.
SettingValue Converted(SettingValue value, SettingType type) {
  if (type == SettingType::kNumber) {
    if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  }
  if (type == SettingType::kAddressList) {
    if (auto* prefixes = std::get_if<Prefixes>(&value)) return AddressList{std::move(*prefixes), {}};
  }
  return value;
}

absl::Status NoSetting(std::string_view name) {
  std::vector<std::string_view> names;
  for (const SettingInfo* setting : AllSettings()) names.push_back(setting->name);
  const std::string nearest = Nearest(name, names);
  return MakeError(ErrorKind::kPlan,
                   absl::StrCat("detect: no setting '", ValidUtf8(name), "'", nearest.empty() ? "" : "; did you mean '",
                                nearest, nearest.empty() ? "" : "'?"));
}

std::string NumberText(double value) {
  std::string text = Fixed(value, 6);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

absl::Status CheckRange(const SettingInfo& setting, const SettingValue& value) {
  const auto* whole = std::get_if<int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if (whole == nullptr && real == nullptr) return absl::OkStatus();
  const double number = whole != nullptr ? static_cast<double>(*whole) : *real;
  if (number >= setting.least() && number <= setting.most()) return absl::OkStatus();
  const std::string range = setting.IsShare() ? absl::StrCat("a ", std::string(setting.unit), " from 0 to 1")
                                              : absl::StrCat("a number of ", std::string(setting.unit), " from ",
                                                             NumberText(setting.least()), " on");
  return MakeError(ErrorKind::kPlan, absl::StrCat("detect: ", std::string(setting.name), ": ", range,
                                                  " is needed, not ", NumberText(number)));
}

}  // namespace

absl::StatusOr<ResolvedSettings> ResolvedSettings::Make(const DetectSettings& settings) {
  ResolvedSettings out;
  for (const SettingInfo* setting : AllSettings()) {
    const auto given = settings.values.find(setting->name);
    SettingValue value = given == settings.values.end() ? DefaultOf(*setting) : Converted(given->second, setting->type);
    if (value.index() != static_cast<size_t>(setting->type)) {
      const auto type = static_cast<SettingType>(value.index());
      return MakeError(ErrorKind::kPlan, absl::StrCat("detect: ", std::string(setting->name), ": a value of type ",
                                                      std::string(SettingTypeName(setting->type)), " is needed, not ",
                                                      std::string(SettingTypeName(type))));
    }
    if (absl::Status status = CheckRange(*setting, value); !status.ok()) return status;
    out.values_.emplace(setting, std::move(value));
  }
  for (const auto& [name, value] : settings.values) {
    const auto is_named = [&, own = std::string_view(name)](const SettingInfo* s) { return s->name == own; };
    const std::span<const SettingInfo* const> known = AllSettings();
    if (std::none_of(known.begin(), known.end(), is_named)) return NoSetting(name);
  }
  return out;
}

const Prefixes& ResolvedSettings::PrefixesOf(const SettingInfo& setting) const {
  const SettingValue& value = values_.at(&setting);
  const auto* list = std::get_if<AddressList>(&value);
  return list != nullptr ? list->prefixes : std::get<Prefixes>(value);
}

absl::Status ResolvedSettings::SetLabels(std::string_view name, AddressLabels labels) {
  for (const SettingInfo* setting : AllSettings()) {
    if (setting->name != name || setting->type != SettingType::kAddressLabels) continue;
    values_.insert_or_assign(setting, std::move(labels));
    return absl::OkStatus();
  }
  return MakeError(ErrorKind::kPlan, absl::StrCat("detect: no setting of labels: '", ValidUtf8(name), "'"));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
