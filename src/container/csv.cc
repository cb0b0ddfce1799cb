#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/container/column_names.h"
#include "src/container/containers.h"
#include "src/container/csv_row.h"
#include "src/container/foreign.h"
#include "src/container/json_records.h"
#include "src/container/known_formats.h"
#include "src/container/leading_time.h"
#include "vpcflow/error/error.h"
#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Columns of whole records, those that say so most clearly first.
constexpr std::string_view kRecordColumns[] = {"@message", "_raw",        "message", "event.original", "Message",
                                               "log",      "textPayload", "body",    "event",          "RawData"};

bool IsRecordColumn(std::string_view name) {
  return std::find(std::begin(kRecordColumns), std::end(kRecordColumns), name) != std::end(kRecordColumns);
}

size_t CountWords(std::string_view cell) {
  size_t words = 0;
  for (size_t at = 0; (at = cell.find_first_not_of(' ', at)) != std::string_view::npos; ++words)
    at = std::min(cell.find(' ', at), cell.size());
  return words;
}

bool IsTime(std::string_view cell) {
  constexpr size_t kSeconds = 10, kNanoseconds = 19;
  const bool digits = std::all_of(cell.begin(), cell.end(), [](char c) { return c >= '0' && c <= '9'; });
  return (digits && cell.size() >= kSeconds && cell.size() <= kNanoseconds) ||
         (!cell.empty() && LeadingTime(cell) == cell.size());
}

// The cell of a row that is a record: of a known format, or the one of several words beside a time.
std::optional<size_t> FindRecord(const std::vector<std::string_view>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    if (IsKnownRecord(cells[i])) return i;
  }
  std::optional<size_t> most;
  if (!IsTime(cells[0]) && cells.size() > 1) return most;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!IsTime(cells[i]) && CountWords(cells[i]) > (most ? CountWords(cells[*most]) : 1)) most = i;
  }
  return most;
}

// The line that Excel writes before a table: "sep=;".
bool IsSeparatorLine(std::string_view line) { return line.size() == 5 && line.starts_with("sep="); }

// Whether a line has separators and no blank outside of quotes: lines of flow logs are the other way round.
bool HasNoBlanks(std::string_view line) {
  bool quoted = false;
  return std::none_of(line.begin(), line.end(), [&](char c) {
    quoted ^= c == '"';
    return !quoted && (c == ' ' || c == '\t');
  });
}

bool IsCsv(std::string_view line) {
  if (line.starts_with('@') || IsSeparatorLine(line)) return true;  // a column of Logs Insights
  if (line.find_first_of(",;\t\"") == std::string_view::npos) return false;
  CsvRow row;
  row.Begin(line);
  if (!row.Split(line)) return false;
  const std::vector<std::string_view>& cells = row.cells();
  if (cells.size() == 1) return line.size() > 2 && line.front() == '"' && line.back() == '"';
  if (HasNoBlanks(line) || FindFieldOrAlias(cells[0]) || FindRecord(cells)) return true;
  return std::any_of(cells.begin(), cells.end(), IsRecordColumn) ||
         IsFlow(NameColumns(std::vector<std::string>(cells.begin(), cells.end())).evidence);
}

class CsvStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void Step(bool last) override {
    Lines(last);
    if (last && !cut() && begun_ && !settled_) Settle({});
  }

  void TakeLine(std::string_view row) override {
    if (!begun_ && IsSeparatorLine(row)) return row_.SetSeparator(row.back());
    if (!begun_) row_.Begin(row);
    if (!row_.Split(row)) return lines_.NoRecord(row);
    const std::vector<std::string_view>& cells = row_.cells();
    if (!begun_) {
      begun_ = true;
      first_.assign(cells.begin(), cells.end());
      first_row_ = row;
      first_line_ = line();
      if (ReadHeader(cells)) return;
    } else if (has_header_ && std::equal(cells.begin(), cells.end(), first_.begin(), first_.end())) {
      if (settled_ && !message_ && !names_.empty()) TakeOwnHeader();  // files put together
      return;
    }
    if (!settled_) Settle(cells);
    const bool blanks = has_header_ && cells.size() == 1 && first_.size() > 1;
    if (!blanks) {
      if (!between_blanks_.empty()) TakeOwnHeader();
      return TakeCells(cells, row);
    }
    const std::vector<std::string_view> fields = CellsBetweenBlanks(row);
    if (!names_.empty() && FindField(fields[0]) && TakeHeaderBetweenBlanks(fields)) return;
    TakeCells(fields, row);
  }

  void TakeOwnHeader() {
    lines_.Header(names_);
    between_blanks_.clear();
  }

  // Takes a header line between blanks, which names the fields of the lines between blanks that follow it. Returns false
  // for what is none.
  bool TakeHeaderBetweenBlanks(const std::vector<std::string_view>& fields) {
    const NamedColumns named = NameColumns(std::vector<std::string>(fields.begin(), fields.end()));
    if (fields.size() != first_.size() || named.columns.size() != fields.size() || !IsFlow(named.evidence))
      return false;
    std::vector<std::string> names;
    between_blanks_.clear();
    for (const NamedColumn& column : named.columns) {
      names.push_back(column.name);
      between_blanks_.emplace_back(column.position, SpellingOf(column.field));
    }
    lines_.Header(names);
    return true;
  }

  void TakeCells(const std::vector<std::string_view>& cells, std::string_view row) {
    if (foreign_ || cells.size() != first_.size()) return lines_.NoRecord(row);
    if (message_) return TakeMessage(cells[*message_]);
    for (const auto& [cell, spelling] : between_blanks_.empty() ? kept_ : between_blanks_)
      lines_.Value(cells[cell], spelling);
    lines_.EndLine(names_.empty() ? LineKind::kMessage : LineKind::kObject);
  }

  // The fields of a line under a header with commas.
  static std::vector<std::string_view> CellsBetweenBlanks(std::string_view row) {
    constexpr std::string_view kBlanks = " \t";
    std::vector<std::string_view> out;
    for (size_t at = 0; (at = row.find_first_not_of(kBlanks, at)) != std::string_view::npos;) {
      const size_t end = std::min(row.find_first_of(kBlanks, at), row.size());
      out.push_back(row.substr(at, end - at));
      at = end;
    }
    return out;
  }

  void TakeMessage(std::string_view text) {
    if (!text.starts_with('{')) return lines_.Message(text);
    std::string json(text);
    JsonSplitter::Pad(&json);
    json_.Take(json);
  }

  // False if the first row is one of values. Else it may name columns; the next row tells whether one of these holds
  // records, or all of them together make one.
  bool ReadHeader(const std::vector<std::string_view>& cells) {
    if ((message_ = FindRecord(cells))) {
      settled_ = true;
      return false;
    }
    for (const std::string_view name : kRecordColumns) {
      const auto named = std::find(cells.begin(), cells.end(), name);
      if (!message_ && named != cells.end()) message_ = static_cast<size_t>(named - cells.begin());
    }
    named_ = NameColumns(first_);
    has_header_ = IsFlow(named_.evidence) || message_;
    return true;
  }

  // Decides what the columns are, by the row behind the one that may be a header; `cells` is empty if there is none.
  void Settle(const std::vector<std::string_view>& cells) {
    settled_ = true;
    message_ = FindMessage(cells, message_);
    if (message_) {
      has_header_ = true;
    } else if (IsFlow(named_.evidence)) {
      if (!named_.clash.empty()) Fail(MakeError(ErrorKind::kFormat, absl::StrCat(name_, ": ", named_.clash)));
      for (const NamedColumn& column : named_.columns) {
        if (first_[column.position].empty()) continue;  // the number of the row, as pandas writes it
        names_.push_back(column.name);
        kept_.emplace_back(column.position, SpellingOf(column.field));
      }
      lines_.Header(names_);
    } else {
      // A table whose columns make no flow log record, of which every row is an entry without record; or values alone,
      // whose format is found as that of lines.
      const auto& columns = named_.columns;
      foreign_ = columns.empty() || columns[0].field != Field::kUnknown || !SeemsToBe(first_row_).empty();
      has_header_ = foreign_;
      for (size_t i = 0; i < first_.size() && !foreign_; ++i) kept_.emplace_back(i, Spelling::kText);
      TakeCells({first_.begin(), first_.end()}, first_row_);
    }
    NoteOrigins(first_line_);
  }

  // The column that holds records, by its name or by what the first row of values has in it. One that has not, beside
  // columns that make a record, is none.
  std::optional<size_t> FindMessage(const std::vector<std::string_view>& cells, std::optional<size_t> named) const {
    constexpr size_t kFewestWords = 5;  // of a record whose format is not known
    const bool fields = IsFlow(named_.evidence);
    if (cells.empty() || cells.size() != first_.size()) return fields ? std::nullopt : named;
    const auto is_record = [&](size_t i) { return IsKnownRecord(cells[i]) || cells[i].starts_with('{'); };
    if (named && (is_record(*named) || !fields || CountWords(cells[*named]) >= kFewestWords)) return named;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (IsKnownRecord(cells[i])) return i;
    }
    return fields ? std::nullopt : FindRecord(cells);
  }

  CsvRow row_;
  JsonRecords json_{&lines_};
  bool begun_ = false;
  bool settled_ = false;            // what the columns are is decided
  bool has_header_ = false;         // the first row is one
  bool foreign_ = false;            // its rows are no flow log records
  std::optional<size_t> message_;   // the column that holds whole records
  std::vector<std::string> first_;  // the first row
  std::string first_row_;           // as it stands
  uint64_t first_line_ = 1;
  NamedColumns named_;                                       // by it
  std::vector<std::string> names_;                           // in the header line
  std::vector<std::pair<size_t, Spelling>> kept_;            // the cells of a record, in the order of names_
  std::vector<std::pair<size_t, Spelling>> between_blanks_;  // likewise, of lines under a header between blanks
};

bool IsCsvText(std::string_view head) { return IsCsv(FirstLine(head)); }

}  // namespace

const Wrapping kCsvWrapping = {IsCsvText, UnwrapAs<CsvStream>};

}  // namespace internal
VPCFLOW_NAMESPACE_END
