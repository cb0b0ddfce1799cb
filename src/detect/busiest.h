// Busiest: the stretch of time in which sessions weigh most. Thresholds are per time, so that a longer log finds no more.
#ifndef VPCFLOW_SRC_DETECT_BUSIEST_H_
#define VPCFLOW_SRC_DETECT_BUSIEST_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "src/detect/sessions.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr int64_t kHour = 3600, kDay = 86400;  // seconds

// Returns the rows that start within some `seconds` and together weigh most: weight(row) is a number of bytes or sessions.
// Of equal stretches the first. `rows` are by start.
template <class Row, class Weight>
std::span<const Row> BusiestOf(std::span<const Row> rows, int64_t seconds, Weight weight) {
  std::span<const Row> best;
  uint128 most = 0, sum = 0;
  for (size_t first = 0, last = 0; last < rows.size(); ++last) {
    sum += weight(rows[last]);
    for (; rows[last].start - rows[first].start >= seconds; ++first) sum -= weight(rows[first]);
    if (sum <= most) continue;
    most = sum;
    best = rows.subspan(first, last - first + 1);
  }
  return best;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_BUSIEST_H_
