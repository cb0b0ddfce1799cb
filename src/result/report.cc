#include "vpcflow/result/report.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

// 1234567 as "1,234,567".
std::string WithSeparators(uint64_t n) {
  const std::string digits = std::to_string(n);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string Counted(uint64_t n, std::string_view what) {
  return absl::StrCat(WithSeparators(n), " ", std::string(what), n == 1 ? "" : "s");
}

std::string Instant(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
}

}  // namespace

std::string Reject::ToString() const {
  return absl::StrCat(path, ":", line, ":", column, ": ", field, field.empty() ? "" : ": ",
                      std::string(ErrcName(reason)), ": ", std::string(ErrcMeaning(reason)), " (offset ", byte_offset,
                      "): ", excerpt);
}

absl::Status Reject::ToStatus() const {
  return MakeError(ErrorKind::kReject, ToString(),
                   {.field = field,
                    .source = path,
                    .line = line,
                    .byte_offset = byte_offset,
                    .column = column,
                    .reason = std::string(ErrcName(reason))});
}

uint64_t Report::rejected() const {
  uint64_t n = 0;
  for (uint64_t count : rejects_by_reason) n += count;
  return n;
}

void Report::TrimRejects() {
  std::sort(rejects.begin(), rejects.end(), [](const Reject& a, const Reject& b) {
    return std::tie(a.source, a.byte_offset, a.column) < std::tie(b.source, b.byte_offset, b.column);
  });
  if (rejects.size() > kMaxRejectSamples) rejects.resize(kMaxRejectSamples);
}

// The least of all are kept, so that what is kept does not depend on the order in which they come.
void Report::Warn(std::string warning) {
  const auto at = std::lower_bound(warnings.begin(), warnings.end(), warning);
  if (at != warnings.end() && *at == warning) return;
  warnings.insert(at, std::move(warning));
  if (warnings.size() <= kMaxNotes) return;
  warnings.pop_back();
  notes_left_out = true;
}

void Report::CountFormat(std::string format, uint64_t sources_with_it) {
  formats[std::move(format)] += sources_with_it;
  if (formats.size() <= kMaxNotes) return;
  formats.erase(std::prev(formats.end()));
  notes_left_out = true;
}

void Report::Merge(Report&& other) {
  sources += other.sources;
  for (std::string& name : other.names) {
    if (names.size() < kMaxNames) names.push_back(std::move(name));
  }
  duplicates += other.duplicates;
  text_bytes += other.text_bytes;
  lines += other.lines;
  headers += other.headers;
  blank_lines += other.blank_lines;
  ok += other.ok;
  nodata += other.nodata;
  skipdata += other.skipdata;
  matched += other.matched;
  if (other.asked) asked = other.asked;
  in_time += other.in_time;
  if (other.first_start) first_start = std::min(first_start.value_or(*other.first_start), *other.first_start);
  if (other.last_start) last_start = std::max(last_start.value_or(*other.last_start), *other.last_start);
  nulled_values += other.nulled_values;
  unspread += other.unspread;
  for (size_t i = 0; i < kErrcCount; ++i) rejects_by_reason[i] += other.rejects_by_reason[i];
  std::move(other.rejects.begin(), other.rejects.end(), std::back_inserter(rejects));
  TrimRejects();
  for (const auto& [format, n] : other.formats) CountFormat(format, n);
  for (const auto& [fields, n] : other.shown) shown[fields] += n;
  for (std::string& warning : other.warnings) Warn(std::move(warning));
  notes_left_out |= other.notes_left_out;
  if (one_direction.empty()) one_direction = std::move(other.one_direction);
  std::move(other.errors.begin(), other.errors.end(), std::back_inserter(errors));
}

absl::Status Report::status() const {
  if (errors.empty()) return absl::OkStatus();
  if (errors.size() == 1) return errors[0];
  std::string message = absl::StrCat(errors.size(), " sources could not be read to their end:");
  for (size_t i = 0; i < errors.size() && i < 10; ++i)
    absl::StrAppend(&message, "\n  ", std::string(errors[i].message()));
  if (errors.size() > 10) absl::StrAppend(&message, "\n  and ", errors.size() - 10, " more");
  return WithMessage(errors[0], message);
}

std::string Report::NoRecords() const {
  const uint64_t n = records(), bad = rejected();
  if (ok == 0 && bad > 0) {
    std::string text = absl::StrCat("no record", n > 0 ? " of traffic" : "", " was read: ", Counted(bad, "line"),
                                    bad == 1 ? " was" : " were", " rejected");
    if (n > 0)
      absl::StrAppend(&text, ", the other ", Counted(n, "record"), n == 1 ? " is" : " are", " NODATA or SKIPDATA");
    if (!rejects.empty()) absl::StrAppend(&text, "; the first: ", rejects[0].ToString());
    return text;
  }
  if (n == 0) {
    const uint64_t more = sources - std::min<uint64_t>(sources, names.size());
    std::string text = absl::StrCat("no record was read: ", absl::StrJoin(names, ", "));
    if (more > 0) absl::StrAppend(&text, " and ", Counted(more, "more source"));
    absl::StrAppend(&text, sources == 1 ? " is" : " are", text_bytes == 0 ? " empty" : " without one");
    if (text_bytes > 0)
      absl::StrAppend(&text, " (", Counted(headers, "header line"), ", ", Counted(blank_lines, "blank line"), ")");
    return text;
  }
  if (!asked || in_time > 0) return "";
  std::string text = absl::StrCat("no record in the time asked for,", asked->start ? " from " : "",
                                  asked->start ? Instant(*asked->start) : "", asked->end ? " before " : "",
                                  asked->end ? Instant(*asked->end) : "", " UTC: ");
  if (!first_start) return absl::StrCat(text, "none of the ", Counted(n, "record"), " read has a start");
  return absl::StrCat(text, "the ", Counted(n, "record"), n == 1 ? " read starts at " : " read start between ",
                      Instant(*first_start), n == 1 ? "" : absl::StrCat(" and ", Instant(*last_start)), " UTC");
}

absl::Status Report::Outcome(bool allow_empty) const {
  if (absl::Status errors_status = status(); !errors_status.ok() || allow_empty) return errors_status;
  std::string text = NoRecords();
  return text.empty() ? absl::OkStatus() : MakeError(ErrorKind::kNoRecords, text);
}

VPCFLOW_NAMESPACE_END
