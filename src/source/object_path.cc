#include "vpcflow/source/object_path.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/source/other_services.h"
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

// Digits of one to that number, or nothing: tools write month=3 as well as month=03.
std::optional<unsigned> ShortNumber(std::string_view text, size_t digits) {
  return text.size() <= digits && !text.empty() ? Number(text, text.size()) : std::nullopt;
}

std::optional<int64_t> Instant(std::optional<unsigned> year, std::optional<unsigned> month,
                               std::optional<unsigned> day) {
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  return internal::DaysFromCivil(*year, *month, *day) * kDay;
}

// What folders say of time; what they do not say is empty.
struct Dated {
  std::optional<unsigned> year, month, day, hour;
  bool wrong = false;  // something was said that is no number
  void Set(std::optional<unsigned> Dated::*part, std::optional<unsigned> value) {
    this->*part = value;
    wrong |= !value;
  }
};

// Sets begin and end: of the hour, day, month or year.
void SetWindow(const Dated& at, ObjectPath* out) {
  if (at.wrong || !at.year || (at.day && !at.month) || (at.hour && (!at.day || *at.hour > 23))) return;
  const std::optional<int64_t> begin = Instant(at.year, at.month.value_or(1), at.day.value_or(1));
  if (!begin) return;
  std::optional<int64_t> end;
  if (at.day) {
    end = *begin + kDay;
  } else if (at.month && *at.month < 12) {
    end = Instant(at.year, *at.month + 1, 1);
  } else {
    end = Instant(*at.year + 1, 1, 1);
  }
  out->begin = *begin + at.hour.value_or(0) * kHour;
  out->end = at.hour ? *out->begin + kHour : *end;
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
  out->earlier = kLongestWindow + kLatestDelivery;
  out->later = 0;
  return true;
}

// YYYY-MM-DD, with -HH behind it for an hour, or YYYYMMDD and YYYYMMDDHH.
void ParseDate(std::string_view text, Dated* out) {
  const bool hyphens = (text.size() == 10 || text.size() == 13) && text[4] == '-' && text[7] == '-';
  out->wrong |= !hyphens && text.size() != 8 && text.size() != 10;
  if (out->wrong) return;
  out->Set(&Dated::year, Number(text.substr(0, 4), 4));
  out->Set(&Dated::month, Number(text.substr(hyphens ? 5 : 4, 2), 2));
  out->Set(&Dated::day, Number(text.substr(hyphens ? 8 : 6, 2), 2));
  if (text.size() == 13) out->Set(&Dated::hour, Number(text.substr(11), 2));
  if (text.size() == 10 && !hyphens) out->Set(&Dated::hour, Number(text.substr(8), 2));
}

// Reads key=value. Keys are compared without case, hyphens and underscores. `aws` is set for those that only AWS's own
// layout has.
void ParsePartition(std::string_view part, ObjectPath* out, Dated* time, bool* aws) {
  const size_t equals = part.find('=');
  if (equals == part.npos) return;
  std::string key;
  for (const char c : part.substr(0, equals)) {
    if (c != '-' && c != '_') key += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  const std::string_view value = part.substr(equals + 1);
  *aws |= key == "awsaccountid" || key == "awsregion" || key == "awsservice";
  if (key == "account" || key == "accountid" || key == "awsaccountid") {
    if (IsAccount(value)) out->account = value;
  } else if (key == "region" || key == "awsregion") {
    if (IsRegion(value)) out->region = value;
  } else if (key == "year") {
    time->Set(&Dated::year, Number(value, 4));
  } else if (key == "month") {
    time->Set(&Dated::month, ShortNumber(value, 2));
  } else if (key == "day" && value.size() > 2) {
    ParseDate(value, time);
  } else if (key == "day") {
    time->Set(&Dated::day, ShortNumber(value, 2));
  } else if (key == "hour") {
    time->Set(&Dated::hour, ShortNumber(value, 2));
  } else if (key == "date" || key == "dt" || key == "eventday" || key == "eventhour") {
    ParseDate(value, time);
  }
}

// YYYY/MM/DD/HH of four folders in a row, as Firehose names them; the last such.
void ParseArrival(const std::vector<std::string_view>& parts, Dated* time) {
  for (size_t i = parts.size(); i >= 4; --i) {
    const Dated found{Number(parts[i - 4], 4), Number(parts[i - 3], 2), Number(parts[i - 2], 2),
                      Number(parts[i - 1], 2), false};
    if (!Instant(found.year, found.month, found.day) || !found.hour || *found.hour > 23 || *found.year < 2000) continue;
    *time = found;
    return;
  }
}

// <stream>-<version>-YYYY-MM-DD-HH-MM-SS-<uuid>, with any ending. The time is that of the folders, to the second; it
// is read where a prefix of the user's has none.
void ParseFirehoseName(std::string_view name, ObjectPath* out) {
  constexpr size_t kTimeSize = 19, kUuidSize = 36, kLongestBuffer = 900;
  for (size_t at = 1; at + kTimeSize + kUuidSize + 2 <= name.size(); ++at) {
    const std::string_view time = name.substr(at + 1, kTimeSize), uuid = name.substr(at + kTimeSize + 2, kUuidSize);
    if (name[at] != '-' || name[at + kTimeSize + 1] != '-' || std::count(time.begin(), time.end(), '-') != 5 ||
        std::count(uuid.begin(), uuid.end(), '-') != 4)
      continue;
    const size_t before = name.substr(0, at).rfind('-');
    const std::optional<unsigned> version =
        before == name.npos ? std::nullopt : ShortNumber(name.substr(before + 1, at - before - 1), 9);
    const std::optional<int64_t> day =
        Instant(Number(time.substr(0, 4), 4), Number(time.substr(5, 2), 2), Number(time.substr(8, 2), 2));
    const std::optional<unsigned> hour = Number(time.substr(11, 2), 2), minute = Number(time.substr(14, 2), 2),
                                  second = Number(time.substr(17, 2), 2);
    if (!version || before == 0 || !day || !hour || *hour > 23 || !minute || *minute > 59 || !second || *second > 59)
      continue;
    out->delivery_stream = name.substr(0, before);
    out->delivery_version = *version;
    if (out->begin) return;
    out->begin = *day + *hour * kHour + *minute * 60 + *second;
    out->end = *out->begin + static_cast<int64_t>(kLongestBuffer);
    return;
  }
}

// <export id>/<log stream>/NNNNNN.gz: flow logs write a stream for each interface.
void ParseExport(const std::vector<std::string_view>& folders, std::string_view name, ObjectPath* out) {
  if (folders.empty() || name.size() != 9 || !Number(name.substr(0, 6), 6) || name.substr(6) != ".gz") return;
  const std::string_view stream = folders.back();
  for (const std::string_view ending : {"-all", "-accept", "-reject"}) {
    if (stream.starts_with("eni-") && stream.ends_with(ending))
      out->interface_id = stream.substr(0, stream.size() - ending.size());
  }
}

// aws/VPC_FLOW/<version>/region=...
void ParseLake(const std::vector<std::string_view>& folders, ObjectPath* out) {
  for (size_t i = 0; i + 2 < folders.size(); ++i) {
    if (internal::IsSameWord(folders[i], "vpc_flow") && internal::IsSameWord(folders[i + 2].substr(0, 7), "region="))
      out->lake_version = folders[i + 1];
  }
}

void ParseFolders(const std::vector<std::string_view>& parts, ObjectPath* out) {
  Dated time;
  bool aws = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    ParsePartition(parts[i], out, &time, &aws);
    if (parts[i] != "vpcflowlogs" || i == 0 || !IsAccount(parts[i - 1])) continue;
    out->account = parts[i - 1];
    if (i + 1 < parts.size() && IsRegion(parts[i + 1])) out->region = parts[i + 1];
    if (i + 4 >= parts.size()) continue;
    aws = true;
    time = {Number(parts[i + 2], 4), Number(parts[i + 3], 2), Number(parts[i + 4], 2),
            i + 5 < parts.size() ? Number(parts[i + 5], 2) : std::nullopt, false};
  }
  if (!time.year && !time.wrong) ParseArrival(parts, &time);
  if (!aws) {
    out->earlier = kEarlierThanFolder;
    out->later = kLaterThanFolder;
  }
  SetWindow(time, out);
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
  ParseLake(parts, &out);
  ParseExport(parts, name, &out);
  if (!ParseName(name, &out)) ParseFirehoseName(name, &out);
  return out;
}

bool MayHold(const ObjectPath& path, const ObjectSelection& selection) {
  if (!AnyOf(selection.accounts, path.account) || !AnyOf(selection.regions, path.region)) return false;
  if (!path.begin || !path.end) return true;
  if (selection.end && *path.begin - path.earlier >= *selection.end) return false;
  return !selection.start || *path.end + path.later > *selection.start;
}

std::string WhyNoFlowLog(std::string_view path, size_t from) {
  if (const std::string_view service = internal::OtherService(path, from); !service.empty())
    return absl::StrCat("of ", std::string(service));
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (internal::IsManifestName(name)) return "named as a manifest or checksum";
  return name.starts_with('.') ? "hidden" : "";
}

size_t SelectObjects(const ObjectSelection& selection, std::vector<Source>* sources) {
  return static_cast<size_t>(std::erase_if(
      *sources, [&](const Source& source) { return !MayHold(ParseObjectPath(source.name()), selection); }));
}

VPCFLOW_NAMESPACE_END
