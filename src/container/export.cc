#include <algorithm>
#include <optional>
#include <vector>

#include "src/container/containers.h"
#include "src/container/json_records.h"
#include "src/container/known_formats.h"
#include "src/container/leading_time.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr size_t kMostWords = 8;  // before a record, behind the time

std::string_view WithoutBlanksBefore(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

std::string_view FirstWord(std::string_view text) { return text.substr(0, text.find_first_of(kBlanks)); }

std::string_view WithoutWords(std::string_view text, size_t words) {
  text = WithoutBlanksBefore(text);
  for (; words > 0; --words) text = WithoutBlanksBefore(text.substr(FirstWord(text).size()));
  return text;
}

size_t CountWords(std::string_view text) {
  size_t words = 0;
  for (text = WithoutBlanksBefore(text); !text.empty(); ++words)
    text = WithoutBlanksBefore(text.substr(FirstWord(text).size()));
  return words;
}

std::vector<std::string_view> Cells(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t end = line.find('\t');
    out.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return out;
    line.remove_prefix(end + 1);
  }
}

// A record, or the names of its fields, or JSON that may hold one.
bool IsMessage(std::string_view text) {
  constexpr size_t kFewestNames = 3;
  Format ignored;
  return text.starts_with('{') || IsKnownRecord(text) ||
         (FindField(FirstWord(text)) && CountWords(text) >= kFewestNames && Format::ParseHeader(text, &ignored));
}

// The name of a log stream that flow logs write to ("eni-0a1b-all"), or of a program, as syslog has it ("agent[7]:").
bool EndsPrefix(std::string_view word) {
  const bool flow_logs = word.starts_with("eni-") || word.starts_with("tgw-");
  return word.ends_with(':') ||
         (flow_logs && (word.ends_with("-all") || word.ends_with("-accept") || word.ends_with("-reject")));
}

// How many words stand before the record of a text: those behind which a known format fits. Of other formats those up
// to a log stream's name, which is not `sure`.
size_t WordsBefore(std::string_view text, bool* sure) {
  text = WithoutBlanksBefore(text);
  size_t named = 0;
  *sure = true;
  for (size_t words = 0; words <= kMostWords && !text.empty(); ++words) {
    if (IsMessage(text)) return words;
    const std::string_view word = FirstWord(text);
    if (EndsPrefix(word)) named = words + 1;
    text = WithoutBlanksBefore(text.substr(word.size()));
  }
  *sure = false;
  return named;
}

// What `aws logs ... --output text` writes besides events: tokens of the next page, the log streams, statistics.
bool IsBesideEvents(std::string_view first_cell) {
  return first_cell.starts_with("b/") || first_cell.starts_with("f/") || first_cell == "SEARCHEDLOGSTREAMS" ||
         first_cell == "STATISTICS" || first_cell == "NEXTTOKEN" || first_cell == "None" || first_cell == "CWLI" ||
         first_cell == "Complete";
}

// "EVENTS 37... 1764400000000 eni-1-all 2 6331... 1764400000000", or some of these, with tabs between them.
bool HasCells(std::string_view line) {
  if (line.find('\t') == std::string_view::npos) return false;
  const std::vector<std::string_view> cells = Cells(line);
  if (cells[0] == "EVENTS" || cells[0] == "RESULTS") return true;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool epoch =
      cells[0].size() >= 10 && cells[0].size() <= 13 && std::all_of(cells[0].begin(), cells[0].end(), is_digit);
  return std::any_of(cells.begin(), cells.end(), [&](std::string_view cell) {
    bool sure = false;
    return (epoch && CountWords(cell) > 1) || (WordsBefore(cell, &sure) == 0 && sure);
  });
}

bool IsExport(std::string_view line) {
  const size_t time = LeadingTime(line);
  if (time > 0 && time < line.size() && kBlanks.find(line[time]) != std::string_view::npos) return true;
  return !line.starts_with('{') && !line.starts_with('[') && HasCells(line);  // documents may have tabs between them
}

// Lines behind a time of CloudWatch's or of who shipped them, and perhaps the names of where they come from:
// "2018-09-22T20:28:14.000Z 2 6331..." as exported to S3, "2018-09-22T20:28:14.000000+00:00 eni-1-all 2 6331..." as of
// `aws logs tail`; or cells between tabs, one of them the record, as of `aws logs filter-log-events --output text`.
class ExportStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void TakeLine(std::string_view line) override {
    if (line.find('\t') == std::string_view::npos && !IsBesideEvents(line)) return TakeText(line, line, false);
    const std::vector<std::string_view> cells = Cells(line);
    if (IsBesideEvents(cells[0])) return;
    const auto has_more = [](std::string_view a, std::string_view b) {
      return CountMessageWords(a) < CountMessageWords(b);
    };
    const size_t most = CountMessageWords(*std::max_element(cells.begin(), cells.end(), has_more));
    if (most < 2) return cells[0] == "RESULTS" ? void() : TakeText(line, line, false);
    for (const std::string_view cell : cells) {
      if (CountMessageWords(cell) == most) TakeText(cell, line, true);
    }
  }
  // How many words a cell has behind its time.
  static size_t CountMessageWords(std::string_view cell) { return CountWords(cell.substr(LeadingTime(cell))); }

  // A line, or a cell of it.
  void TakeText(std::string_view text, std::string_view line, bool cell) {
    constexpr size_t kTried = 100;
    const size_t time = LeadingTime(text);
    if (time == 0 && !cell) return lines_.Message(line);
    text.remove_prefix(time);
    if (words_) {
      text = WithoutWords(text, *words_);
    } else {
      bool sure = false;
      const size_t words = WordsBefore(text, &sure);
      if (sure || ++tried_ == kTried) words_ = words;
      text = WithoutWords(text, words);
    }
    if (text.empty()) return lines_.NoRecord(line);
    if (text.starts_with('{')) return json_.Take(text);
    lines_.Message(text);
  }

  JsonRecords json_{&lines_};
  std::optional<size_t> words_;  // between time and record, once a line has told
  size_t tried_ = 0;
};

bool IsExportText(std::string_view head) {
  const std::string_view line = FirstLine(head);
  const size_t tab = line.find('\t');
  return IsExport(line) || line == "Complete" || (tab != std::string_view::npos && IsBesideEvents(line.substr(0, tab)));
}

}  // namespace

const Wrapping kExportWrapping = {IsExportText, UnwrapAs<ExportStream>};

}  // namespace internal
VPCFLOW_NAMESPACE_END
