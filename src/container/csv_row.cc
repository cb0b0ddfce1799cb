#include "src/container/csv_row.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

void CsvRow::Begin(std::string_view first) {
  constexpr std::string_view kSeparators = ",;\t";
  size_t counts[kSeparators.size()] = {};
  bool quoted = false;
  for (const char c : first) {
    quoted ^= c == '"';
    if (const size_t at = kSeparators.find(c); !quoted && at != std::string_view::npos) ++counts[at];
  }
  const size_t most = static_cast<size_t>(std::max_element(counts, counts + kSeparators.size()) - counts);
  if (!has_separator()) separator_ = kSeparators[most];
  const char behind[] = {separator_, ' '};
  skips_blanks_ = first.find(std::string_view(behind, 2)) != std::string_view::npos;
}

size_t CsvRow::BeginOfCell(std::string_view row, size_t at) const {
  while (skips_blanks_ && at < row.size() && row[at] == ' ') ++at;
  return at;
}

size_t CsvRow::EndOfUnquoted(std::string_view row, size_t at) const {
  while (at < row.size() && row[at] != separator_ && row[at] != '"') ++at;
  return at;
}

bool CsvRow::Split(std::string_view row) {
  cells_.clear();
  size_t at = 0;
  while (true) {
    at = BeginOfCell(row, at);
    const bool quoted = at < row.size() && row[at] == '"';
    const size_t begin = at + quoted;
    const size_t end = quoted ? std::min(row.find('"', begin), row.size()) : EndOfUnquoted(row, begin);
    const size_t behind = end + quoted;
    // Quotes within a cell, or one that is not closed.
    if (behind > row.size() || (behind < row.size() && row[behind] != separator_)) return SplitWithCare(row);
    cells_.push_back(row.substr(begin, end - begin));
    if (behind == row.size()) return true;
    at = behind + 1;
  }
}

bool CsvRow::SplitWithCare(std::string_view row) {
  plain_.clear();
  plain_.reserve(row.size());  // never more: the cells are views of it
  cells_.clear();
  bool quoted = false;
  size_t begin = 0;  // of the cell in plain_
  for (size_t i = BeginOfCell(row, 0); i < row.size(); ++i) {
    if (row[i] == '"' && quoted && i + 1 < row.size() && row[i + 1] == '"') {
      plain_ += row[i++];
    } else if (row[i] == '"') {
      quoted = !quoted;
    } else if (row[i] == separator_ && !quoted) {
      cells_.push_back(std::string_view(plain_).substr(begin));
      begin = plain_.size();
      i = BeginOfCell(row, i + 1) - 1;
    } else {
      plain_ += row[i];
    }
  }
  cells_.push_back(std::string_view(plain_).substr(begin));
  return !quoted;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
