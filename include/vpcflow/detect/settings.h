// DetectSettings: the thresholds and lists that detectors go by, by name.
//
// Example:
//   vpcflow::DetectSettings settings;
//   settings.Set("scan_ports", 50).Set("admin_sources", std::vector<std::string>{"198.51.100.0/28"});
//   absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make(settings);
//
// A setting is declared once, in the file of its detector (src/detect/detectors/), with type, default, unit and
// meaning; vpcflow::Detectors() of vpcflow/detect/detector.h lists them. Detection::Make checks names and values: a
// misspelt name is kInvalidArgument with the nearest right one, a value out of its range with the range.
#ifndef VPCFLOW_DETECT_SETTINGS_H_
#define VPCFLOW_DETECT_SETTINGS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "vpcflow/enrich/labels.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Prefixes are texts, as "10.0.0.0/8" or a single address; any number of them.
using Prefixes = std::vector<std::string>;
struct AddressList {
  Prefixes prefixes{};
  std::string day{};  // of the list, for the evidence; empty if it is not known
};
// Labels of addresses, frozen; null for none.
struct AddressLabels {
  std::shared_ptr<const Labels> labels{};
  std::string day{};      // likewise
  bool networks = false;  // the labels are names of networks (autonomous systems)
  bool partial = false;  // addresses without a label are in nobody's list yet: the one of the library is asked for them
};
using SettingValue = std::variant<bool, int64_t, double, Prefixes, AddressList, AddressLabels>;

// The alternatives of SettingValue, in their order.
enum class SettingType : uint8_t { kBool, kInteger, kNumber, kPrefixes, kAddressList, kAddressLabels };
constexpr std::string_view SettingTypeName(SettingType type) {
  constexpr std::array<std::string_view, 6> kNames = {"bool",     "integer",      "number",
                                                      "prefixes", "address_list", "address_labels"};
  return kNames[static_cast<size_t>(type)];
}

struct SettingInfo {
  std::string_view name{};
  SettingType type = SettingType::kBool;
  // The default of a bool, an integer or a number; of prefixes the list; lists and labels have none.
  double preset = 0;
  std::span<const std::string_view> preset_prefixes{};
  std::string_view unit{};  // "sessions", "bytes", "share"; empty without one
  std::string_view meaning{};
  // What an integer or a number may be: from 0 to 1 of shares and chances, from 0 of bytes and multiples, else from 1.
  constexpr double least() const { return IsShare() || unit == "bytes" || unit == "times" ? 0 : 1; }
  constexpr double most() const { return IsShare() ? 1 : 1e15; }
  constexpr bool IsShare() const { return unit == "share" || unit == "chance"; }
};
SettingValue DefaultOf(const SettingInfo& setting);

// The declaration of a setting: a constexpr object in the file of its detector.
template <class T>
struct Setting : SettingInfo {
  consteval Setting(std::string_view setting_name, T value, std::string_view setting_unit,
                    std::string_view setting_meaning) requires std::is_arithmetic_v<T>
      : SettingInfo{setting_name, kType, static_cast<double>(value), {}, setting_unit, setting_meaning} {}
  consteval Setting(std::string_view setting_name, std::span<const std::string_view> value,
                    std::string_view setting_meaning) requires std::is_same_v<T, Prefixes>
      : SettingInfo{setting_name, kType, 0, value, "", setting_meaning} {}
  consteval Setting(std::string_view setting_name, std::string_view setting_meaning) requires(!std::is_arithmetic_v<T>)
      : SettingInfo{setting_name, kType, 0, {}, "", setting_meaning} {}

 private:
  static constexpr SettingType kType = std::is_same_v<T, bool>          ? SettingType::kBool
                                       : std::is_same_v<T, int64_t>     ? SettingType::kInteger
                                       : std::is_same_v<T, double>      ? SettingType::kNumber
                                       : std::is_same_v<T, Prefixes>    ? SettingType::kPrefixes
                                       : std::is_same_v<T, AddressList> ? SettingType::kAddressList
                                                                        : SettingType::kAddressLabels;
};

struct DetectSettings {
  std::map<std::string, SettingValue, std::less<>> values{};  // by name; defaults for those that are not there
  size_t max_memory = 0;                                      // bytes that Detection may hold; 0 for any number

  DetectSettings& Set(std::string name, SettingValue value) {
    values.insert_or_assign(std::move(name), std::move(value));
    return *this;
  }
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_DETECT_SETTINGS_H_
