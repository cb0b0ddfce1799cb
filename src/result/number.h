// Number: a value of a column or an expression: null, a whole number, or a double.
#ifndef VPCFLOW_SRC_RESULT_NUMBER_H_
#define VPCFLOW_SRC_RESULT_NUMBER_H_

#include <cmath>
#include <cstdint>
#include <limits>

#include "vpcflow/result/table.h"
#include "vpcflow/result/wide.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct Number {
  enum class Kind : uint8_t { kNull, kWhole, kReal };
  Kind kind = Kind::kNull;
  int128 whole = 0;
  double real = 0;

  static Number Whole(int128 value) { return {Kind::kWhole, value, 0}; }
  // Null for NaN.
  static Number Real(double value) { return std::isnan(value) ? Number{} : Number{Kind::kReal, 0, value}; }

  bool is_null() const { return kind == Kind::kNull; }
  // NaN for null.
  double AsDouble() const {
    switch (kind) {
      case Kind::kNull: return std::numeric_limits<double>::quiet_NaN();
      case Kind::kWhole: return static_cast<double>(whole);
      case Kind::kReal: return real;
    }
    return 0;
  }
};

// Returns whether a is below (-1), equal to (0) or above (1) a number, exactly. Neither is null.
inline int CompareNumbers(const Number& a, const Number& b) {
  const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (a.kind == b.kind) return a.kind == Number::Kind::kWhole ? order(a.whole, b.whole) : order(a.real, b.real);
  if (a.kind == Number::Kind::kReal) return -CompareNumbers(b, a);
  constexpr double kBound = 170141183460469231731687303715884105728.0;  // 2^127
  if (b.real >= kBound) return -1;
  if (b.real < -kBound) return 1;
  const double floor = std::floor(b.real);
  const int whole = order(a.whole, static_cast<int128>(floor));
  return whole != 0 ? whole : order(0.0, b.real - floor);
}

// Returns the value of a column of numbers or times (Unix seconds).
inline Number NumberAt(const TableColumn& column, size_t row) {
  if (column.is_null(row)) return {};
  switch (column.type) {
    case ColumnType::kInt32: return Number::Whole(column.i32[row]);
    case ColumnType::kInt64: return Number::Whole(column.i64[row]);
    case ColumnType::kInt128: return Number::Whole(static_cast<int128>(column.i128[row]));
    case ColumnType::kTime: {
      const int64_t micros = column.i64[row];
      if (micros % kMicrosPerSecond == 0) return Number::Whole(micros / kMicrosPerSecond);
      return Number::Real(static_cast<double>(micros) / static_cast<double>(kMicrosPerSecond));
    }
    default: return Number::Real(column.f64[row]);
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_RESULT_NUMBER_H_
