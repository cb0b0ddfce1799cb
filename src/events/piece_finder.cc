#include "src/events/piece_finder.h"

#include <algorithm>
#include <bit>

#include "src/events/json_block.h"
#include "vpcflow/base/time.h"
#include "vpcflow/events/event_reader.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool BeginsValue(char c) { return c == '{' || c == '['; }

}  // namespace

// Blanks and commas: what stands between values.
void PieceFinder::SkipBlanks() {
  if (window_.offset() == 0 && Need(kByteOrderMark.size() - 1) &&
      std::string_view(window_.data(), window_.size()).starts_with(kByteOrderMark))
    window_.Drop(kByteOrderMark.size());
  do {
    size_t at = 0;
    while (at < window_.size() && (IsBlank(window_.data()[at]) || window_.data()[at] == ',')) ++at;
    window_.Drop(at);
  } while (window_.size() == 0 && window_.More());
}

void PieceFinder::SkipBehindLine() {
  while (true) {
    const std::string_view text(window_.data(), window_.size());
    const size_t end = text.find('\n');
    window_.Drop(end == text.npos ? text.size() : end + 1);
    if (end != text.npos || !window_.More()) return;
  }
}

// Goes on at the next line that begins a value, behind one that broke at `broken_at`.
void PieceFinder::GoOnBehind(size_t broken_at, End end) {
  damaged_ = true;
  too_long_ |= end == End::kTooLong;
  lines_until_ = std::max(lines_until_, window_.offset() + broken_at);
  place_ = Place::kTop;
  do {
    SkipBehindLine();
  } while (Need(0) && !BeginsValue(window_.data()[0]));
}

// Whether the bracket at `at`, which opens an array in an object, is that of one of kDocumentLists.
bool PieceFinder::OpensDocumentList(size_t at) const {
  std::string_view before(window_.data(), at);
  const auto trim = [&before] {
    while (!before.empty() && IsBlank(before.back())) before.remove_suffix(1);
  };
  trim();
  if (!before.ends_with(':')) return false;
  before.remove_suffix(1);
  trim();
  if (!before.ends_with('"')) return false;
  before.remove_suffix(1);
  return std::any_of(kDocumentLists.begin(), kDocumentLists.end(), [before](std::string_view name) {
    return before.ends_with(name) && before.size() > name.size() && before[before.size() - name.size() - 1] == '"';
  });
}

// Whether a value can go on behind the line end at `at`: no two values stand beside each other in an array, and none
// but a name behind the comma of an object. `*next_at` is where it goes on.
bool PieceFinder::LineGoesOn(size_t at, const Nesting& nesting, size_t* next_at) {
  size_t next = at + 1;
  while (Need(next) && IsBlank(window_.data()[next])) ++next;
  *next_at = next;
  if (!Need(next)) return true;  // that it is cut is seen then
  size_t before = at;
  while (before > 0 && IsBlank(window_.data()[before - 1])) --before;
  const char a = before > 0 ? window_.data()[before - 1] : ',', b = window_.data()[next];
  if (b == '}' || b == ']' || b == ',' || b == ':' || a == ':') return true;
  if (nesting.in_object()) return (a == '{' || a == ',') && b == '"';
  return a == '[' || a == ',';
}

// Finds the end of the value at the window's beginning, which is in brackets; `in_object`: of the object whose beginning
// was dropped.
std::pair<PieceFinder::End, size_t> PieceFinder::EndOfValue(bool in_object) {
  Nesting nesting;
  if (in_object) nesting.Open(true);
  const bool is_line = window_.offset() < lines_until_;
  JsonStrings strings;
  size_t blank_until = 0;  // no value between the last line end and here
  for (size_t at = 0;; at += 64) {
    while (window_.size() < at + 64 && window_.More()) {
    }
    if (at >= window_.size()) return {End::kCut, window_.size()};
    if (at > kMaxDocument) return {End::kTooLong, at};
    JsonBlock block(window_.data() + at);
    if (window_.size() - at < 64) block.Keep((uint64_t{1} << (window_.size() - at)) - 1);
    const uint64_t within = strings.Within(block);
    // A line end within a string breaks it: what a lost quote made a string ends there.
    for (uint64_t bits = (block.brackets & ~within) | block.line_ends; bits != 0; bits &= bits - 1) {
      const unsigned bit = static_cast<unsigned>(std::countr_zero(bits));
      const size_t here = at + bit;
      const char c = window_.data()[here];
      if (c == '\n') {
        if (here < blank_until) continue;
        if (is_line || (within >> bit & 1) != 0 || !LineGoesOn(here, nesting, &blank_until))
          return {End::kBroken, here};
      } else if (BeginsValue(c)) {
        const bool lists = c == '[' && nesting.depth() == 1 && nesting.in_object() && place_ == Place::kTop;
        if (lists && OpensDocumentList(here)) return {End::kList, here + 1};
        if (!nesting.Open(c == '{')) return {End::kBroken, here};
      } else {
        if (nesting.in_object() != (c == '}')) return {End::kBroken, here};
        nesting.Close();
        if (nesting.depth() == 0) return {End::kWhole, here + 1};
      }
    }
  }
}

// Finds the end of anything else: a line, or up to what ends an element of a list.
std::pair<PieceFinder::End, size_t> PieceFinder::EndOfScalar() {
  size_t begin = 0;
  while (place_ != Place::kList) {
    const size_t end = std::string_view(window_.data(), window_.size()).find('\n', begin);
    if (end != std::string_view::npos && end <= kMaxDocument) return {End::kWhole, end};
    if (window_.size() > kMaxDocument) return {End::kTooLong, kMaxDocument};
    begin = window_.size();
    if (!window_.More()) return {End::kWhole, window_.size()};
  }
  bool in_string = false;
  for (size_t at = 0; Need(at); ++at) {
    const char c = window_.data()[at];
    if (c == '\n') return {End::kWhole, at};
    if (at > kMaxDocument) return {End::kTooLong, at};
    if (c == '"') in_string = !in_string;
    if (c == '\\' && in_string) ++at;
    if (!in_string && (c == ',' || c == ']')) return {End::kWhole, at};
  }
  return {End::kWhole, window_.size()};
}

// Drops a time in front of an object on the same line, as exports of CloudWatch Logs have it.
bool PieceFinder::BeginsBehindTime() {
  constexpr size_t kEnough = 48;
  Need(kEnough);
  const std::string_view line(window_.data(), std::min(window_.size(), kEnough));
  const size_t blank = line.find_first_of(" \t"), begin = line.find_first_not_of(" \t", std::min(blank, line.size()));
  int64_t time;
  if (begin == line.npos || line[begin] != '{' || !ParseInstant(line.substr(0, blank), &time)) return false;
  window_.Drop(begin);
  return true;
}

bool PieceFinder::Give(size_t end, Piece* piece) {
  *piece = {window_.offset(), std::string_view(window_.data(), end), place_ == Place::kList};
  given_ = end;
  return true;
}

bool PieceFinder::Next(Piece* piece) {
  window_.Drop(std::exchange(given_, 0));
  while (true) {
    SkipBlanks();
    if (window_.size() == 0) {
      damaged_ |= std::exchange(place_, Place::kTop) != Place::kTop;
      return false;
    }
    const char c = window_.data()[0];
    if (place_ == Place::kList && c == ']') {
      window_.Drop(1);
      place_ = in_object_ ? Place::kRest : Place::kTop;
    } else if (place_ == Place::kTop && c == '[') {
      window_.Drop(1);
      place_ = Place::kList;
      in_object_ = false;
    } else if (place_ == Place::kRest || BeginsValue(c)) {
      const auto [end, at] = EndOfValue(place_ == Place::kRest);
      switch (end) {
        case End::kWhole:
          if (place_ != Place::kRest) return Give(at, piece);
          window_.Drop(at);
          place_ = Place::kTop;
          break;
        case End::kList:
          window_.Drop(at);
          place_ = Place::kList;
          in_object_ = true;
          break;
        default: GoOnBehind(at, end);
      }
    } else if (place_ == Place::kList || !BeginsBehindTime()) {
      const auto [end, at] = EndOfScalar();
      if (end == End::kWhole && at > 0) return Give(at, piece);
      GoOnBehind(at, End::kTooLong);
    }
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
