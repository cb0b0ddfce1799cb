#include <algorithm>
#include <optional>
#include <vector>

#include "src/container/containers.h"
#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Commas and no blank outside of quotes: lines of flow logs are the other way round. Or a field's name and a comma.
bool IsCsv(std::string_view line) {
  if (line.starts_with('@')) return true;  // a column of Logs Insights
  if (const size_t comma = line.find(','); comma != std::string_view::npos && FindFieldOrAlias(line.substr(0, comma)))
    return true;
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
      if (ReadHeader()) return;
    } else if (has_header_ && std::equal(cells_.begin(), cells_.end(), first_.begin(), first_.end())) {
      return WriteHeader();  // files put together
    }
    if (cells_.size() != first_.size()) return lines_.NoRecord(row);
    if (message_) return lines_.Message(cells_[*message_]);
    for (const auto& [cell, text] : kept_) lines_.Value(cells_[cell], text);
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
  // Whether the first row names columns, and which to keep: the fields first, as a header line begins with one, then
  // others as text; columns of Logs Insights' own, @timestamp and so on, are not of the record.
  bool ReadHeader() {
    std::vector<std::pair<size_t, bool>> others;
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (cells_[i] == "@message" || cells_[i] == "message") message_ = i;
      if (cells_[i].empty() || cells_[i][0] == '@') continue;
      const std::optional<Field> field = FindFieldOrAlias(cells_[i]);
      if (field) {
        kept_.emplace_back(i, Info(*field).kind == Kind::kText);
      } else {
        others.emplace_back(i, true);
      }
    }
    has_header_ = !kept_.empty() || message_;
    if (!has_header_) {  // values alone: the format is found as that of lines
      for (size_t i = 0; i < cells_.size(); ++i) kept_.emplace_back(i, true);
      return false;
    }
    kept_.insert(kept_.end(), others.begin(), others.end());
    WriteHeader();
    return true;
  }
  void WriteHeader() {
    if (message_) return;
    std::vector<std::string> names;
    for (const auto& [cell, text] : kept_) names.push_back(FieldNameOf(first_[cell]));
    lines_.Header(names);
  }

  bool begun_ = false;
  bool has_header_ = false;
  std::optional<size_t> message_;              // the column that holds whole records
  std::string plain_;                          // the row without its quotes
  std::vector<std::string_view> cells_;        // of it
  std::vector<std::string> first_;             // the first row
  std::vector<std::pair<size_t, bool>> kept_;  // the cells of a record, and whether blanks are part of them
};

}  // namespace

bool DetectCsv(std::string_view head) { return IsCsv(FirstLine(head)); }

std::unique_ptr<UnwrapStream> UnwrapCsv(std::string name, std::unique_ptr<ByteStream> stream) {
  return std::make_unique<CsvStream>(std::move(name), std::move(stream));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
