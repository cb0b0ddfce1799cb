// JsonRecords: the records of JSON text of any number of documents.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_RECORDS_H_
#define VPCFLOW_SRC_CONTAINER_JSON_RECORDS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/container/json_documents.h"
#include "src/container/json_splitter.h"
#include "src/container/record_lines.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class JsonRecords {
 public:
  explicit JsonRecords(RecordLines* lines);
  ~JsonRecords();

  // The records of one or more documents, one behind the other, with or without blanks between them. `text` must have
  // JsonSplitter::kPadding bytes behind its end in the same buffer. What is malformed is taken apart: a malformed
  // entry, or document around it, is one entry without record.
  void Take(std::string_view text, int depth = 0);
  // The record of a piece, padded likewise.
  void TakePiece(const JsonSplitter::Piece& piece, int depth = 0);
  // Whether what the pieces of a document so far hold has to do with the next.
  bool holds_any() const { return !columns_.empty() || !held_.empty(); }
  void Forget() {
    columns_.clear();
    held_.clear();
  }

 private:
  std::string_view TakeWhole(std::string_view text, int depth);
  Documents DocumentsAt(int depth);
  bool TakeCell(const simdjson::dom::element& element);
  bool TakeRow(const simdjson::dom::element& element, Documents* documents);
  bool Hold(const simdjson::dom::element& element);
  void TakeHeld(std::string_view rest, int depth);

  struct Parsers;
  std::unique_ptr<Parsers> parsers_;
  RecordLines* lines_;
  std::vector<std::string> columns_;  // of the rows that come
  std::string held_;                  // elements, as JSON
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_RECORDS_H_
