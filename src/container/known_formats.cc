#include "src/container/known_formats.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "vpcflow/record/record_view.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Every value is one its field can have, and the fields with few values have one of those.
bool Fits(const RecordView& record) {
  for (const FormatColumn& column : record.format().columns()) {
    if (!record.Check(column.field)) return false;
  }
  if (record.action() == Action::kOther || record.log_status() == LogStatus::kOther) return false;
  const std::string_view account = record.text(Field::kAccountId);
  return account.empty() || account == "-" || account == "unknown" ||
         std::any_of(account.begin(), account.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<KnownFormat> MakeKnownFormats() {
  std::vector<KnownFormat> out;
  for (const char* name : {"v3", "v4", "v5", "v7", "v8", "v9", "v10", "v11", "tgw", "default"}) {
    Format format, sorted;
    FormatError ignored;
    Format::Parse(name, &format, &ignored);
    std::vector<std::string> names;
    for (const FormatColumn& column : format.columns()) names.push_back(column.name);
    std::sort(names.begin(), names.end());
    Format::Parse(absl::StrJoin(names, " "), &sorted, &ignored);
    out.push_back({name, std::make_shared<const Format>(std::move(format))});
    out.push_back({absl::StrCat(name, " in alphabetical order"), std::make_shared<const Format>(std::move(sorted))});
  }
  return out;
}

}  // namespace

const std::vector<KnownFormat>& KnownFormats() {
  static const std::vector<KnownFormat> formats = MakeKnownFormats();  // 0.1 ms
  return formats;
}

size_t CountFits(const std::shared_ptr<const Format>& format, std::span<const std::string_view> lines, size_t most) {
  RecordParser parser(format);
  RecordView record;
  size_t fits = 0;
  for (const std::string_view line : lines) {
    fits += parser.Parse(line, &record) == Errc::kOk && Fits(record);
    if (fits == most) break;
  }
  return fits;
}

bool IsKnownRecord(std::string_view text) {
  constexpr size_t kFewestTokens = 14;
  size_t tokens = 0;
  for (size_t at = 0; (at = text.find_first_not_of(" \t", at)) != text.npos; ++tokens)
    at = std::min(text.find_first_of(" \t", at), text.size());
  if (tokens < kFewestTokens) return false;
  return std::any_of(KnownFormats().begin(), KnownFormats().end(), [&](const KnownFormat& known) {
    return known.format->size() == tokens && CountFits(known.format, {&text, 1}, 1) == 1;
  });
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
