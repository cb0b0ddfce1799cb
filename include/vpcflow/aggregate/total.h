// Total: an unsigned 128-bit counter, so that sums of 64-bit values never wrap (2^64 records of the largest value fit).
//
// Example:
//   vpcflow::Total total;
//   total += 4249;
//   total.u64();          // the value, or UINT64_MAX if it does not fit (then !total.fits_u64())
//   total.ToString();     // exact, always
#ifndef VPCFLOW_AGGREGATE_TOTAL_H_
#define VPCFLOW_AGGREGATE_TOTAL_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

__extension__ typedef unsigned __int128 uint128;

class Total {
 public:
  constexpr Total() = default;
  constexpr Total(uint128 value) : value_(value) {}  // NOLINT(google-explicit-constructor): it is a number

  constexpr Total& operator+=(const Total& other) {
    value_ += other.value_;
    return *this;
  }
  constexpr uint128 value() const { return value_; }
  constexpr bool fits_u64() const { return value_ >> 64 == 0; }
  constexpr uint64_t u64() const {
    return fits_u64() ? static_cast<uint64_t>(value_) : std::numeric_limits<uint64_t>::max();
  }
  constexpr double as_double() const {
    return static_cast<double>(static_cast<uint64_t>(value_ >> 64)) * 18446744073709551616.0 +
           static_cast<double>(static_cast<uint64_t>(value_));
  }
  std::string ToString() const {
    std::string digits;
    uint128 rest = value_;
    do {
      digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
      rest /= 10;
    } while (rest != 0);
    return digits;
  }
  friend constexpr auto operator<=>(const Total&, const Total&) = default;

 private:
  uint128 value_ = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_AGGREGATE_TOTAL_H_
