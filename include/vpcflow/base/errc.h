// Errc: why a value or a line is not what its format says. One byte, so that the hot loop can return it beside a value.
//
// The list below is the only place where a reason is named; docs, reports and Python take it from here.
//
// Example:
//   vpcflow::Errc e = vpcflow::Errc::kNotANumber;
//   std::cerr << vpcflow::ErrcName(e) << ": " << vpcflow::ErrcMeaning(e);
#ifndef VPCFLOW_BASE_ERRC_H_
#define VPCFLOW_BASE_ERRC_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// X(constant, name in reports, meaning)
#define VPCFLOW_ERRCS(X)                                                                      \
  X(kOk, "ok", "no error")                                                                    \
  X(kTooFewFields, "too-few-fields", "the line has fewer fields than its format")             \
  X(kTooManyFields, "too-many-fields", "the line has more fields than its format")            \
  X(kNotANumber, "not-a-number", "a numeric field holds something other than digits")         \
  X(kOutOfRange, "out-of-range", "a number lies outside the range of its field")              \
  X(kNotAnAddress, "not-an-address", "an address field holds neither IPv4 nor IPv6 text")     \
  X(kControlByte, "control-byte", "the line holds a byte below 0x20 (NUL, ESC, ...) or 0x7F") \
  X(kLineTooLong, "line-too-long", "the line is longer than the limit (1 MiB by default)")    \
  X(kNoRecord, "no-record", "an entry of a container (JSON, CSV, ...) holds no flow log record")

enum class Errc : uint8_t {
#define VPCFLOW_X(id, name, meaning) id,
  VPCFLOW_ERRCS(VPCFLOW_X)
#undef VPCFLOW_X
};

#define VPCFLOW_X(id, name, meaning) +1
inline constexpr size_t kErrcCount = 0 VPCFLOW_ERRCS(VPCFLOW_X);
#undef VPCFLOW_X

// Returns the name used in reports ("not-a-number").
constexpr std::string_view ErrcName(Errc e) {
  constexpr std::string_view kNames[] = {
#define VPCFLOW_X(id, name, meaning) name,
      VPCFLOW_ERRCS(VPCFLOW_X)
#undef VPCFLOW_X
  };
  return kNames[static_cast<size_t>(e)];
}

// Returns one sentence for a person.
constexpr std::string_view ErrcMeaning(Errc e) {
  constexpr std::string_view kMeanings[] = {
#define VPCFLOW_X(id, name, meaning) meaning,
      VPCFLOW_ERRCS(VPCFLOW_X)
#undef VPCFLOW_X
  };
  return kMeanings[static_cast<size_t>(e)];
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_BASE_ERRC_H_
