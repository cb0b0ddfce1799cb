#include "vpcflow/enrich/labels.h"

#include <algorithm>
#include <optional>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace {

// The address behind another; nothing behind the last one.
std::optional<Ip> Next(const Ip& ip) {
  Ip next = {ip.hi, ip.lo + 1};
  if (next.lo == 0 && ++next.hi == 0) return std::nullopt;
  return next;
}

// Prefixes of IPv6 that hold all of IPv4 in its 128-bit form mean IPv6 alone.
bool IsOf(const Cidr& prefix, const Ip& ip) { return !ip.is_v4() || prefix.first.is_v4(); }

}  // namespace

uint32_t Labels::Number(std::string_view label) {
  const auto [at, added] = numbers_.try_emplace(std::string(label), static_cast<uint32_t>(labels_.size()));
  if (added) labels_.emplace_back(label);
  return at->second;
}

void Labels::Note(const Validity& validity) {
  ++entries_;
  timed_ |= validity.from != Validity().from || validity.until != Validity().until;
}

void Labels::AddPrefix(const Cidr& prefix, std::string_view label, Validity validity) {
  prefixes_.push_back({prefix, {Number(label), validity}});
  Note(validity);
}
void Labels::AddText(std::string_view value, std::string_view label, Validity validity) {
  texts_[std::string(value)].push_back({Number(label), validity});
  Note(validity);
}
void Labels::AddNumber(int64_t value, std::string_view label, Validity validity) {
  numbered_[value].push_back({Number(label), validity});
  Note(validity);
}

void Labels::Freeze() {
  frozen_ = true;
  // Outer prefixes before inner ones, so that of those around an address the longest comes last.
  std::stable_sort(prefixes_.begin(), prefixes_.end(), [](const auto& a, const auto& b) {
    return a.first.first != b.first.first ? a.first.first < b.first.first : b.first.last < a.first.last;
  });
  std::vector<Ip> borders = {Ip::V4(0), *Next(Ip::V4(~uint32_t{0}))};  // IsOf tells IPv4 and IPv6 apart
  for (const auto& [prefix, entry] : prefixes_) {
    borders.push_back(prefix.first);
    if (const std::optional<Ip> behind = Next(prefix.last)) borders.push_back(*behind);
  }
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  std::vector<size_t> around;  // the prefixes that hold the border at hand
  size_t next = 0;
  for (const Ip& border : borders) {
    std::erase_if(around, [&](size_t i) { return prefixes_[i].first.last < border; });
    for (; next < prefixes_.size() && prefixes_[next].first.first == border; ++next) around.push_back(next);
    Range range{border, {}};
    for (const size_t i : around) {
      if (IsOf(prefixes_[i].first, border)) range.entries.push_back(prefixes_[i].second);
    }
    ranges_.push_back(std::move(range));
  }
  prefixes_ = {};
  numbers_ = {};
}

uint32_t Labels::At(const std::vector<Entry>& entries, int64_t time) {
  for (auto at = entries.rbegin(); at != entries.rend(); ++at) {
    if (at->validity.from <= time && time < at->validity.until) return at->label;
  }
  return kNone;
}

uint32_t Labels::OfAddress(const Ip& address, int64_t time) const {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                       [](const Ip& ip, const Range& range) { return ip < range.first; });
  return behind == ranges_.begin() ? kNone : At(std::prev(behind)->entries, time);
}
uint32_t Labels::OfText(std::string_view value, int64_t time) const {
  const auto found = texts_.find(value);
  return found == texts_.end() ? kNone : At(found->second, time);
}
uint32_t Labels::OfNumber(int64_t value, int64_t time) const {
  const auto found = numbered_.find(value);
  return found == numbered_.end() ? kNone : At(found->second, time);
}

VPCFLOW_NAMESPACE_END
