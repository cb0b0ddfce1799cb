// JsonPieces: JSON that goes on over its lines, piece by piece. What JsonLines cannot take goes this way: in order.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_PIECES_H_
#define VPCFLOW_SRC_CONTAINER_JSON_PIECES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/container/json_records.h"
#include "src/container/json_splitter.h"
#include "src/container/record_lines.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Writes the records of pieces to `lines`.
class JsonPieces {
 public:
  explicit JsonPieces(RecordLines* lines) : json_(lines) {}

  // Takes the next piece of a text that goes on where the bytes consumed so far end, in line `line`; as JsonSplitter
  // does. `origin` is the line where the piece, or the document it is of, begins.
  JsonSplitter::Piece Take(std::string_view text, bool last, uint64_t line, uint64_t* origin);
  // What a piece that begins at the end of the text so far would be; kNone within one.
  JsonSplitter::Kind border() const;

 private:
  JsonRecords json_;
  JsonSplitter splitter_;
  uint64_t document_line_ = 1;
};

// The same of text that comes in parts.
class JsonParts {
 public:
  // Takes the next part, behind lines that left `before`. With `last` nothing follows; false if the JSON is cut.
  bool Take(std::string_view part, bool last, const RecordLines::State& before);
  // Goes on behind a part of whole pieces that was taken elsewhere. There must be a border.
  void PassOver(uint64_t line_ends) { line_ += line_ends; }
  // What a piece that begins behind the parts so far would be; kNone within one.
  JsonSplitter::Kind border() const { return rest_.empty() ? pieces_.border() : JsonSplitter::Kind::kNone; }

  // What the last part was made: lines, and what they are.
  const RecordLines& lines() const { return lines_; }
  const std::vector<LineInfo>& origins() const { return origins_; }
  uint64_t line() const { return line_; }

 private:
  RecordLines lines_;
  JsonPieces pieces_{&lines_};
  std::string rest_;  // of the parts so far
  uint64_t line_ = 1;
  std::vector<LineInfo> origins_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_PIECES_H_
