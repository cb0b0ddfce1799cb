// Definitions of coverage.h; include that.
#ifndef VPCFLOW_AGGREGATE_COVERAGE_INL_H_
#define VPCFLOW_AGGREGATE_COVERAGE_INL_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

VPCFLOW_NAMESPACE_BEGIN

inline void Coverage::Update(const RecordView& record) {
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

inline void Coverage::Add(std::string_view interface, int64_t start, int64_t end, LogStatus status) {
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

inline void Coverage::Merge(const Coverage& other) {
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

inline std::vector<Coverage::Interval> Coverage::Value() const {
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

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_AGGREGATE_COVERAGE_INL_H_
