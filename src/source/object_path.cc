#include "vpcflow/source/object_path.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "vpcflow/base/time.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr int64_t kSlot = 300, kHour = 3600, kDay = 86400;

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t n = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, n));
    if (n == text.size()) return parts;
    text.remove_prefix(n + 1);
  }
}

// Digits of exactly that number, or nothing.
std::optional<unsigned> Number(std::string_view text, size_t digits) {
  if (text.size() != digits) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<int64_t> Instant(std::optional<unsigned> year, std::optional<unsigned> month,
                               std::optional<unsigned> day) {
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  return internal::DaysFromCivil(*year, *month, *day) * kDay;
}

bool IsAccount(std::string_view text) { return Number(text.substr(0, 6), 6) && Number(text.substr(6), 6); }

// "us-east-1", "us-gov-west-1".
bool IsRegion(std::string_view text) {
  return text.size() >= 8 && text.size() <= 32 && std::count(text.begin(), text.end(), '-') >= 2 &&
         absl::ascii_isdigit(static_cast<unsigned char>(text.back())) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
         });
}

// <account>_vpcflowlogs_<region>_<flow log id>_<YYYYMMDDTHHmmZ>_<hash>.log.gz
bool ParseName(std::string_view name, ObjectPath* out) {
  const std::vector<std::string_view> parts = Split(name, '_');
  if (parts.size() < 6 || parts[1] != "vpcflowlogs" || !IsAccount(parts[0])) return false;
  out->account = parts[0];
  out->region = parts[2];
  out->flow_log_id = parts[3];
  const std::string_view time = parts[4];
  if (time.size() != 14 || time[8] != 'T' || time[13] != 'Z') return true;
  const std::optional<int64_t> day =
      Instant(Number(time.substr(0, 4), 4), Number(time.substr(4, 2), 2), Number(time.substr(6, 2), 2));
  const std::optional<unsigned> hour = Number(time.substr(9, 2), 2), minute = Number(time.substr(11, 2), 2);
  if (!day || !hour || *hour > 23 || !minute || *minute > 59) return true;
  out->begin = *day + *hour * kHour + *minute * 60;
  out->end = *out->begin + kSlot;
  return true;
}

// The value of "key=value", or nothing.
std::optional<std::string_view> Value(std::string_view part, std::string_view key) {
  if (part.size() <= key.size() || !part.starts_with(key) || part[key.size()] != '=') return std::nullopt;
  return part.substr(key.size() + 1);
}

void ParseFolders(const std::vector<std::string_view>& parts, ObjectPath* out) {
  std::optional<unsigned> year, month, day, hour;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (const auto account = Value(parts[i], "aws-account-id"); account && IsAccount(*account)) out->account = *account;
    if (const auto region = Value(parts[i], "aws-region"); region && IsRegion(*region)) out->region = *region;
    if (const auto value = Value(parts[i], "year")) year = Number(*value, 4);
    if (const auto value = Value(parts[i], "month")) month = Number(*value, 2);
    if (const auto value = Value(parts[i], "day")) day = Number(*value, 2);
    if (const auto value = Value(parts[i], "hour")) hour = Number(*value, 2);
    if (parts[i] != "vpcflowlogs" || i == 0 || !IsAccount(parts[i - 1])) continue;
    out->account = parts[i - 1];
    if (i + 1 < parts.size() && IsRegion(parts[i + 1])) out->region = parts[i + 1];
    if (i + 4 < parts.size()) {
      year = Number(parts[i + 2], 4);
      month = Number(parts[i + 3], 2);
      day = Number(parts[i + 4], 2);
    }
    if (i + 5 < parts.size()) hour = Number(parts[i + 5], 2);
  }
  const std::optional<int64_t> midnight = Instant(year, month, day);
  if (!midnight) return;
  const bool hourly = hour && *hour < 24;
  out->begin = *midnight + (hourly ? *hour * kHour : 0);
  out->end = *out->begin + (hourly ? kHour : kDay);
}

bool AnyOf(const std::vector<std::string>& wanted, const std::string& value) {
  return wanted.empty() || value.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

}  // namespace

ObjectPath ParseObjectPath(std::string_view path) {
  std::vector<std::string_view> parts = Split(path, '/');
  const std::string_view name = parts.back();
  parts.pop_back();
  ObjectPath out;
  ParseFolders(parts, &out);
  ParseName(name, &out);
  return out;
}

bool MayHold(const ObjectPath& path, const ObjectSelection& selection) {
  if (!AnyOf(selection.accounts, path.account) || !AnyOf(selection.regions, path.region)) return false;
  if (!path.begin || !path.end) return true;
  // Starts lie at most a window before ends, and ends in the slot or, delivered late, up to that much before it.
  if (selection.end && *path.begin - kLongestWindow - kLatestDelivery >= *selection.end) return false;
  return !selection.start || *path.end > *selection.start;
}

size_t SelectObjects(const ObjectSelection& selection, std::vector<Source>* sources) {
  return static_cast<size_t>(std::erase_if(
      *sources, [&](const Source& source) { return !MayHold(ParseObjectPath(source.name()), selection); }));
}

VPCFLOW_NAMESPACE_END
