#include "src/format/spelling.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "vpcflow/base/time.h"
#include "vpcflow/format/iana.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kNull = "-";
constexpr size_t kLongest = 64;  // of the values that are spelt anew

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool SameWord(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) { return Lower(a) == b; });
}

// Takes a word off the end, in any case.
bool TakeEnd(std::string_view* text, std::string_view lower) {
  if (text->size() < lower.size() || !SameWord(text->substr(text->size() - lower.size()), lower)) return false;
  text->remove_suffix(lower.size());
  return true;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// How pandas, NumPy, SQL engines, spreadsheets and Hive write a missing value.
bool IsNull(std::string_view value) {
  constexpr std::string_view kNulls[] = {"",   "-",   "nan",  "null", "none",   "nat",
                                         "na", "n/a", "#n/a", "<na>", "(null)", "\\n"};
  return std::any_of(std::begin(kNulls), std::end(kNulls), [&](std::string_view n) { return SameWord(value, n); });
}

std::string_view TakeDigitsOf(std::string_view* text) {
  size_t n = 0;
  while (n < text->size() && IsDigit((*text)[n])) ++n;
  const std::string_view out = text->substr(0, n);
  text->remove_prefix(n);
  return out;
}

// The exponent of a number, to the end of the text. Spreadsheets and %g round what they write with a sign (1.23457E+11
// for 123456789012): as exact counts one with all its digits, or one too small to be rounded.
bool TakeExponent(std::string_view text, size_t written, int* exponent) {
  if (text.empty()) return true;
  if (Lower(text.front()) != 'e') return false;
  text.remove_prefix(1);
  const bool plus = TakeChar(&text, '+'), minus = !plus && TakeChar(&text, '-');
  const std::string_view digits = TakeDigitsOf(&text);
  if (digits.empty() || digits.size() > 3 || !text.empty()) return false;
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  constexpr int kRoundedFrom = 6;
  if (plus && value >= kRoundedFrom && written <= static_cast<size_t>(value)) return false;
  *exponent = minus ? -value : value;
  return true;
}

// "22.0", "4.2e4", "1764400000.123" as digits in scratch. Of a number that is not whole, with `whole` nothing, else its
// whole part.
std::optional<std::string_view> WholeNumber(std::string_view text, bool whole, std::string* scratch) {
  const std::string_view before = TakeDigitsOf(&text);
  if (before.empty()) return std::nullopt;
  std::string_view behind;
  if (TakeChar(&text, '.')) behind = TakeDigitsOf(&text);
  int exponent = 0;
  if (!TakeExponent(text, before.size() + behind.size(), &exponent)) return std::nullopt;
  scratch->assign(before).append(behind);
  const int point = static_cast<int>(before.size()) + exponent;
  const auto size = static_cast<int>(scratch->size());
  if (point < size) {
    const auto keep = static_cast<size_t>(std::max(point, 0));
    if (whole && scratch->find_first_not_of('0', keep) != std::string::npos) return std::nullopt;
    scratch->resize(keep);
  } else if (point - size <= static_cast<int>(kMaxDigits)) {
    scratch->append(static_cast<size_t>(point - size), '0');
  } else if (scratch->find_first_not_of('0') != std::string::npos) {
    return std::nullopt;
  }
  scratch->erase(0, std::min(scratch->find_first_not_of('0'), scratch->size()));
  if (scratch->empty()) scratch->assign("0");
  if (scratch->size() > kMaxDigits) return std::nullopt;
  return *scratch;
}

// "+01:00", "-0500", "+00" at the end of a time, as "+0100" in `zone`.
bool TakeOffset(std::string_view* text, std::string* zone) {
  const size_t sign = text->find_last_of("+-");
  if (sign == std::string_view::npos || sign < 11) return false;  // within the date, or none
  std::string digits;
  for (const char c : text->substr(sign + 1)) {
    if (IsDigit(c)) digits += c;
    if (!IsDigit(c) && (c != ':' || digits.size() != 2)) return false;
  }
  if (digits.size() == 2) digits += "00";
  if (digits.size() != 4) return false;
  zone->assign(1, (*text)[sign]).append(digits);
  *text = Trimmed(text->substr(0, sign));
  return true;
}

// ISO 8601 and RFC 3339 in the spellings of databases and languages: "2025-11-29T07:06:40.123Z", "2025-11-29 07:06:40
// UTC", "20251129T070640Z", "2025/11/29 07:06:40 +0000 UTC".
std::optional<int64_t> IsoTime(std::string_view text) {
  TakeEnd(&text, "[utc]");
  const bool utc = TakeEnd(&text, "utc") || TakeEnd(&text, "gmt");
  text = Trimmed(text);
  if (!utc && TakeEnd(&text, "z")) text = Trimmed(text);
  std::string zone;
  TakeOffset(&text, &zone);
  if (utc && zone.find_first_of("123456789") != std::string::npos) return std::nullopt;
  std::string plain(text);
  if (plain.size() >= 13 && Lower(plain[8]) == 't' && AllDigits(plain.data(), 8)) {
    if (plain.size() >= 15) plain.insert(13, ":");
    plain.insert(11, ":").insert(6, "-").insert(4, "-");
  }
  for (size_t i = 0; i < plain.size(); ++i) {
    if (i < 8 && plain[i] == '/') plain[i] = '-';
    if (i == 10 && plain[i] == 't') plain[i] = 'T';
    if (i == 19 && plain[i] == ',') plain[i] = '.';
  }
  const bool leap = plain.size() >= 19 && plain.compare(16, 3, ":60") == 0;  // a leap second
  if (leap) plain.replace(17, 2, "59");
  constexpr size_t kDate = 10;
  if (plain.size() <= kDate && !zone.empty()) return std::nullopt;
  plain += zone;
  int64_t seconds;
  if (!ParseInstant(plain, &seconds)) return std::nullopt;
  return seconds + leap;
}

struct Clock {
  unsigned hour = 0, minute = 0, second = 0;
};

// "7:06:40.000", of one or two digits each.
bool TakeClock(std::string_view* text, Clock* out) {
  const auto number = [&](unsigned* value) {
    const std::string_view digits = TakeDigitsOf(text);
    std::string_view rest = digits;
    return !digits.empty() && digits.size() <= 2 && TakeDigits(&rest, digits.size(), value);
  };
  if (!number(&out->hour) || !TakeChar(text, ':') || !number(&out->minute)) return false;
  if (TakeChar(text, ':') && !number(&out->second)) return false;
  if (TakeChar(text, '.') && TakeDigitsOf(text).empty()) return false;
  return true;
}

std::optional<int64_t> TimeOf(std::string_view year, std::string_view month, std::string_view day, Clock clock) {
  if (year.size() != 4 || month.empty() || month.size() > 2 || day.empty() || day.size() > 2) return std::nullopt;
  std::string iso(year);
  for (const std::string_view part : {month, day}) iso.append(part.size() == 1 ? "-0" : "-").append(part);
  int64_t seconds;
  if (clock.hour > 23 || clock.minute > 59 || clock.second > 59 || !ParseInstant(iso, &seconds)) return std::nullopt;
  return seconds + (clock.hour * 60 + clock.minute) * 60 + clock.second;
}

// "11/29/2025, 7:06:40.000 AM", as Log Analytics exports it: month, day, year. Capital AM or PM tells it from the
// orders of other countries.
std::optional<int64_t> AmericanTime(std::string_view text) {
  const bool morning = text.ends_with("AM");
  if (!morning && !text.ends_with("PM")) return std::nullopt;
  text.remove_suffix(2);
  for (const std::string_view blank : {" ", "\xE2\x80\xAF", "\xC2\xA0"}) {  // browsers write a narrow one
    if (text.ends_with(blank)) text.remove_suffix(blank.size());
  }
  const std::string_view month = TakeDigitsOf(&text);
  if (!TakeChar(&text, '/')) return std::nullopt;
  const std::string_view day = TakeDigitsOf(&text);
  if (!TakeChar(&text, '/')) return std::nullopt;
  const std::string_view year = TakeDigitsOf(&text);
  TakeChar(&text, ',');
  Clock clock;
  if (!TakeChar(&text, ' ') || !TakeClock(&text, &clock) || !text.empty() || clock.hour < 1 || clock.hour > 12)
    return std::nullopt;
  clock.hour = clock.hour % 12 + (morning ? 0 : 12);
  return TimeOf(year, month, day, clock);
}

// "Nov 29, 2025 @ 07:06:40.000", as Kibana exports it.
std::optional<int64_t> KibanaTime(std::string_view text) {
  constexpr std::string_view kMonths = "jan01feb02mar03apr04may05jun06jul07aug08sep09oct10nov11dec12";
  if (text.size() < 16 || text[3] != ' ') return std::nullopt;
  size_t at = 0;
  while (at < kMonths.size() && !SameWord(text.substr(0, 3), kMonths.substr(at, 3))) at += 5;
  if (at == kMonths.size()) return std::nullopt;
  text.remove_prefix(4);
  const std::string_view day = TakeDigitsOf(&text);
  if (!TakeChar(&text, ',') || !TakeChar(&text, ' ')) return std::nullopt;
  const std::string_view year = TakeDigitsOf(&text);
  Clock clock;
  if (!text.starts_with(" @ ")) return std::nullopt;
  text.remove_prefix(3);
  if (!TakeClock(&text, &clock) || !text.empty()) return std::nullopt;
  return TimeOf(year, kMonths.substr(at + 3, 2), day, clock);
}

std::string_view RespelledTime(std::string_view value, std::string_view text, std::string* scratch) {
  if (text.empty()) return value;
  std::optional<int64_t> seconds;
  if (int64_t plain; ParseInstant(text, &plain)) {  // most
    seconds = plain;
  } else if (const std::optional<std::string_view> number = WholeNumber(text, /*whole=*/false, scratch)) {
    return *number;
  }
  if (!seconds) seconds = IsoTime(text);
  if (!seconds) seconds = AmericanTime(text);
  if (!seconds) seconds = KibanaTime(text);
  if (!seconds || *seconds < 0 || *seconds > kLatestTime) return value;
  // Seconds above kMaxTimeSeconds would be taken for milliseconds.
  const bool late = static_cast<uint64_t>(*seconds) > kMaxTimeSeconds;
  *scratch = std::to_string(late ? *seconds * 1000 : *seconds);
  return *scratch;
}

std::string_view RespelledAccount(std::string_view value, std::string_view text, std::string* scratch) {
  constexpr size_t kAccountDigits = 12;
  if (text.size() == kAccountDigits && AllDigits(text.data(), text.size())) return text;
  if (!WholeNumber(text, /*whole=*/true, scratch) || scratch->size() > kAccountDigits) return value;
  scratch->insert(0, kAccountDigits - scratch->size(), '0');
  return *scratch;
}

// The one of some words that the text is in any case, or the value.
std::string_view OneOf(std::initializer_list<std::string_view> words, std::string_view value, std::string_view text) {
  for (const std::string_view word : words) {
    if (std::equal(text.begin(), text.end(), word.begin(), word.end(),
                   [](char a, char b) { return Lower(a) == Lower(b); }))
      return word;
  }
  return value;
}

}  // namespace

std::string_view RespelledAsAwsWrites(Spelling spelling, std::string_view value, std::string* scratch) {
  if (spelling == Spelling::kText) return value.empty() || value == "NaN" || value == "null" ? kNull : value;
  if (value.size() > kLongest) return value;
  const std::string_view text = Trimmed(value);
  if (IsNull(text)) return kNull;
  switch (spelling) {
    case Spelling::kProtocol:
      if (const std::optional<int> number = FindProtocol(text)) return *scratch = std::to_string(*number);
      [[fallthrough]];
    case Spelling::kWhole:
      if (AllDigits(text.data(), text.size())) return text;
      return WholeNumber(text, /*whole=*/true, scratch).value_or(value);
    case Spelling::kTime:
      if (AllDigits(text.data(), text.size())) return text;
      return RespelledTime(value, text, scratch);
    case Spelling::kAccount: return RespelledAccount(value, text, scratch);
    case Spelling::kAddress: {
      Ip ignored;
      return ParseIp(text, &ignored) ? text : value;
    }
    case Spelling::kUpper: return OneOf({"ACCEPT", "REJECT", "OK", "NODATA", "SKIPDATA"}, value, text);
    case Spelling::kLower: return OneOf({"ingress", "egress"}, value, text);
    case Spelling::kTrafficType: return OneOf({"IPv4", "IPv6", "EFA"}, value, text);
    case Spelling::kName:
    case Spelling::kText: break;
  }
  return value;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
