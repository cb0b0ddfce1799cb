// Spelling: the ordinary spellings of other tools as the values that AWS writes.
//
//   std::string scratch;
//   AsAwsWrites(Field::kBytes, "22.0", &scratch);                  // "22"
//   AsAwsWrites(Field::kStart, "2025-11-29T07:06:40Z", &scratch);  // "1764400000"
//   AsAwsWrites(Field::kProtocol, "TCP", &scratch);                // "6"
//   AsAwsWrites(Field::kSrcAddr, "NaN", &scratch);                 // "-"
//   AsAwsWrites(Field::kBytes, "0x16", &scratch);                  // "0x16", for the parser to reject
#ifndef VPCFLOW_SRC_FORMAT_SPELLING_H_
#define VPCFLOW_SRC_FORMAT_SPELLING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "vpcflow/format/field.h"
#include "vpcflow/internal/digits.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// How the values of a field are spelt.
enum class Spelling : uint8_t {
  kWhole,
  kTime,
  kProtocol,
  kAccount,
  kAddress,
  kUpper,        // an enumeration in capitals: ACCEPT, NODATA
  kLower,        // an enumeration in lower case: ingress
  kTrafficType,  // IPv4, IPv6, EFA
  kName,         // a name that AWS gives: never one of the spellings of null
  kText          // what a user wrote, and columns that the catalogue lacks
};

constexpr Spelling SpellingOf(Field field) {
  switch (field) {
    case Field::kProtocol: return Spelling::kProtocol;
    case Field::kAccountId:
    case Field::kTgwSrcVpcAccountId:
    case Field::kTgwDstVpcAccountId: return Spelling::kAccount;
    case Field::kAction:
    case Field::kLogStatus: return Spelling::kUpper;
    case Field::kFlowDirection: return Spelling::kLower;
    case Field::kType: return Spelling::kTrafficType;
    case Field::kEcsClusterName:
    case Field::kEcsServiceName:
    case Field::kInstanceTag:
    case Field::kInstanceTag2:
    case Field::kInterfaceTag:
    case Field::kInterfaceTag2:
    case Field::kAsgTag:
    case Field::kAsgTag2:
    case Field::kUnknown: return Spelling::kText;
    default: break;
  }
  switch (Info(field).kind) {
    case Kind::kInt32:
    case Kind::kInt64: return Spelling::kWhole;
    case Kind::kTime: return Spelling::kTime;
    case Kind::kAddress: return Spelling::kAddress;
    case Kind::kText: break;
  }
  return Spelling::kName;
}

// Whether what IsAsAwsWrites takes is nothing but digits.
constexpr bool IsNumber(Spelling spelling) { return spelling <= Spelling::kAccount; }

inline bool AllDigits(const char* p, size_t n) {
  if (n >= 8 && n <= 16) {
    constexpr uint64_t kZeros = 0x3030303030303030ull;
    return (NotDigits(Load8(p) ^ kZeros) | NotDigits(Load8(p + n - 8) ^ kZeros)) == 0;
  }
  for (size_t i = 0; i < n; ++i) {
    if (static_cast<unsigned char>(p[i]) - unsigned{'0'} > 9) return false;
  }
  return n > 0;
}

// Whether a value is taken as it stands by a glance: most that AWS writes are.
inline bool IsAsAwsWrites(Spelling spelling, std::string_view value) {
  constexpr size_t kLongestNull = 6;
  const size_t n = value.size();
  switch (spelling) {
    case Spelling::kWhole:
    case Spelling::kTime:
    case Spelling::kProtocol: return AllDigits(value.data(), n);
    case Spelling::kAccount: return n == 12 && AllDigits(value.data(), n);
    case Spelling::kAddress:
      return n > kLongestNull && value.front() != ' ' && value.back() != ' ' && value.front() != '\t';
    case Spelling::kName: return n > kLongestNull;
    case Spelling::kText: return n > 4;
    case Spelling::kUpper: return value == "OK" || value == "ACCEPT" || value == "REJECT";
    case Spelling::kLower: return value == "ingress" || value == "egress";
    case Spelling::kTrafficType: return value == "IPv4" || value == "IPv6";
  }
  return false;
}

std::string_view RespelledAsAwsWrites(Spelling spelling, std::string_view value, std::string* scratch);

inline std::string_view AsAwsWrites(Spelling spelling, std::string_view value, std::string* scratch) {
  return IsAsAwsWrites(spelling, value) ? value : RespelledAsAwsWrites(spelling, value, scratch);
}

// The value as AWS writes it, if it is an ordinary spelling of one: whole numbers as 22.0 or 4.2e4, missing values as
// NaN, null, None, N/A or nothing, ISO 8601 and other unambiguous times (UTC unless they say another offset), protocol
// names, account ids that lost their leading zeros, enumerations in any case. Any other value comes back unchanged, for
// the parser to judge; so do all that AWS writes. The result is a part of `value`, of `scratch`, or a constant.
// O(length), and bounded for values longer than 64 bytes.
inline std::string_view AsAwsWrites(Field field, std::string_view value, std::string* scratch) {
  return AsAwsWrites(SpellingOf(field), value, scratch);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FORMAT_SPELLING_H_
