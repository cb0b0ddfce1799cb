// Coverage: which minutes of which interfaces a log speaks of, and how: traffic, NODATA, SKIPDATA, or not at all.
//
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

  // O(minutes of the record), log of the interfaces and hours.
  void Update(const RecordView& record) {
    const std::optional<int64_t> start = record.start();
    if (!start) {
      ++without_time_;
      return;
    }
    std::string_view name;
    for (const Field field : {Field::kInterfaceId, Field::kTgwAttachmentId, Field::kResourceId}) {
      const std::string_view text = record.text(field);
      if (name.empty() || name == "-") name = text.empty() ? name : text;
    }
    Add(name, *start, record.end().value_or(*start), ParseLogStatus(record.text(Field::kLogStatus)));
  }

  // One record by its values, Unix seconds.
  void Add(std::string_view interface, int64_t start, int64_t end, LogStatus status) {
    end = std::max(end, start);
    auto found = interfaces_.find(interface);
    if (found == interfaces_.end()) found = interfaces_.emplace(interface, Hours()).first;
    const Seen seen = status == LogStatus::kNoData     ? Seen::kNoData
                      : status == LogStatus::kSkipData ? Seen::kSkipData
                                                       : Seen::kOk;
    const int64_t first = Minute(start);
    // No window is longer than ten minutes (AWS); of what claims to be, only the beginning is believed.
    int64_t last = end > start ? Minute(end - 1) : first;
    if (last - first > kLongestWindow / 60) last = first;
    longest_ = std::max(longest_, std::min(end - start, kLongestWindow));
    for (int64_t minute = first; minute <= last; ++minute) Mark(&found->second, minute, seen);
  }

  void Merge(const Coverage& other) {
    for (const auto& [name, hours] : other.interfaces_) {
      Hours& own = interfaces_[name];
      for (const auto& [hour, minutes] : hours) {
        Minutes& to = own[hour];
        for (size_t i = 0; i < minutes.size(); ++i) to[i] = std::max(to[i], minutes[i]);
      }
    }
    longest_ = std::max(longest_, other.longest_);
    without_time_ += other.without_time_;
  }

  // By interface and time, from the first minute of the log to the last one for every interface. Minutes between two
  // records that are less than a window apart are quiet, not absent: they are seen as the record before them. O(hours).
  std::vector<Interval> Value() const {
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (const auto& [name, hours] : interfaces_) {
      EachMinute(hours, [&](int64_t minute, Seen) {
        first = std::min(first, minute);
        last = std::max(last, minute);
      });
    }
    std::vector<Interval> out;
    for (const auto& entry : interfaces_) {
      const std::string& name = entry.first;  // no structured binding: clang 14 does not capture one
      const Hours& hours = entry.second;
      const size_t begin = out.size();
      const auto add = [&](Seen seen, int64_t from, int64_t to) {  // minutes [from, to)
        if (from >= to) return;
        if (out.size() > begin && out.back().seen == seen && out.back().end == from * 60) {
          out.back().end = to * 60;
        } else {
          out.push_back({name, seen, from * 60, to * 60});
        }
      };
      const int64_t window = window_seconds() / 60;
      int64_t next = first;  // the minute behind what was added
      EachMinute(hours, [&](int64_t minute, Seen seen) {
        const bool quiet = out.size() > begin && minute - next < window;
        add(quiet ? out.back().seen : Seen::kAbsent, next, minute);
        add(seen, minute, minute + 1);
        next = minute + 1;
      });
      add(Seen::kAbsent, next, last + 1);
    }
    return out;
  }

  // The aggregation window that the records show: one minute or ten.
  int64_t window_seconds() const { return longest_ <= 60 ? 60 : kLongestWindow; }
  // Records without `start`, of no minute.
  uint64_t without_time() const { return without_time_; }

 private:
  static constexpr int64_t kLongestWindow = 600;
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

#endif  // VPCFLOW_AGGREGATE_COVERAGE_H_
