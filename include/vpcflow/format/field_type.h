// The types a field can have: how its text becomes a value, and the type of that value in C++.
//
// Each type is a struct with `value_type`, `kKind`, `kName` and `Parse(text, size, &value)`; the text is never `-`
// (null is decided before).
//
// Example:
//   uint16_t port = 0;
//   const vpcflow::Errc wrong = vpcflow::type::UInt16::Parse("65536", 5, &port);   // Errc::kOutOfRange
#ifndef VPCFLOW_FORMAT_FIELD_TYPE_H_
#define VPCFLOW_FORMAT_FIELD_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "vpcflow/base/errc.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/base/scalar.h"
#include "vpcflow/base/time.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// What a column of the field holds at run time.
enum class Kind : uint8_t { kInt32, kInt64, kTime, kAddress, kText };

// The `action` field. kOther keeps values that AWS may add.
enum class Action : uint8_t { kAccept, kReject, kOther };
// The `log-status` field.
enum class LogStatus : uint8_t { kOk, kNoData, kSkipData, kOther };

constexpr LogStatus ParseLogStatus(std::string_view text) {
  if (text == "OK") return LogStatus::kOk;
  if (text == "NODATA") return LogStatus::kNoData;
  if (text == "SKIPDATA") return LogStatus::kSkipData;
  return LogStatus::kOther;
}

namespace type {

template <class T, uint64_t kMaxValue, Kind kKindValue>
struct Integer {
  using value_type = T;
  static constexpr Kind kKind = kKindValue;
  static constexpr uint64_t kMax = kMaxValue;
  static Errc Parse(const char* p, size_t n, T* out) {
    uint64_t value;
    const Errc e = ParseUint(p, n, kMax, &value);
    if (e == Errc::kOk) *out = static_cast<T>(value);
    return e;
  }
};

struct UInt8 : Integer<uint8_t, 255, Kind::kInt32> {
  static constexpr std::string_view kName = "uint8";
};
struct UInt16 : Integer<uint16_t, 65535, Kind::kInt32> {
  static constexpr std::string_view kName = "uint16";
};
struct Int32 : Integer<int32_t, std::numeric_limits<int32_t>::max(), Kind::kInt32> {
  static constexpr std::string_view kName = "int32";
};
struct Int64 : Integer<int64_t, std::numeric_limits<int64_t>::max(), Kind::kInt64> {
  static constexpr std::string_view kName = "int64";
};
struct Time {
  using value_type = int64_t;  // Unix seconds
  static constexpr Kind kKind = Kind::kTime;
  static constexpr uint64_t kMax = 9'999'999'999'999;  // kMaxTimeDigits nines
  static constexpr std::string_view kName = "time";
  static Errc Parse(const char* p, size_t n, int64_t* out) { return ParseFlowTime(p, n, out); }
};
struct Address {
  using value_type = Ip;
  static constexpr Kind kKind = Kind::kAddress;
  static constexpr uint64_t kMax = 0;
  static constexpr std::string_view kName = "address";
  static Errc Parse(const char* p, size_t n, Ip* out) {
    return ParseIp(p, p + n, out) ? Errc::kOk : Errc::kNotAnAddress;
  }
};
struct Text {
  using value_type = std::string_view;
  static constexpr Kind kKind = Kind::kText;
  static constexpr uint64_t kMax = 0;
  static constexpr std::string_view kName = "text";
  static Errc Parse(const char* p, size_t n, std::string_view* out) {
    *out = {p, n};
    return Errc::kOk;
  }
};
struct Action {
  using value_type = vpcflow::Action;
  static constexpr Kind kKind = Kind::kText;
  static constexpr uint64_t kMax = 0;
  static constexpr std::string_view kName = "text";
  static Errc Parse(const char* p, size_t n, vpcflow::Action* out) {
    const std::string_view text(p, n);
    *out = text == "ACCEPT"   ? vpcflow::Action::kAccept
           : text == "REJECT" ? vpcflow::Action::kReject
                              : vpcflow::Action::kOther;
    return Errc::kOk;
  }
};
struct LogStatus {
  using value_type = vpcflow::LogStatus;
  static constexpr Kind kKind = Kind::kText;
  static constexpr uint64_t kMax = 0;
  static constexpr std::string_view kName = "text";
  static Errc Parse(const char* p, size_t n, vpcflow::LogStatus* out) {
    *out = ParseLogStatus({p, n});
    return Errc::kOk;
  }
};

}  // namespace type

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_FIELD_TYPE_H_
