// Number parsing: decimal digits only, range checked, no locale, no allocation.
//
// Example:
//   uint64_t port;
//   vpcflow::Errc e = vpcflow::ParseUint("443", 65535, &port);   // kOk, 443
//
// Signs, blanks, hex, exponents and separators are kNotANumber. Leading zeros are accepted up to kMaxDigits digits in
// all.
#ifndef VPCFLOW_BASE_SCALAR_H_
#define VPCFLOW_BASE_SCALAR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vpcflow/base/errc.h"
#include "vpcflow/internal/digits.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// 19 decimal digits always fit 64 unsigned bits.
inline constexpr size_t kMaxDigits = 19;

inline Errc ParseUint(const char* p, size_t n, uint64_t max, uint64_t* out) {
  if (n == 0) return Errc::kNotANumber;
  uint64_t value = 0;
  const size_t take = n < kMaxDigits ? n : kMaxDigits;
  for (size_t i = 0; i < take; ++i) {
    const unsigned digit = static_cast<unsigned char>(p[i]) - '0';
    if (digit > 9) return Errc::kNotANumber;
    value = value * 10 + digit;
  }
  for (size_t i = take; i < n; ++i) {
    if (static_cast<unsigned char>(p[i]) - unsigned{'0'} > 9) return Errc::kNotANumber;
  }
  if (n > kMaxDigits || value > max) return Errc::kOutOfRange;
  *out = value;
  return Errc::kOk;
}
// Parses the same, in text behind other text: `before` bytes before p may be read, which makes numbers of up to 16
// digits cheap.
inline Errc ParseUintBehind(const char* p, size_t n, size_t before, uint64_t max, uint64_t* out) {
  if (n - 1 >= 16 || before + n < (n > 8 ? 16 : 8)) return ParseUint(p, n, max, out);
  const uint64_t low = internal::DigitsBefore(p + n, n > 8 ? 8 : n);
  const uint64_t high = n > 8 ? internal::DigitsBefore(p + n - 8, n - 8) : 0;
  if ((internal::NotDigits(low) | internal::NotDigits(high)) != 0) return Errc::kNotANumber;
  const uint64_t value = internal::EightDigits(high) * 100'000'000 + internal::EightDigits(low);
  if (value > max) return Errc::kOutOfRange;
  *out = value;
  return Errc::kOk;
}
inline Errc ParseUint(std::string_view text, uint64_t max, uint64_t* out) {
  return ParseUint(text.data(), text.size(), max, out);
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_BASE_SCALAR_H_
