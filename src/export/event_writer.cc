// Events: the rows of a schema as a tree of members, and the tree as a list of steps for each batch. A step appends
// bytes that are made before the rows are gone through: the members of each value of a dictionary, of each number below
// 1,024. So a row is copied together, and only numbers are written digit by digit.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/export/event_columns.h"
#include "src/export/event_schemas.h"
#include "src/export/event_table.h"
#include "src/export/event_tree.h"
#include "src/export/event_values.h"
#include "vpcflow/base/time.h"
#include "vpcflow/error/error.h"
#include "vpcflow/export/events.h"
#include "vpcflow/format/field.h"
#include "vpcflow/result/array.h"
#include "vpcflow/sketch/hash.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::EventNode;
using internal::EventStep;

constexpr char kHex[] = "0123456789abcdef";

char* WriteHex(const std::array<uint64_t, 2>& id, char* p) {
  for (const uint64_t half : id) {
    for (int shift = 60; shift >= 0; shift -= 4) *p++ = kHex[half >> shift & 15];
  }
  return p;
}

// Copies n bytes in pieces of 32, so it may read and write up to 31 more.
inline char* Copy(char* p, const char* from, size_t n) {
  for (size_t at = 0; at < n; at += 32) std::memcpy(p + at, from + at, 32);
  return p + n;
}

constexpr int64_t kMicrosPerMilli = 1000, kNanosPerMicro = 1000;

inline char* WriteTwo(unsigned value, char* p) {
  *p++ = static_cast<char>('0' + value / 10);
  *p++ = static_cast<char>('0' + value % 10);
  return p;
}

void WriteDate(int64_t day, char* p) {
  const vpcflow::internal::CivilDate date = vpcflow::internal::CivilFromDays(day);
  const auto year = static_cast<unsigned>(date.year);
  p = WriteTwo(year % 100, WriteTwo(year / 100, p));
  *p++ = '-';
  p = WriteTwo(date.month, p);
  *p++ = '-';
  WriteTwo(date.day, p);
}

// Writes a time of microseconds from 1970 to the year 9999 as 2026-11-23T06:00:00Z.
char* WriteRfc3339(EventStep* step, int64_t micros, char* p) {
  constexpr int64_t kDay = 86400;
  const int64_t seconds = micros / kMicrosPerSecond, day = seconds / kDay;
  if (day != step->day) {
    step->day = day;
    WriteDate(day, step->date.data());
  }
  std::memcpy(p, step->date.data(), step->date.size());
  p += step->date.size();
  const auto of_day = static_cast<unsigned>(seconds - day * kDay);
  *p++ = 'T';
  p = WriteTwo(of_day / 3600, p);
  *p++ = ':';
  p = WriteTwo(of_day / 60 % 60, p);
  *p++ = ':';
  p = WriteTwo(of_day % 60, p);
  *p++ = 'Z';
  return p;
}

inline char* WriteTime(EventStep* of, int64_t micros, char* p) {
  const EventStep& step = *of;
  p = Copy(p, step.text.data(), step.size);
  switch (step.kind) {
    case EventStep::Kind::kMillis: p = std::to_chars(p, p + 24, micros / kMicrosPerMilli).ptr; break;
    case EventStep::Kind::kNanos: p = std::to_chars(p, p + 24, micros * kNanosPerMicro).ptr; break;
    case EventStep::Kind::kRfc3339: p = WriteRfc3339(of, micros, p); break;
    default: p = std::to_chars(p, p + 24, micros / kMicrosPerSecond).ptr; break;
  }
  return Copy(p, step.behind.data(), step.behind_size);
}

// Appends the members that a number has, which are made when they are asked for.
inline char* WriteMade(EventStep* step, int64_t value, char* p) {
  internal::EventMade& made = (*step->made)[static_cast<uint64_t>(value) % step->made->size()];
  if (made.value != value) {
    made.value = value;
    made.text = step->Make(value);
    made.size = made.text.size();
    made.text.resize(made.size + EventStep::kSlack);
  }
  return Copy(p, made.text.data(), made.size);
}

// Ends an object or array: the comma behind its last member becomes its bracket; one without members is taken back.
inline char* WriteEnd(const EventStep& step, char* begin, char* p) {
  if (p[-1] == ',') {
    --p;
  } else if (!step.keep) {
    return begin;
  }
  *p++ = step.bracket;
  *p++ = ',';
  return p;
}

// Appends what the steps have for a row.
char* WriteRow(std::vector<EventStep>* steps, size_t row, const std::array<uint64_t, 2>& id, char* p) {
  std::array<char*, EventStep::kMostNested> begins;
  size_t nested = 0;
  for (EventStep& step : *steps) {
    switch (step.kind) {
      case EventStep::Kind::kText: p = Copy(p, step.text.data(), step.size); break;
      case EventStep::Kind::kCodes: {
        // A number of pieces that depends on the value would be guessed wrong by the processor.
        const size_t* const begin = step.begins.data() + step.codes[row];
        const size_t size = begin[1] - begin[0];
        Copy(p, step.text.data() + begin[0], step.copied != 0 ? step.copied : size);
        p += size;
        break;
      }
      case EventStep::Kind::kNumber32:
      case EventStep::Kind::kNumber64: {
        const bool wide = step.kind == EventStep::Kind::kNumber64;
        const int64_t value = wide ? step.wide[row] : step.codes[row];
        if (value == (wide ? kNullInt64 : int64_t{kNullInt32})) break;
        p = Copy(p, step.text.data(), step.size);
        p = std::to_chars(p, p + 24, value).ptr;
        p = Copy(p, step.behind.data(), step.behind_size);
        break;
      }
      case EventStep::Kind::kMade32:
        if (step.codes[row] != kNullInt32) p = WriteMade(&step, step.codes[row], p);
        break;
      case EventStep::Kind::kMade64:
        if (step.wide[row] != kNullInt64) p = WriteMade(&step, step.wide[row], p);
        break;
      case EventStep::Kind::kMillis:
      case EventStep::Kind::kSeconds:
      case EventStep::Kind::kNanos:
      case EventStep::Kind::kRfc3339:
        if (step.wide[row] != kNullInt64) p = WriteTime(&step, step.wide[row], p);
        break;
      case EventStep::Kind::kId:
        p = Copy(p, step.text.data(), step.size);
        p = WriteHex(id, p);
        p = Copy(p, step.behind.data(), step.behind_size);
        break;
      case EventStep::Kind::kBegin:
        begins[nested++] = p;
        p = Copy(p, step.text.data(), step.size);
        break;
      case EventStep::Kind::kEnd: p = WriteEnd(step, begins[--nested], p); break;
    }
  }
  return p;
}

absl::Status CheckTable(const Table& table) {
  constexpr std::string_view kSome[] = {"srcaddr", "interface_id", "start", "client", "tgw_id", "bytes"};
  if (std::any_of(std::begin(kSome), std::end(kSome), [&](std::string_view name) { return table.Find(name); }))
    return absl::OkStatus();
  return MakeError(
      ErrorKind::kPlan,
      "events: the table has no column of a record or session; expected a selection of records, or sessions");
}

size_t RowsOf(const Table& table, size_t begin, size_t count) {
  return std::min(count, table.rows - std::min(begin, table.rows));
}

}  // namespace

struct EventWriter::Impl {
  const EventSchema* schema;
  EventNode tree;
  std::string version;
  Array<char> lines{};  // of the last table, and room
  std::vector<std::array<uint64_t, 2>> ids{};
  internal::EventScratch scratch{};
  // How often an id of records without a place came, of the last ones.
  absl::flat_hash_map<std::array<uint64_t, 2>, uint64_t> seen{};

  void MakeIds(const internal::EventColumns& columns);
};

// Records without a place that are equal get ids by their order.
void EventWriter::Impl::MakeIds(const internal::EventColumns& columns) {
  constexpr size_t kRemembered = size_t{1} << 20;  // some 40 MB
  ids = columns.Ids();
  for (size_t row = 0; row < ids.size(); ++row) {
    if (!columns.IsWithoutPlace(row)) continue;
    if (seen.size() >= kRemembered) seen.clear();
    if (const uint64_t before = seen[ids[row]]++; before > 0) {
      for (uint64_t& half : ids[row]) half = SketchHash(half + before);
    }
  }
}

EventWriter::EventWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventWriter::~EventWriter() = default;
EventWriter::EventWriter(EventWriter&&) noexcept = default;

absl::StatusOr<EventWriter> EventWriter::Make(const EventOptions& options) {
  std::vector<std::string_view> names;
  for (const EventSchema& schema : EventSchemas()) names.push_back(schema.name);
  const auto wrong = [](std::string_view what, std::string_view value, const std::vector<std::string_view>& allowed) {
    std::string list;
    for (const std::string_view name : allowed) list.append(list.empty() ? "" : ", ").append(name);
    return MakeError(ErrorKind::kPlan,
                     absl::StrCat(std::string(what), " '", std::string(value), "': expected one of ", list),
                     {.suggestion = Nearest(value, allowed)});
  };
  const auto schema = std::find_if(EventSchemas().begin(), EventSchemas().end(),
                                   [&](const EventSchema& s) { return s.name == options.schema; });
  if (schema == EventSchemas().end()) return wrong("schema", options.schema, names);
  const std::vector<std::string_view> versions(schema->versions.begin(), schema->versions.end());
  std::string_view version = options.version;
  if (version.empty() && !versions.empty()) version = versions.front();
  if (!version.empty() && std::find(versions.begin(), versions.end(), version) == versions.end()) {
    if (versions.empty())
      return MakeError(ErrorKind::kPlan, absl::StrCat("version '", std::string(version), "': schema ",
                                                      std::string(schema->name), " has no versions"));
    const bool is_draft = schema->name == "ocsf" && version.starts_with("2");
    return wrong(absl::StrCat(is_draft ? "OCSF 2 is not published and still changes; " : "", "version of ",
                              std::string(schema->name)),
                 version, versions);
  }
  return EventWriter(
      std::make_unique<Impl>(Impl{&*schema, internal::MakeEventTree(*schema, options.maps), std::string(version)}));
}

absl::StatusOr<EventTables> EventWriter::Columns(const Table& table, size_t begin, size_t count) {
  if (const absl::Status status = CheckTable(table); !status.ok()) return status;
  internal::EventColumns columns(table, begin, RowsOf(table, begin, count));
  impl_->MakeIds(columns);
  return internal::TablesOf(*impl_->schema, internal::MakeEventTree(*impl_->schema, /*maps=*/true), &columns,
                            &impl_->scratch);
}

absl::StatusOr<std::string_view> EventWriter::Write(const Table& table, size_t begin, size_t count) {
  if (const absl::Status status = CheckTable(table); !status.ok()) return status;
  const size_t rows = RowsOf(table, begin, count);
  internal::EventColumns columns(table, begin, rows);
  std::vector<EventStep> steps =
      internal::StepsOf(*impl_->schema, impl_->tree, impl_->version, &columns, &impl_->scratch);
  impl_->MakeIds(columns);
  size_t longest = EventStep::kSlack;
  for (const EventStep& step : steps) longest += step.longest;
  Array<char>& lines = impl_->lines;
  size_t size = 0;
  for (size_t row = 0; row < rows; ++row) {
    if (lines.size() < size + longest) lines.Extend(std::max(lines.size(), longest));
    char* const line = lines.begin() + size;
    char* p = WriteRow(&steps, row, impl_->ids[row], line);
    if (impl_->schema->json) p[-1] = '}';  // in place of the last comma
    *p++ = '\n';
    size += static_cast<size_t>(p - line);
  }
  return std::string_view(std::as_const(lines).begin(), size);
}

std::string EventWriter::Ids() const {
  std::string out(kIdDigits * impl_->ids.size(), '0');
  char* to = out.data();
  for (const auto& id : impl_->ids) to = WriteHex(id, to);
  return out;
}

VPCFLOW_NAMESPACE_END
