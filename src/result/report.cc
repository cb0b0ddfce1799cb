#include "vpcflow/result/report.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN

std::string Reject::ToString() const {
  return absl::StrCat(path, ":", line, ":", column, ": ", field, field.empty() ? "" : ": ",
                      std::string(ErrcName(reason)), ": ", std::string(ErrcMeaning(reason)), " (offset ", byte_offset,
                      "): ", excerpt);
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
  duplicates += other.duplicates;
  text_bytes += other.text_bytes;
  lines += other.lines;
  headers += other.headers;
  blank_lines += other.blank_lines;
  ok += other.ok;
  nodata += other.nodata;
  skipdata += other.skipdata;
  nulled_values += other.nulled_values;
  unspread += other.unspread;
  for (size_t i = 0; i < kErrcCount; ++i) rejects_by_reason[i] += other.rejects_by_reason[i];
  std::move(other.rejects.begin(), other.rejects.end(), std::back_inserter(rejects));
  TrimRejects();
  for (const auto& [format, n] : other.formats) CountFormat(format, n);
  for (std::string& warning : other.warnings) Warn(std::move(warning));
  notes_left_out |= other.notes_left_out;
  std::move(other.errors.begin(), other.errors.end(), std::back_inserter(errors));
}

absl::Status Report::status() const {
  if (errors.empty()) return absl::OkStatus();
  if (errors.size() == 1) return errors[0];
  std::string message = absl::StrCat(errors.size(), " sources could not be read to their end:");
  for (size_t i = 0; i < errors.size() && i < 10; ++i)
    absl::StrAppend(&message, "\n  ", std::string(errors[i].message()));
  if (errors.size() > 10) absl::StrAppend(&message, "\n  and ", errors.size() - 10, " more");
  return absl::Status(errors[0].code(), message);
}

VPCFLOW_NAMESPACE_END
