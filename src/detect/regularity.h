// Regularity: how evenly starts of sessions follow each other.
#ifndef VPCFLOW_SRC_DETECT_REGULARITY_H_
#define VPCFLOW_SRC_DETECT_REGULARITY_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "src/detect/sessions.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Returns the median of values that are not empty; of an even number of them the mean of the two in the middle.
inline double MedianOf(std::vector<double> values) {
  const size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half), values.end());
  const double upper = values[half];
  if (values.size() % 2 != 0) return upper;
  return (*std::max_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half)) + upper) / 2;
}

struct Regularity {
  double period = 0;  // the median time between starts, in seconds
  // The median deviation from it, by it; half a second, the resolution of start times, counts as none. 0.05 for delays
  // drawn evenly from within 10 % of a period, 0.25 for 50 %, 0.69 for starts that are independent of each other.
  double jitter = 0;
};

// Of two starts or more, Unix seconds in any order.
inline Regularity RegularityOf(std::vector<int64_t> starts) {
  std::sort(starts.begin(), starts.end());
  std::vector<double> gaps;
  for (size_t i = 1; i < starts.size(); ++i) gaps.push_back(static_cast<double>(starts[i] - starts[i - 1]));
  Regularity out;
  out.period = MedianOf(gaps);
  for (double& gap : gaps) gap = std::abs(gap - out.period);
  const double deviation = std::max(0.0, MedianOf(std::move(gaps)) - 0.5);
  out.jitter = out.period > 0 ? deviation / out.period : deviation;
  return out;
}

// Returns whether sessions come back by the clock, as those of monitors and inventories do; of six or more.
inline bool AreSteady(std::span<const SessionRow> rows) {
  constexpr size_t kLeast = 6;
  constexpr double kSteady = 0.1;
  if (rows.size() < kLeast) return false;
  std::vector<int64_t> starts;
  for (const SessionRow& row : rows) starts.push_back(row.start);
  return RegularityOf(std::move(starts)).jitter <= kSteady;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_REGULARITY_H_
