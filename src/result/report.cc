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
  for (const auto& [format, n] : other.formats) formats[format] += n;
  for (std::string& warning : other.warnings) {
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(std::move(warning));
  }
  std::sort(warnings.begin(), warnings.end());
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
