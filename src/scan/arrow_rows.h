// The rows of Arrow batches.
#ifndef VPCFLOW_SRC_SCAN_ARROW_ROWS_H_
#define VPCFLOW_SRC_SCAN_ARROW_ROWS_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/scan/arrow_column.h"
#include "src/scan/rows.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Whether values of a type can be those of a field, and what such a field is read from.
bool HoldsKind(const ArrowType& type, Kind kind);
const char* WhatHolds(Kind kind);

// The text of a value, as a line has it: "-" for null, times in Unix seconds.
std::string_view ArrowText(const ArrowColumn& column, size_t row, Field field, std::string* scratch);

class ArrowRows final : public Rows {
 public:
  ArrowRows(const std::vector<FieldRef>& slots, const ScanOptions& options, Report* report, const Rows* beside);

  // Points it at rows of a table.
  void Start(const ResolvedBlock& block);
  // As of TextRows.
  void TakeTrafficOnly() { traffic_only_ = true; }
  bool traffic_only() const override { return traffic_only_; }

  const std::string& name() const override { return *name_; }
  bool Next() override;
  void LoadFields(std::span<const size_t> slots) override;
  void Keep(std::span<const uint8_t> keep) override;
  bool HasField(size_t slot) const override { return table_->has[slot] != 0; }
  bool stopped() const override { return stopped_; }

 private:
  // What the entries of a column's dictionary are.
  static constexpr uint64_t kUnread = ~uint64_t{0}, kMalformed = kUnread - 1;
  struct KnownEntries {
    std::vector<uint64_t> codes;  // empty if rows are read one by one
    std::vector<Ip> v6;
    uint64_t generation = 0;  // of the dictionary that codes of texts are of
  };

  // Sets `column` to a column of the batch; what is known of its dictionary is kept if the batch before had the same.
  void Bind(int child, std::optional<ArrowColumn>* column, KnownEntries* known);
  // Sets and counts the log statuses of rows_; leaves rows out if only traffic is wanted.
  void TakeStatus();
  LogStatus ReadStatus(const ArrowColumn& column, size_t row);
  // The entries of rows_ in the dictionary of a column, until the next call.
  std::span<const uint32_t> EntriesOf(const ArrowColumn& column);
  Errc ReadAddress(std::string_view text, AddressCode* out);
  Errc ReadNumber(const ArrowColumn& column, size_t row, Field field, int64_t* out);
  // The text of a value for a text column; empty data for null.
  std::string_view TextOf(const ArrowColumn& column, size_t row, Field field);
  Errc ReadValue(const ArrowColumn& column, size_t slot, size_t i, Column* out);
  void LoadColumn(size_t slot);
  void LoadValue(size_t slot, size_t i, Column* out);
  void LoadAddresses(size_t slot, Column* out);
  void LoadTextEntries(size_t slot, Column* out);
  void LoadAddressEntries(size_t slot, Column* out);
  // The code of an entry that is an address.
  uint64_t ReadEntry(const ArrowColumn& texts, size_t entry, KnownEntries* known);
  void CheckWhole(size_t slot, Column* out);
  void RejectRow(size_t i, size_t slot, Errc reason);

  const std::vector<FieldRef> slots_;
  const ScanOptions& options_;
  Report* report_;
  const std::string* name_ = nullptr;  // of the source
  std::shared_ptr<const TableColumns> table_;
  std::shared_ptr<const ArrowArray> batch_array_;
  std::vector<std::optional<ArrowColumn>> columns_;  // by slot, of the batch
  std::vector<KnownEntries> entries_;                // by slot
  std::optional<ArrowColumn> status_column_;
  KnownEntries status_entries_;  // codes are log statuses
  std::vector<size_t> rows_;     // in the batch
  // Scratch.
  std::vector<uint32_t> row_entries_, begins_, ends_, records_, left_;
  std::string scratch_, number_, texts_;
  // Rows of the batch that are read, the next one, and the place of the first of them in the table.
  size_t first_ = 0;
  size_t last_ = 0;
  size_t next_ = 0;
  uint64_t number_of_first_ = 0;
  bool traffic_only_ = false;
  bool stopped_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_ARROW_ROWS_H_
