// The rows of Arrow batches.
#ifndef VPCFLOW_SRC_EXPORT_ARROW_ROWS_H_
#define VPCFLOW_SRC_EXPORT_ARROW_ROWS_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/export/arrow_column.h"
#include "src/scan/rows.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class ArrowRows final : public Rows {
 public:
  ArrowRows(const std::vector<FieldRef>& slots, const ScanOptions& options, Report* report);

  // Begins a stream with its schema, which was checked and stays until the last Next. kInvalidArgument if its columns,
  // as far as it has them all, make no flow record.
  absl::Status StartStream(uint32_t number, std::string name, const ArrowSchema& schema, bool whole);
  // Points it at a batch of the stream, which stays until the last Next, and checks it. kDataLoss for damage,
  // kInvalidArgument for a column whose type does not hold its field.
  absl::Status StartBatch(const ArrowArray& batch);

  const std::string& name() const override { return name_; }
  bool Next() override;
  void LoadFields(std::span<const size_t> slots) override;
  void Keep(std::span<const uint8_t> keep) override;
  bool HasField(size_t slot) const override { return children_[slot] >= 0; }
  // The first reject ends the scan (OnError::kStop).
  bool stopped() const { return stopped_; }

 private:
  absl::Status BindColumns(bool whole);
  absl::Status BindBatch(const ArrowArray& batch, int child, std::optional<ArrowColumn>* out) const;
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

  const std::vector<FieldRef>& slots_;
  const ScanOptions& options_;
  Report* report_;
  std::string name_;  // of the stream
  const ArrowSchema* schema_ = nullptr;
  std::vector<int> children_;  // by slot: the column of the schema that holds its field, or -1
  int status_child_ = -1;
  std::vector<std::optional<ArrowColumn>> columns_;  // by slot, of the batch
  std::optional<ArrowColumn> status_column_;
  const ArrowArray* batch_array_ = nullptr;
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
  size_t length_ = 0;
  size_t next_ = 0;
  uint64_t first_row_ = 0;  // of the batch in the stream
  bool stopped_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_ARROW_ROWS_H_
