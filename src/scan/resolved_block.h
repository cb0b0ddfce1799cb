// ResolvedBlock: a unit of work of a scan, lines of text or rows of a table. What sources hand to the workers.
#ifndef VPCFLOW_SRC_SCAN_RESOLVED_BLOCK_H_
#define VPCFLOW_SRC_SCAN_RESOLVED_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/scan/block.h"
#include "vpcflow/format/format.h"
#include "vpcflow/lines/token_index.h"
#include "vpcflow/result/report.h"
#include "vpcflow/source/arrow_abi.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Lines [first, last) of a block that follow one format.
struct Segment {
  size_t first = 0;
  size_t last = 0;
  std::shared_ptr<const Format> format;
};

// The columns of a table, and which of them the fields of a scan are.
struct TableColumns {
  std::shared_ptr<const ArrowSchema> schema;
  std::vector<int> children;  // by slot of the scan: the column that holds its field, or -1
  std::vector<uint8_t> has;   // by slot: whether the table has the field, also where its column is not read
  int status_child = -1;      // the column of log statuses, or -1
};

// Rows [first, last) of a batch, whose values were checked.
struct TableRows {
  std::shared_ptr<const TableColumns> columns;  // null for text
  std::shared_ptr<const ArrowArray> batch;
  size_t first = 0;
  size_t last = 0;
  uint64_t number = 0;  // of the first of them in the table, from 0
};

class JsonLines;

struct ResolvedBlock {
  uint32_t source = 0;
  const std::string* name = nullptr;
  uint64_t sequence = 0;  // within its source
  Block block;
  TokenIndex index;
  uint64_t first_line = 1;
  bool escaped = false;           // texts of it are inner ones (container/inner_text.h)
  std::vector<Segment> segments;  // without the header lines
  std::string rendered;           // the text, if it was made of a table
  bool by_row = false;            // it was: places are rows
  // What found the records of lines of JSON: then the lines of the index are places in lines that only what could not
  // stay as it was was written of. For the thread that has the block; it is kept from block to block.
  std::shared_ptr<JsonLines> json;
  bool json_taken = false;  // it found those of the block
  TableRows table;          // instead of all these, where the scan reads columns

  bool of_json() const { return block.json && !by_row && table.columns == nullptr; }
  // The size of the lines.
  size_t bytes() const;
  // The place of a line in its source: a byte of the unpacked text, or a row of a table.
  uint64_t PlaceOf(size_t line) const {
    if (by_row) return block.origins[line].origin - 1;
    return block.offset + (block.long_line ? 0 : index.line(line).begin);
  }
};

// Returns the text of a line of an indexed block, without its line end: a part of the block's text or, for values that
// stand in JSON, of `scratch`.
std::string_view LineText(const ResolvedBlock& block, size_t line, std::string* scratch);

// How far behind the beginning of its line a byte of a token is; `at` is the byte's place in the block's text.
uint32_t PlaceInLine(const ResolvedBlock& block, size_t line, uint32_t at);

// Removes a byte order mark from the beginning of a line that is a record.
void SkipByteOrderMark(ResolvedBlock* block, size_t line);

// Whether a line can be a record of `width` fields. kOk with *blank set for a line of blanks, which is neither record
// nor reject; for an error, *at is its place in the line.
Errc CheckLine(const ResolvedBlock& block, size_t line, size_t width, size_t max_line_bytes, bool* blank, uint32_t* at);

// Counts a reject, and keeps it with its place if it is among the first.
void AddReject(const ResolvedBlock& block, size_t line, Errc reason, uint32_t at, std::string field, Report* report);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_RESOLVED_BLOCK_H_
