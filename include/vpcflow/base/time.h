// Time: Unix seconds UTC, as flow logs carry them, and the texts people write for instants and durations.
//
// Example:
//   int64_t s;
//   vpcflow::ParseFlowTime("1418530010000", 13, &s);      // 1418530010: milliseconds are recognised by their size
//   vpcflow::ParseInstant("2026-11-23T10:00:00Z", &s);    // time literals of filters
//   vpcflow::ParseDuration("5m", &s);                     // 300
#ifndef VPCFLOW_BASE_TIME_H_
#define VPCFLOW_BASE_TIME_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "vpcflow/base/errc.h"
#include "vpcflow/base/scalar.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// A value above this is taken for milliseconds (some exporters write them); it may have up to kMaxTimeDigits digits.
inline constexpr uint64_t kMaxTimeSeconds = uint64_t{1} << 31;
// The latest time that there can be: 13 digits of milliseconds.
inline constexpr int64_t kLatestTime = 9'999'999'999;
inline constexpr size_t kMaxTimeDigits = 13;
// Seconds of AWS's longest aggregation interval, which a record of traffic spans at most.
inline constexpr int64_t kLongestWindow = 600;

// Parses the `start` and `end` fields. Milliseconds are rounded down to the second.
inline Errc ParseFlowTime(const char* p, size_t n, int64_t* seconds) {
  uint64_t value;
  const Errc e = ParseUint(p, n, ~uint64_t{0}, &value);
  if (e != Errc::kOk) return e;
  if (n > kMaxTimeDigits) return Errc::kOutOfRange;
  *seconds = static_cast<int64_t>(value > kMaxTimeSeconds ? value / 1000 : value);
  return Errc::kOk;
}

namespace internal {

// Days from 1970-01-01 of a date in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
// algorithms").
constexpr int64_t DaysFromCivil(int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const unsigned yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<int64_t>(doe) - 719468;
}

struct CivilDate {
  int64_t year;
  unsigned month;
  unsigned day;
};

constexpr CivilDate CivilFromDays(int64_t z) {
  z += 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const unsigned doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return {static_cast<int64_t>(yoe) + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

inline bool TakeDigits(std::string_view* text, size_t n, unsigned* out) {
  if (text->size() < n) return false;
  unsigned value = 0;
  for (size_t i = 0; i < n; ++i) {
    const unsigned digit = static_cast<unsigned char>((*text)[i]) - '0';
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  text->remove_prefix(n);
  *out = value;
  return true;
}

inline bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace internal

// Parses "2026-11-23", "2026-11-23T10:00[:00[.fff]]", a blank instead of the T, and "Z" or "+01:00" behind it; UTC
// without. Fractions are dropped.
inline bool ParseInstant(std::string_view text, int64_t* seconds) {
  using internal::TakeChar;
  using internal::TakeDigits;
  unsigned year, month, day, hour = 0, minute = 0, second = 0;
  if (!TakeDigits(&text, 4, &year) || !TakeChar(&text, '-') || !TakeDigits(&text, 2, &month) || !TakeChar(&text, '-') ||
      !TakeDigits(&text, 2, &day)) {
    return false;
  }
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > kDays[month - 1] + (month == 2 && leap ? 1 : 0)) return false;
  int64_t offset = 0;
  if (!text.empty()) {
    if (!TakeChar(&text, 'T') && !TakeChar(&text, ' ')) return false;
    if (!TakeDigits(&text, 2, &hour) || !TakeChar(&text, ':') || !TakeDigits(&text, 2, &minute)) return false;
    if (TakeChar(&text, ':')) {
      if (!TakeDigits(&text, 2, &second)) return false;
      if (TakeChar(&text, '.')) {
        unsigned digit;
        if (!TakeDigits(&text, 1, &digit)) return false;
        while (TakeDigits(&text, 1, &digit)) {
        }
      }
    }
    if (hour > 23 || minute > 59 || second > 59) return false;
    if (!text.empty() && !TakeChar(&text, 'Z')) {
      const bool negative = text.front() == '-';
      if (!negative && text.front() != '+') return false;
      text.remove_prefix(1);
      unsigned off_hour, off_minute;
      if (!TakeDigits(&text, 2, &off_hour)) return false;
      TakeChar(&text, ':');
      if (!TakeDigits(&text, 2, &off_minute) || off_hour > 23 || off_minute > 59) return false;
      offset = (static_cast<int64_t>(off_hour) * 60 + off_minute) * 60 * (negative ? -1 : 1);
    }
    if (!text.empty()) return false;
  }
  *seconds = internal::DaysFromCivil(year, month, day) * 86400 + static_cast<int64_t>(hour) * 3600 +
             static_cast<int64_t>(minute) * 60 + second - offset;
  return true;
}

// Formats as "2026-11-23T10:00:00Z". Years outside 0..9999 are written in full.
inline std::string FormatInstant(int64_t seconds) {
  int64_t days = seconds / 86400, rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  const internal::CivilDate date = internal::CivilFromDays(days);
  char text[48];
  std::snprintf(text, sizeof text, "%04lld-%02u-%02uT%02d:%02d:%02dZ", static_cast<long long>(date.year), date.month,
                date.day, static_cast<int>(rest / 3600), static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
  return text;
}

// Parses "30s", "5m", "1h", "1d", "1w": a positive whole number and one unit, at most 10 years.
inline bool ParseDuration(std::string_view text, int64_t* seconds) {
  if (text.size() < 2) return false;
  int64_t unit = 0;
  switch (text.back()) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86400; break;
    case 'w': unit = 7 * 86400; break;
    default: return false;
  }
  constexpr int64_t kTenYears = int64_t{3653} * 86400;
  uint64_t count;
  text.remove_suffix(1);
  if (ParseUint(text, static_cast<uint64_t>(kTenYears), &count) != Errc::kOk || count == 0) return false;
  if (static_cast<int64_t>(count) > kTenYears / unit) return false;
  *seconds = static_cast<int64_t>(count) * unit;
  return true;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_BASE_TIME_H_
