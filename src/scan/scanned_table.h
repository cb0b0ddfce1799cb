// ScannedTable: a piece of an Arrow table while it is read, some thousand rows at a time.
#ifndef VPCFLOW_SRC_SCAN_SCANNED_TABLE_H_
#define VPCFLOW_SRC_SCAN_SCANNED_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/scan/arrow_column.h"
#include "src/scan/arrow_stream.h"
#include "src/scan/source_queue.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct TablePiece {
  size_t number = 0;
  uint64_t first_row = 0;  // in its table
  bool last = true;        // of its table
  bool judged = true;      // the columns of its stream tell whether the rows are flow records
};

// OK if columns of these names make flow log records; else kInvalidArgument.
absl::Status CheckFlowColumns(const std::vector<std::string>& names);

// The format that the columns of a table make, of known fields; none if the table does not tell before it is read.
absl::StatusOr<std::vector<Format>> FormatsOfTable(const Source& source);

class ScannedTable final : public ScannedSource {
 public:
  ScannedTable(const Source& source, uint32_t number, const TableReads& reads, TablePiece piece);
  bool ends_source() const override { return piece_.last; }

 private:
  absl::StatusOr<bool> Take(ResolvedBlock* out, Report* report) override;
  absl::Status Prepare(ResolvedBlock* out) override;
  absl::Status Settle(ResolvedBlock* out, Report* report) override;

  absl::Status Begin(Report* report);
  // Opens the stream of the piece, of some fields.
  absl::Status Open(const std::optional<std::vector<std::string>>& fields);
  // Finds the columns of the fields of the scan in the stream.
  absl::Status Bind();
  bool IsRead(const std::string& field) const;
  // Says what the columns are.
  void Describe(Report* report) const;
  // Steps to the next batch; false at the end.
  absl::StatusOr<bool> Step();
  // Whether any row of the batch passes the filter.
  bool AnyPasses() const;
  // Reads the piece from the batch in hand on with all columns.
  absl::Status ReadWhole();
  // Calls check(child) for each column that is read.
  template <class Check>
  absl::Status ForEachChild(const Check& check) const;
  absl::Status CheckBatch() const;
  absl::Status CheckRows(const TableRows& rows) const;
  void Render(ResolvedBlock* out) const;

  const Source source_;
  const TableReads& reads_;
  const TablePiece piece_;
  // Of Take.
  std::optional<ArrowReader> reader_;
  std::shared_ptr<const ArrowArray> batch_;
  size_t next_ = 0;
  size_t length_ = 0;
  bool ruled_out_ = false;  // by statistics: only what the filter needs is read
  uint64_t row_ = 0;
  // Set by the first Take.
  std::vector<std::string> names_;   // of the columns that are read, if the piece may hold what is wanted
  std::vector<FieldRef> own_slots_;  // where the scan wants lines
  const std::vector<FieldRef>* slots_ = nullptr;
  std::shared_ptr<const TableColumns> columns_;
  std::shared_ptr<const Format> format_;  // of the lines
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_SCANNED_TABLE_H_
