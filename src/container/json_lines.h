// JsonLines: the records of lines of JSON, as tokens of the JSON itself. What scans read; the same lines as those that
// UnwrapStream writes.
//
// Values stay where they are: a record is the places of its values, in the order of the columns. What is not in the
// text as it is meant, such as escapes, spellings of other tools, records in texts of texts, is written behind it.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_LINES_H_
#define VPCFLOW_SRC_CONTAINER_JSON_LINES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/container/json_records.h"
#include "src/container/json_shape.h"
#include "src/container/record_lines.h"
#include "vpcflow/lines/token_index.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A line that was written, not found: its number and where its text begins.
struct WrittenLine {
  size_t number;
  size_t place;
};

// For one thread at a time. What it knows of how objects look it keeps from text to text.
class JsonLines {
 public:
  // Zeros that must stand behind a text, and how far behind its end the written text belongs.
  static constexpr size_t kPadding = 2 * JsonSplitter::kPadding;
  // Of the lines made of one text.
  static constexpr size_t kMostBytes = size_t{1} << 30;

  // Takes whole lines that come behind those that left `before`. The lines of `index` are places in the lines that the
  // text makes, its tokens places in the text and what is written behind it; `origins` are lines of the text, from 1.
  // False if one makes more than kMostBytes: it and what follows is missing. O(size).
  bool Take(std::string_view text, const RecordLines::State& before, TokenIndex* index, std::vector<LineInfo>* origins);
  // Takes pieces that begin and end at borders (JsonSplitter::border) of a kind: documents, or entries with a comma
  // behind each. False, and nothing of what was made counts, if that is not what the text is, or if what they hold has
  // to do with others.
  bool TakePieces(std::string_view text, JsonSplitter::Kind border, const RecordLines::State& before, TokenIndex* index,
                  std::vector<LineInfo>* origins);
  // The beginning of a line that is too long to be taken.
  bool TakeBeginning(std::string_view text, const RecordLines::State& before, TokenIndex* index,
                     std::vector<LineInfo>* origins);

  JsonSplitter::Kind border() const { return border_; }
  // Whether Take would do the same behind lines that left `before`.
  bool ComesBehind(const RecordLines::State& before) const;
  // What the next text comes behind: columns, entries without record more than before, the problem of the last.
  const std::vector<RecordLines::Column>& columns() const { return lines_.columns(); }
  uint64_t no_records() const { return lines_.no_records() - before_.no_records; }
  const std::string& problem() const { return lines_.problem(); }

  std::string_view text() const { return text_; }
  // What belongs kPadding bytes behind the end of the text.
  const std::string& written() const { return lines_.out(); }
  const std::vector<WrittenLine>& written_lines() const { return written_lines_; }
  // The size of the lines, and the number of those of the text; of pieces that of line ends.
  size_t bytes() const { return bytes_; }
  size_t lines() const { return text_lines_; }

 private:
  void Begin(std::string_view text, const RecordLines::State& before, TokenIndex* index,
             std::vector<LineInfo>* origins);
  // Finds an object of a known shape; null, or where it ends.
  const char* Match(const char* at);
  const char* Match(const JsonShape& shape, const char* at);
  void AddMatched();
  bool Respell(std::string_view value, Spelling spelling, bool blanks, Token* out);
  bool TakeLine(std::string_view line);
  bool TakePiece(const JsonSplitter::Piece& piece);
  bool TakeWritten(std::string_view text, size_t place, uint64_t headers);
  void DropOldShapes();
  void NoteWritten();
  void AddWritten();
  void AddLine(size_t bytes, size_t tokens, const LineInfo& info);
  void MakeRoom(size_t lines, size_t tokens, size_t bad);

  RecordLines lines_;
  JsonRecords json_{&lines_};
  RecordLines::State before_;
  JsonSplitter::Kind border_ = JsonSplitter::Kind::kNone;
  std::vector<JsonShape> shapes_;  // of the columns of lines_
  size_t last_shape_ = 0;
  size_t oldest_shape_ = 0;
  uint64_t headers_ = 0;  // of lines_, when shapes_ were made
  std::string scratch_;
  TokenIndex written_index_;
  // Of the text in hand.
  std::string_view text_;
  TokenIndex* index_ = nullptr;
  TokenArrays* arrays_ = nullptr;
  size_t room_ = 0;
  std::vector<LineInfo>* origins_ = nullptr;
  std::vector<WrittenLine> written_lines_;
  std::vector<LineInfo> noted_;  // lines that were written, not yet added
  size_t noted_from_ = 0;        // where they begin in lines_.out()
  size_t bytes_ = 0;
  size_t text_lines_ = 0;
  // Of the object matched last.
  size_t written_before_ = 0;
  size_t matched_bytes_ = 0;
  std::string_view message_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_LINES_H_
