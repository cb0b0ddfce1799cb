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

  const std::string& name() const override { return *name_; }
  bool Next() override;
  void LoadFields(std::span<const size_t> slots) override;
  void Keep(std::span<const uint8_t> keep) override;
  bool HasField(size_t slot) const override { return table_->children[slot] >= 0; }
  bool stopped() const override { return stopped_; }

 private:
  void TakeStatus();
  Errc ReadAddress(std::string_view text, AddressCode* out);
  Errc ReadNumber(const ArrowColumn& column, size_t row, Field field, int64_t* out);
  // The text of a value for a text column; empty data for null.
  std::string_view TextOf(const ArrowColumn& column, size_t row, Field field);
  Errc ReadValue(const ArrowColumn& column, size_t slot, size_t i, Column* out);
  AddressCode AddV6(const Ip& ip);
  void LoadColumn(size_t slot);
  void LoadTextEntries(size_t slot, Column* out);
  void LoadAddressEntries(size_t slot, Column* out);
  void CheckWhole(size_t slot, Column* out);
  void RejectRow(size_t i, size_t slot, Errc reason);

  const std::vector<FieldRef> slots_;
  const ScanOptions& options_;
  Report* report_;
  const std::string* name_ = nullptr;  // of the source
  std::shared_ptr<const TableColumns> table_;
  std::vector<std::optional<ArrowColumn>> columns_;  // by slot, of the batch
  std::optional<ArrowColumn> status_column_;
  std::shared_ptr<const ArrowArray> batch_array_;
  // By slot: what the entries of the column's dictionary are in the batch.
  static constexpr uint64_t kUnread = ~uint64_t{0}, kMalformed = kUnread - 1;
  struct Entries {
    std::vector<uint64_t> codes;  // empty if rows are read one by one
    std::vector<Ip> v6;
    uint64_t generation = 0;  // of the dictionary that codes of texts are of
  };
  std::vector<Entries> entries_;
  std::vector<size_t> rows_;  // in the batch
  std::string scratch_;
  std::string number_;  // scratch
  // Rows of the batch that are read, the next one, and the place of the first of them in the table.
  size_t first_ = 0;
  size_t last_ = 0;
  size_t next_ = 0;
  uint64_t number_of_first_ = 0;
  bool stopped_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_ARROW_ROWS_H_
