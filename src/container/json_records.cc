#include "src/container/json_records.h"

#include <simdjson.h>

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/container/json_documents.h"
#include "vpcflow/format/flow_names.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

constexpr int kMaxDepth = 3;  // blobs inside of documents inside of blobs

}  // namespace

struct JsonRecords::Parsers {
  dom::parser by_depth[kMaxDepth + 1];  // documents of the outer levels are still in use
  static bool Fine(simdjson::error_code error, dom::parser* parser);
};

JsonRecords::JsonRecords(RecordLines* lines) : parsers_(std::make_unique<Parsers>()), lines_(lines) {}
JsonRecords::~JsonRecords() = default;

Documents JsonRecords::DocumentsAt(int depth) {
  return Documents(lines_, [this, depth](std::string_view inner) {
    if (depth < kMaxDepth) Take(inner, depth + 1);
    return depth < kMaxDepth;
  });
}

// simdjson says by a code that it had no memory; a parser that said so is not used again (in 3.0 its streams crash).
bool JsonRecords::Parsers::Fine(simdjson::error_code error, dom::parser* parser) {
  if (error == simdjson::MEMALLOC) {
    *parser = dom::parser();
    throw std::bad_alloc();
  }
  return error == simdjson::SUCCESS;
}

// Returns what is left from the first malformed document on.
std::string_view JsonRecords::TakeWhole(std::string_view text, int depth) {
  dom::parser& parser = parsers_->by_depth[depth];
  Documents documents = DocumentsAt(depth);
  dom::element document;
  if (Parsers::Fine(parser.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(document), &parser)) {
    documents.Take(document);
    return {};
  }
  // Several documents glued together, or something wrong.
  parser.threaded = false;
  const size_t batch = std::max<size_t>(text.size(), 1024);
  Parsers::Fine(parser.allocate(batch), &parser);
  dom::document_stream stream;
  size_t taken = 0;
  if (Parsers::Fine(parser.parse_many(text.data(), text.size(), batch).get(stream), &parser)) {
    for (auto it = stream.begin(); it != stream.end(); ++it) {
      dom::element next;
      if (!Parsers::Fine((*it).get(next), &parser)) break;
      documents.Take(next);
      taken = it.current_index() + it.source().size();
    }
  }
  return text.substr(std::min(text.find_first_not_of(" \t\r\n", taken), text.size()));
}

void JsonRecords::Take(std::string_view text, int depth) {
  std::string_view rest = text.size() > JsonSplitter::kMaxPiece ? text : TakeWhole(text, depth);
  if (rest.empty()) return;
  JsonSplitter splitter;
  while (true) {
    const JsonSplitter::Piece piece = splitter.Next(rest, true);
    if (piece.kind == JsonSplitter::Kind::kMore) return;
    TakePiece(piece, depth);
    rest.remove_prefix(piece.consumed);
  }
}

// Whether an element is held until its document ends: the cells of a row of Logs Insights that is the document, and the
// rows of a page of Athena's whose columns are named behind them.
bool JsonRecords::Hold(const dom::element& element) {
  if (held_.size() > JsonSplitter::kMaxPiece) return false;
  (held_ += held_.empty() ? "" : ",") += simdjson::minify(element);
  return true;
}

// A cell of [{"field": ..., "value": ...}, ...].
bool JsonRecords::TakeCell(const dom::element& element) {
  dom::object cell;
  return element.get(cell) == simdjson::SUCCESS && cell.size() == 2 && cell["field"].is_string() &&
         cell["value"].error() == simdjson::SUCCESS && Hold(element);
}

// A row of {"ResultSet": {"Rows": [{"Data": [...]}, ...], "ResultSetMetadata": ...}}. The first of the first page names
// the columns.
bool JsonRecords::TakeRow(const dom::element& element, Documents* documents) {
  dom::array cells;
  if (element["Data"].get(cells) != simdjson::SUCCESS) return false;
  if (columns_.empty() && held_.empty()) {
    columns_ = documents->CellTexts(cells);
    if (NamesAFlow(columns_)) return true;
    columns_.clear();
  }
  if (columns_.empty()) return Hold(element);
  return documents->TakeRow(columns_, cells);
}

// The document that the elements held are of ends; `rest` is what it has besides.
void JsonRecords::TakeHeld(std::string_view rest, int depth) {
  columns_.clear();
  if (held_.empty()) return;
  std::string text = "[" + std::exchange(held_, {}) + "]";
  if (rest.starts_with('{')) {
    dom::element document, columns;
    const bool named = Parsers::Fine(parsers_->by_depth[depth].parse(rest.data(), rest.size(), false).get(document),
                                     &parsers_->by_depth[depth]) &&
                       document.at_pointer("/ResultSet/ResultSetMetadata").get(columns) == simdjson::SUCCESS;
    text = absl::StrCat("{\"Rows\":", text, ",\"ResultSetMetadata\":", named ? simdjson::minify(columns) : "{}", "}");
  }
  JsonSplitter::Pad(&text);
  TakeWhole(text, depth);
}

void JsonRecords::TakePiece(const JsonSplitter::Piece& piece, int depth) {
  if (piece.kind == JsonSplitter::Kind::kDocument || piece.kind == JsonSplitter::Kind::kCut)
    TakeHeld(piece.text, depth);
  switch (piece.kind) {
    case JsonSplitter::Kind::kMore:
    case JsonSplitter::Kind::kNone: return;
    case JsonSplitter::Kind::kDocument:
      if (const std::string_view rest = TakeWhole(piece.text, depth); !rest.empty()) lines_->NoRecord(rest);
      return;
    case JsonSplitter::Kind::kTooLong:
    case JsonSplitter::Kind::kCut: return lines_->NoRecord(piece.text);
    case JsonSplitter::Kind::kElement:
    case JsonSplitter::Kind::kEntry: break;
  }
  dom::parser& parser = parsers_->by_depth[depth];
  dom::element entry;
  if (Parsers::Fine(parser.parse(piece.text.data(), piece.text.size(), /*realloc_if_needed=*/false).get(entry),
                    &parser)) {
    Documents documents = DocumentsAt(depth);
    if (piece.kind == JsonSplitter::Kind::kEntry) {
      if (!TakeRow(entry, &documents)) documents.TakeEntry(entry);
    } else if (!TakeCell(entry)) {
      documents.Take(entry);
    }
  } else {
    lines_->NoRecord(piece.text);
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
