#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/container/column_names.h"
#include "src/container/containers.h"
#include "src/container/foreign.h"
#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Whether the cells of a line, without quotes, name a flow log record.
bool IsHeader(std::string_view line) {
  std::vector<std::string> names;
  while (true) {
    const size_t comma = std::min(line.find(','), line.size());
    std::string& name = names.emplace_back(line.substr(0, comma));
    std::erase(name, '"');
    if (comma == line.size()) break;
    line.remove_prefix(comma + 1);
  }
  return names.size() > 1 && IsFlow(NameColumns(names).evidence);
}

// Commas and no blank outside of quotes: lines of flow logs are the other way round. Or a field's name and a comma, or
// the names of a record.
bool IsCsv(std::string_view line) {
  if (line.starts_with('@')) return true;  // a column of Logs Insights
  if (const size_t comma = line.find(','); comma != std::string_view::npos && FindFieldOrAlias(line.substr(0, comma)))
    return true;
  if (IsHeader(line)) return true;
  bool quoted = false;
  size_t commas = 0;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ' ' || c == '\t') return false;
    commas += c == ',';
  }
  return commas > 0 || (line.size() > 2 && line.front() == '"' && line.back() == '"');
}

// RFC 4180, but that a row is a line: no value of a flow log has a line end in it, and so a stray quote costs one row.
class CsvStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void TakeLine(std::string_view row) override {
    if (!Split(row)) return lines_.NoRecord(row);
    if (!begun_) {
      begun_ = true;
      first_.assign(cells_.begin(), cells_.end());
      if (ReadHeader(row)) return;
    } else if (has_header_ && std::equal(cells_.begin(), cells_.end(), first_.begin(), first_.end())) {
      if (!kept_.empty()) lines_.Header(names_);  // files put together
      return;
    }
    if (has_header_ && cells_.size() == 1 && first_.size() > 1) SplitAtBlanks(row);
    if (foreign_ || cells_.size() != first_.size()) return lines_.NoRecord(row);
    if (message_) return lines_.Message(cells_[*message_]);
    for (const auto& [cell, spelling] : kept_) lines_.Value(cells_[cell], spelling);
    lines_.EndLine();
  }
  // The cells of a row. False if a quote is not closed.
  bool Split(std::string_view row) {
    cells_.clear();
    size_t at = 0;
    while (true) {
      const bool quoted = at < row.size() && row[at] == '"';
      const size_t begin = at + quoted;
      const size_t end = quoted ? std::min(row.find('"', begin), row.size()) : EndOfUnquoted(row, begin);
      const size_t behind = end + quoted;
      // Quotes within a cell, or one that is not closed.
      if (behind > row.size() || (behind < row.size() && row[behind] != ',')) return SplitWithCare(row);
      cells_.push_back(row.substr(begin, end - begin));
      if (behind == row.size()) return true;
      at = behind + 1;
    }
  }
  static size_t EndOfUnquoted(std::string_view row, size_t at) {
    while (at < row.size() && row[at] != ',' && row[at] != '"') ++at;
    return at;
  }
  bool SplitWithCare(std::string_view row) {
    plain_.clear();
    plain_.reserve(row.size());  // never more: the cells are views of it
    cells_.clear();
    bool quoted = false;
    size_t begin = 0;  // of the cell in plain_
    for (size_t i = 0; i < row.size(); ++i) {
      if (row[i] == '"' && quoted && i + 1 < row.size() && row[i + 1] == '"') {
        plain_ += row[i++];
      } else if (row[i] == '"') {
        quoted = !quoted;
      } else if (row[i] == ',' && !quoted) {
        cells_.push_back(std::string_view(plain_).substr(begin));
        begin = plain_.size();
      } else {
        plain_ += row[i];
      }
    }
    cells_.push_back(std::string_view(plain_).substr(begin));
    return !quoted;
  }
  // The fields of a line under a header with commas.
  void SplitAtBlanks(std::string_view row) {
    constexpr std::string_view kBlanks = " \t";
    cells_.clear();
    for (size_t at = 0; (at = row.find_first_not_of(kBlanks, at)) != std::string_view::npos;) {
      const size_t end = std::min(row.find_first_of(kBlanks, at), row.size());
      cells_.push_back(row.substr(at, end - at));
      at = end;
    }
  }
  // Whether the first row names columns, and which to keep. Of a table whose columns make no flow log record every row
  // is an entry without record.
  bool ReadHeader(std::string_view row) {
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (cells_[i] == "@message" || cells_[i] == "message") message_ = i;
    }
    has_header_ = true;
    if (message_) return true;
    const NamedColumns named = NameColumns(first_);
    if (IsFlow(named.evidence)) {
      if (!named.clash.empty()) Fail(absl::InvalidArgumentError(absl::StrCat(name_, ": ", named.clash)));
      for (const NamedColumn& column : named.columns) {
        if (first_[column.position].empty()) continue;  // the number of the row, as pandas writes it
        names_.push_back(column.name);
        kept_.emplace_back(column.position, SpellingOf(column.field));
      }
      lines_.Header(names_);
      return true;
    }
    foreign_ = named.columns.empty() || named.columns[0].field != Field::kUnknown || !SeemsToBe(row).empty();
    if (foreign_) {
      lines_.NoRecord(row);
      return true;
    }
    has_header_ = false;  // values alone: the format is found as that of lines
    for (size_t i = 0; i < cells_.size(); ++i) kept_.emplace_back(i, Spelling::kText);
    return false;
  }

  bool begun_ = false;
  bool has_header_ = false;
  bool foreign_ = false;                           // its rows are no flow log records
  std::optional<size_t> message_;                  // the column that holds whole records
  std::string plain_;                              // the row without its quotes
  std::vector<std::string_view> cells_;            // of it
  std::vector<std::string> first_;                 // the first row
  std::vector<std::string> names_;                 // in the header line
  std::vector<std::pair<size_t, Spelling>> kept_;  // the cells of a record, in the order of names_
};

}  // namespace

bool DetectCsv(std::string_view head) { return IsCsv(FirstLine(head)); }

std::unique_ptr<UnwrapStream> UnwrapCsv(std::string name, std::unique_ptr<ByteStream> stream) {
  return std::make_unique<CsvStream>(std::move(name), std::move(stream));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
