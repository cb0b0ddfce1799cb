#include "src/container/unwrap.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/container/json_records.h"
#include "src/container/record_lines.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kStep = size_t{64} << 10;
constexpr size_t kMaxEntry = size_t{16} << 20;  // a line of a container; subscriptions send 1 MB, Lambda 6 MB

// Reads a container in steps; what the steps write to lines_ is what the stream gives.
class UnwrapStream : public ByteStream, public LineOrigins {
 public:
  UnwrapStream(std::string name, std::unique_ptr<ByteStream> stream)
      : name_(std::move(name)), stream_(std::move(stream)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) final {
    std::string& out = lines_.out();
    while (given_ == out.size()) {
      out.clear();
      given_ = 0;
      if (done_) {
        if (error_.ok()) return 0;
        return std::exchange(error_, absl::OkStatus());
      }
      done_ = !Refill();
      Step(done_);
    }
    const size_t n = std::min(size, out.size() - given_);
    std::memcpy(buffer, out.data() + given_, n);
    given_ += n;
    return n;
  }

  void TakeOrigins(size_t n, std::vector<uint64_t>* out) final {
    const size_t have = std::min(n, origins_.size());
    out->insert(out->end(), origins_.begin(), origins_.begin() + static_cast<ptrdiff_t>(have));
    origins_.erase(origins_.begin(), origins_.begin() + static_cast<ptrdiff_t>(have));
  }

 protected:
  // Takes what is whole of rest() into lines_; at the end of the input, `last`, all of it.
  virtual void Step(bool last) { Lines(last); }
  // One line of the input, not blank, without its line end.
  virtual void TakeLine(std::string_view line) = 0;

  std::string_view rest() const { return std::string_view(input_).substr(begin_); }
  void Take(size_t n) { begin_ += n; }
  void Fail(absl::Status error) {
    done_ = true;
    if (error_.ok()) error_ = std::move(error);
  }

  bool cut() const { return cut_; }
  uint64_t line() const { return line_; }
  bool wrote_lines() const { return lines_.line_count() > noted_; }
  // The lines written since the last call are of that line of the input.
  void NoteOrigins(uint64_t line) {
    for (const uint64_t written = lines_.line_count(); noted_ < written; ++noted_) origins_.push_back(line);
  }
  // The line of the next byte that is no blank.
  uint64_t LineOfNext() const {
    const std::string_view text = rest();
    const size_t begin = std::min(text.find_first_not_of(", \t\r\n"), text.size());
    return line_ + static_cast<uint64_t>(std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(begin), '\n'));
  }
  // Takes text of any number of lines.
  void TakeLines(size_t n) {
    const std::string_view text = rest().substr(0, n);
    line_ += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    Take(n);
  }

  // Takes each whole line of the input; with `last` what is behind the last one, too, unless an error cut it. A line of
  // more than kMaxEntry bytes is one entry without record.
  void Lines(bool last) {
    while (!done_ || last) {
      const std::string_view text = rest();
      const size_t end = text.find('\n', std::min(searched_, text.size()));
      if (end == std::string_view::npos && !last) {
        searched_ = text.size();
        if (text.size() <= kMaxEntry) return;
        if (!skipping_) lines_.NoRecord(text);
        NoteOrigins(line_);
        skipping_ = true;
        Take(text.size());
        searched_ = 0;
        return;
      }
      if (end == std::string_view::npos && cut_) return Take(text.size());
      searched_ = 0;
      std::string_view line = text.substr(0, end);
      Take(std::min(text.size(), line.size() + 1));
      if (std::exchange(skipping_, false)) line = {};
      line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
      if (!line.empty()) TakeLine(line);
      NoteOrigins(line_);
      ++line_;
      if (end == std::string_view::npos) return;
    }
  }

  RecordLines lines_;
  const std::string name_;

 private:
  bool Refill() {
    if (begin_ > 0) {
      input_.erase(0, begin_);
      begin_ = 0;
    }
    const size_t have = input_.size();
    input_.resize(have + kStep);
    absl::StatusOr<size_t> n = stream_->Read(input_.data() + have, kStep);
    input_.resize(have + (n.ok() ? *n : 0));
    JsonSplitter::Pad(&input_);
    if (!n.ok()) {
      error_ = n.status();
      cut_ = true;
      return false;
    }
    return *n > 0;
  }

  std::unique_ptr<ByteStream> stream_;
  std::string input_;
  size_t begin_ = 0;
  size_t searched_ = 0;
  size_t given_ = 0;
  uint64_t noted_ = 0;            // lines of lines_ whose origins are known
  uint64_t line_ = 1;             // of the input, where rest() begins
  std::deque<uint64_t> origins_;  // of lines that are written, not yet taken
  bool skipping_ = false;         // the rest of a line that was too long
  bool done_ = false;
  bool cut_ = false;  // the input ends with an error, where it came to
  absl::Status error_;
};

// "2018-09-22T20:28:14.000Z 2 6331...": the time is CloudWatch's, of the event.
class ExportStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void TakeLine(std::string_view line) override {
    const size_t blank = line.find(' ');
    const bool stamped = blank != std::string_view::npos && blank >= 20 && line[4] == '-' && line[10] == 'T';
    lines_.Message(stamped ? line.substr(blank + 1) : line);
  }
};

class SubscriptionStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void TakeLine(std::string_view line) override {
    const std::string json = UnpackBlob(line);
    if (json.empty()) {
      lines_.NoRecord(line);
    } else {
      json_.Take(json);
    }
  }
  JsonRecords json_{&lines_};
};

class JsonStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void Step(bool last) override {
    if (!whole_ && !Decide(last)) return;
    if (!*whole_) return Lines(last);
    while (true) {
      if (!splitter_.in_document()) document_line_ = line();
      const JsonSplitter::Piece piece = splitter_.Next(rest(), last);
      json_.TakePiece(piece);
      if (wrote_lines()) NoteOrigins(piece.kind == JsonSplitter::Kind::kDocument ? document_line_ : LineOfNext());
      TakeLines(piece.consumed);
      if (piece.kind == JsonSplitter::Kind::kCut)
        Fail(absl::DataLossError(absl::StrCat(name_, ": the JSON is cut; what came before is read")));
      if (piece.kind == JsonSplitter::Kind::kMore) return;
    }
  }
  // A document goes on behind its first line if that ends as no document does, or if the next begins as none does.
  // False if more of the text is needed to tell.
  bool Decide(bool last) {
    constexpr std::string_view kBlanks = " \t\r\n", kGoesOnBehind = "{[,:", kGoesOnWith = "}],:";
    const std::string_view text = rest();
    const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    const size_t end = text.find('\n', begin);
    const size_t next = text.find_first_not_of(kBlanks, std::min(end, text.size()));
    if (next == std::string_view::npos && !last && text.size() <= kMaxEntry) return false;
    if (end == std::string_view::npos && (!last || cut())) {
      whole_ = true;  // one line, and very long or without its end
    } else {
      const size_t tail = text.substr(0, end).find_last_not_of(kBlanks);
      whole_ = (tail != std::string_view::npos && kGoesOnBehind.find(text[tail]) != std::string_view::npos) ||
               (next != std::string_view::npos && kGoesOnWith.find(text[next]) != std::string_view::npos);
    }
    return true;
  }
  void TakeLine(std::string_view line) override { json_.Take(line); }

  JsonRecords json_{&lines_};
  JsonSplitter splitter_;
  uint64_t document_line_ = 1;
  std::optional<bool> whole_;  // the text is one document, or several over many lines
};

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

std::unique_ptr<ByteStream> Unwrap(Container container, std::string name, std::unique_ptr<ByteStream> stream,
                                   LineOrigins** origins) {
  std::unique_ptr<UnwrapStream> out;
  switch (container) {
    case Container::kExport: out = std::make_unique<ExportStream>(std::move(name), std::move(stream)); break;
    case Container::kJson: out = std::make_unique<JsonStream>(std::move(name), std::move(stream)); break;
    case Container::kCsv: out = std::make_unique<CsvStream>(std::move(name), std::move(stream)); break;
    case Container::kSubscription:
      out = std::make_unique<SubscriptionStream>(std::move(name), std::move(stream));
      break;
    case Container::kAuto:
    case Container::kText: return stream;
  }
  *origins = out.get();
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
