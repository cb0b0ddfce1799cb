// Whole numbers of 128 bits in columns (ColumnType::kInt128): two's complement, whose least value is null.
//
// Example:
//   const auto value = static_cast<vpcflow::int128>(vpcflow::kNullInt128);   // the least value
//   const bool negative = value < 0;
#ifndef VPCFLOW_RESULT_WIDE_H_
#define VPCFLOW_RESULT_WIDE_H_

#include "vpcflow/aggregate/total.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

__extension__ typedef __int128 int128;

inline constexpr uint128 kNullInt128 = uint128{1} << 127;

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RESULT_WIDE_H_
