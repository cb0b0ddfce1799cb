#include "src/scan/header_line.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/container/column_names.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kSeparators = " \t\r,";

std::string_view Begun(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // byte order mark
  return line.substr(std::min(line.find_first_not_of(kSeparators), line.size()));
}

bool BeginsWithField(std::string_view line, const Format* current) {
  const std::string_view token = line.substr(0, std::min(line.find_first_of(kSeparators), line.size()));
  return FindField(token).has_value() || (current != nullptr && current->columns()[0].name == token);
}

bool AllKnown(const Format& format) {
  return std::all_of(format.columns().begin(), format.columns().end(),
                     [](const FormatColumn& c) { return c.field != Field::kUnknown; });
}

// A header in names of other tools.
bool ParseOtherNames(std::string_view line, Format* out) {
  std::vector<std::string> names;
  for (size_t at = 0; (at = line.find_first_not_of(kSeparators, at)) != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kSeparators, at), line.size());
    if (end - at > kMaxName || names.size() == Format::kMaxColumns) return false;
    names.emplace_back(line.substr(at, end - at));
    at = end;
  }
  const NamedColumns named = NameColumns(names);
  const auto fields = static_cast<size_t>(std::count_if(named.columns.begin(), named.columns.end(),
                                                        [](const auto& c) { return c.field != Field::kUnknown; }));
  if (!named.clash.empty() || fields == 0 || fields * 3 < names.size() * 2) return false;
  std::vector<std::string> columns(names.size());
  for (const NamedColumn& column : named.columns) columns[column.position] = column.name;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].empty())
      columns[i] = absl::StrCat("x-column-", i + 1);  // no column elsewhere, but it has values here
  }
  return Format::ParseHeader(absl::StrJoin(columns, " "), out, /*sure=*/true);
}

}  // namespace

bool ParseUnwrappedHeader(std::string_view line, const Format* current, Format* out) {
  return BeginsWithField(line, current) && Format::ParseHeader(line, out, /*sure=*/true);
}

bool ParseHeaderLine(std::string_view line, const Format* current, bool first, Format* out) {
  line = Begun(line);
  const bool begins = BeginsWithField(line, current);
  if (!begins && !first) return false;
  const bool own = begins && Format::ParseHeader(line, out);
  return (own && AllKnown(*out)) || ParseOtherNames(line, out) || own;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
