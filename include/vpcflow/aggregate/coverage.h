// Coverage: the interface-minutes that a log has, and how each was logged: traffic, NODATA, SKIPDATA, or not at all.
//
// Example:
//   vpcflow::Coverage coverage;
//   absl::Status s = vpcflow::Scan(sources).AllRecords().Into(&coverage);
//   for (const vpcflow::Coverage::Interval& i : coverage.Value())
//     if (i.seen == vpcflow::Seen::kAbsent) Print(i.interface, i.start, i.end);      // a gap in the log
//
// An accumulator like any other: merging is associative and commutative. Records without an interface are told apart by
// what stands behind them: transit gateway logs by their attachments, regional NAT gateways by their resource-id.
// Memory: an hour of an interface takes 60 bytes and a node of a map.
#ifndef VPCFLOW_AGGREGATE_COVERAGE_H_
#define VPCFLOW_AGGREGATE_COVERAGE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/base/time.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// In the order in which one hides another: of a minute with lost records all counts are a floor.
enum class Seen : uint8_t { kAbsent, kNoData, kOk, kSkipData };

constexpr std::string_view SeenName(Seen seen) {
  constexpr std::array<std::string_view, 4> kNames = {"absent", "NODATA", "OK", "SKIPDATA"};
  return kNames[static_cast<size_t>(seen)];
}

// Any number of threads may use one at once through const members; changes are for one thread alone.
class Coverage {
 public:
  static constexpr std::array<Field, 4> kFields = {Field::kInterfaceId, Field::kStart, Field::kEnd, Field::kLogStatus};

  // Minutes [start, end) of an interface, Unix seconds, all seen in the same way.
  struct Interval {
    std::string interface;
    Seen seen = Seen::kAbsent;
    int64_t start = 0;
    int64_t end = 0;
    friend bool operator==(const Interval&, const Interval&) = default;
  };

  // Adds a record. O(its minutes), times the logarithm of interfaces and hours.
  void Update(const RecordView& record);
  // Adds a record by its values; times are Unix seconds.
  void Add(std::string_view interface, int64_t start, int64_t end, LogStatus status);
  // Adds what another has seen. O(hours of the other).
  void Merge(const Coverage& other);
  // Returns the intervals by interface and time, for every interface from the first minute of the log to the last.
  // Minutes between two records that are less than a window apart are quiet, not absent: they are seen as the record
  // before them. O(hours).
  std::vector<Interval> Value() const;

  // Returns the aggregation interval that the records show: 60 or 600 seconds.
  int64_t window_seconds() const { return longest_ <= 60 ? 60 : kLongestWindow; }
  // Returns how many records have no `start` and so belong to no minute.
  uint64_t without_time() const { return without_time_; }

 private:
  using Minutes = std::array<uint8_t, 60>;  // of Seen
  using Hours = std::map<int64_t, Minutes>;

  static int64_t Minute(int64_t seconds) { return seconds / 60; }  // times are never negative
  static void Mark(Hours* hours, int64_t minute, Seen seen) {
    uint8_t& to = (*hours)[minute / 60][static_cast<size_t>(minute % 60)];
    to = std::max(to, static_cast<uint8_t>(seen));
  }
  template <class Fn>
  static void EachMinute(const Hours& hours, Fn fn) {
    for (const auto& [hour, minutes] : hours) {
      for (size_t i = 0; i < minutes.size(); ++i) {
        if (minutes[i] != 0) fn(hour * 60 + static_cast<int64_t>(i), static_cast<Seen>(minutes[i]));
      }
    }
  }

  std::map<std::string, Hours, std::less<>> interfaces_;
  int64_t longest_ = 0;
  uint64_t without_time_ = 0;
};

VPCFLOW_NAMESPACE_END

#include "vpcflow/aggregate/coverage-inl.h"

#endif  // VPCFLOW_AGGREGATE_COVERAGE_H_
