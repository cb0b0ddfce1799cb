// Rows: records as columns, a batch at a time, whatever they come from. A plan loads the columns that it names, drops
// rows, and reads what is left.
#ifndef VPCFLOW_SRC_SCAN_ROWS_H_
#define VPCFLOW_SRC_SCAN_ROWS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "src/scan/resolved_block.h"
#include "src/simd/kernels.h"
#include "vpcflow/enrich/labels.h"
#include "vpcflow/enrich/record_labels.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/result/report.h"
#include "vpcflow/scan/options.h"

VPCFLOW_NAMESPACE_BEGIN

// What a column of labels looks up.
struct LabelLookup {
  std::vector<FieldRef> of;  // one, or those of `record`
  std::shared_ptr<const Labels> labels;
  std::shared_ptr<const RecordLabels> record;
};

namespace internal {

inline constexpr size_t kBatchRows = 512;

inline bool IsTraffic(LogStatus status) { return status != LogStatus::kNoData && status != LogStatus::kSkipData; }

class Rows {
 public:
  virtual ~Rows() = default;
  // Steps to the next records, at most kBatchRows; false if there are none. No column is loaded yet. Where all of them
  // were without traffic, there may be no rows.
  virtual bool Next() = 0;
  // Fills columns of the batch, given by their slots. Rows with a malformed value are gone after the next DropBad.
  void Load(std::span<const size_t> slots);
  // Takes out the rows for which `keep` is 0.
  virtual void Keep(std::span<const uint8_t> keep) = 0;
  // Takes out the rows that Load found malformed.
  void DropBad();
  // Whether the source in hand has the field of a slot, or the one that it looks up.
  bool Has(size_t slot) const {
    const std::vector<size_t>& of = looked_up_[slot].of;
    return of.empty() ? HasField(slot) : std::any_of(of.begin(), of.end(), [&](size_t s) { return HasField(s); });
  }

  const Batch& batch() const { return batch_; }
  // The name of the source in hand, and whether Batch::offsets are places in it that a person can look up.
  virtual const std::string& name() const = 0;
  virtual bool placed() const { return true; }
  // Records without traffic are no rows.
  virtual bool traffic_only() const { return false; }
  // The first reject ends the scan (OnError::kStop).
  virtual bool stopped() const = 0;
  std::span<const LogStatus> status() const { return {status_.data(), batch_.rows}; }

 protected:
  // `beside`: other rows whose batches go the same way; codes of texts are the same in both.
  explicit Rows(const std::vector<FieldRef>& slots, const Rows* beside = nullptr);
  // Load and Has of fields that logs have.
  virtual void LoadFields(std::span<const size_t> slots) = 0;
  virtual bool HasField(size_t slot) const = 0;

  template <class T>
  static void Compact(std::vector<T>* values, std::span<const uint8_t> keep) {
    size_t to = 0;
    for (size_t from = 0; from < keep.size(); ++from) {
      (*values)[to] = (*values)[from];
      to += keep[from] != 0;
    }
    values->resize(to);
  }
  // Begins a batch of no rows and no loaded columns.
  void Clear();
  // Keep for what all kinds of rows have.
  void KeepBatch(std::span<const uint8_t> keep);
  uint64_t& CounterOf(LogStatus status, Report* report) const;
  // The code of an address in the batch.
  AddressCode AddressOf(const Ip& ip) {
    if (ip.is_v4()) return kCodeV4 | ip.v4();
    batch_.v6.push_back(ip);
    return kCodeV6 | (batch_.v6.size() - 1);
  }
  // Converts a column of addresses of the batch. The numbers of records whose text is no plain address go to `left`,
  // and their count is returned.
  size_t ConvertAddresses(const TokenColumn& column, AddressCode* out, uint32_t* left);

  // A column of labels: the slots of what it looks up and of the time.
  struct LookedUp {
    std::vector<size_t> of{};  // none for a field
    int start = -1;
    const Labels* labels = nullptr;
    const RecordLabels* record = nullptr;
    uint64_t generation = ~uint64_t{0};                      // of the dictionary that `codes` are of
    std::vector<uint32_t> codes;                             // by label; 0 for one that has none yet
    std::unordered_map<uint64_t, uint32_t> codes_by_number;  // of `record`
  };
  void LookUp(size_t slot);
  void LabelRecords(LookedUp& own, TextDictionary& dictionary, std::vector<uint32_t>* out);

  Batch batch_;
  std::vector<LookedUp> looked_up_;  // by slot
  bool any_looked_up_ = false;
  std::vector<size_t> fields_;      // scratch
  std::vector<uint64_t> numbers_;   // scratch: of labels
  std::vector<uint64_t> v6_words_;  // scratch
  std::vector<uint8_t> v6_good_;    // scratch
  std::vector<LogStatus> status_;   // by row
  std::vector<uint8_t> loaded_;     // by slot
  std::vector<uint8_t> bad_;        // by row
  // By slot, of text columns. Bounded: what comes anew each time (ids, tags) must not fill the memory.
  std::vector<std::shared_ptr<TextDictionary>> dictionaries_;
};

// The rows of text blocks.
class TextRows final : public Rows {
 public:
  TextRows(std::vector<FieldRef> slots, const ScanOptions& options, Report* report);

  // Points it at a block, which must stay until the last Next.
  void Start(const ResolvedBlock& block);
  // From now on records without traffic are counted, and are no rows.
  void TakeTrafficOnly() { traffic_only_ = true; }
  bool traffic_only() const override { return traffic_only_; }
  bool Next() override;
  void Keep(std::span<const uint8_t> keep) override;
  const std::string& name() const override { return *block_->name; }
  bool placed() const override { return !block_->block.unwrapped; }
  bool stopped() const override { return stopped_; }

 protected:
  void LoadFields(std::span<const size_t> slots) override;
  bool HasField(size_t slot) const override { return columns_[slot] >= 0; }

 private:
  void BindFormat(const Format& format);
  bool TakeLines(size_t last);
  bool CheckWithCare(size_t line);
  // The column of a slot in the block; the kernels want it so.
  TokenColumn ColumnOf(int column) const;
  void Reject(size_t line, Errc reason, uint32_t at, std::string field);
  size_t LineOf(uint32_t row) const;  // in the block
  void SettleMalformed();
  // Converts the values of the rows that a kernel left with convert(text, size, &value).
  template <class Value, class Convert>
  void LoadLeft(size_t slot, std::span<const uint32_t> left, Value null, std::vector<Value>* out, Convert convert);
  void LoadTexts(size_t slot);
  void LoadAddresses(size_t slot);
  // The columns noted in integers_.
  void LoadIntegers();

  const std::vector<FieldRef> slots_;
  const ScanOptions& options_;
  Report* report_;
  const ResolvedBlock* block_ = nullptr;
  const Format* format_ = nullptr;
  size_t segment_ = 0;
  size_t line_ = 0;
  std::vector<int> columns_;  // by slot: column of the format, or -1
  int status_column_ = -1;
  // The codes of the log statuses in the dictionary of their texts; 0 for one that did not come yet.
  std::array<uint32_t, 4> status_codes_{};
  uint64_t status_generation_ = 0;
  std::vector<uint32_t> records_;  // by row: its first token in the block
  // Scratch. Rows that a kernel did not convert, for each slot; whole numbers to load.
  std::vector<std::vector<uint32_t>> left_;
  std::vector<size_t> integers_;
  struct Malformed {
    uint32_t row;
    size_t slot;
    Errc reason;
    Token token;
  };
  std::vector<Malformed> malformed_;  // values found in this Load
  std::string outer_text_;
  std::vector<IntegerColumn> integer_columns_;
  bool traffic_only_ = false;
  bool stopped_ = false;
};

// The rows of blocks of either kind.
class BlockRows {
 public:
  BlockRows(const std::vector<FieldRef>& slots, const ScanOptions& options, Report* report)
      : slots_(slots), options_(options), report_(report), text_(slots, options, report) {}

  // The rows of a block, which must stay until the last of them is read.
  Rows* Start(const ResolvedBlock& block);
  // As of TextRows. Before the first Start.
  void TakeTrafficOnly() { text_.TakeTrafficOnly(); }

 private:
  const std::vector<FieldRef>& slots_;
  const ScanOptions& options_;
  Report* report_;
  TextRows text_;
  std::unique_ptr<Rows> table_;  // made for the first table
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_ROWS_H_
