// ScannedText: a source of text while it is read; its formats come from header lines, options and the lines themselves.
#ifndef VPCFLOW_SRC_SCAN_SCANNED_TEXT_H_
#define VPCFLOW_SRC_SCAN_SCANNED_TEXT_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/container/json_splitter.h"
#include "src/container/record_lines.h"
#include "src/scan/scanned_source.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class JsonParts;

class ScannedText final : public ScannedSource {
 public:
  // `shared`: several threads will take its blocks. `stored_bytes`, if given, grows by what is read of the source as
  // stored; `opened`, if given, is its stream, from the beginning.
  ScannedText(const Source& source, uint32_t number, const ScanOptions& options, bool shared, Cancelled cancelled,
              std::atomic<uint64_t>* stored_bytes = nullptr, std::unique_ptr<ByteStream> opened = nullptr);

  // Before the first block: see BlockReader.
  void UnwrapJson() { reader_.UnwrapJson(); }
  // From now on, gives the whole lines before MoreToCome, and not only as many as fill a block; but lines whose format
  // may depend on those to come wait for them. For the only worker.
  void TakeShortBlocks(bool take) { reader_.TakeShortBlocks(take); }
  // Whether lines wait for that.
  bool waits_for_format() const { return waits_for_format_; }

  // The format behind the blocks taken so far; null if none is known. For the only worker.
  const std::shared_ptr<const Format>& format() const { return formats_[objects_]; }

 private:
  absl::StatusOr<bool> Take(ResolvedBlock* out, Report* report) override;
  absl::Status Prepare(ResolvedBlock* out) override;
  absl::Status Settle(ResolvedBlock* out, Report* report) override;
  bool TellsFormat(const ResolvedBlock& block) const;
  absl::StatusOr<std::shared_ptr<const Format>> FindFormat(const ResolvedBlock& block, size_t first,
                                                           Report* report) const;
  std::shared_ptr<const Format> AnyFormat(const absl::Status& problem, Report* report);
  bool TakeHeader(const ResolvedBlock& block, size_t line, Report* report);
  void SetFormat(Format format, Report* report);

  const ScanOptions& options_;
  BlockReader reader_;
  bool waits_for_format_ = false;

  absl::Status TakeJson(ResolvedBlock* out) const;
  absl::Status TakeJson(ResolvedBlock* out, JsonSplitter::Kind border, const RecordLines::State& before) const;
  absl::Status SettleJson(ResolvedBlock* out);
  absl::Status SettlePieces(ResolvedBlock* out);

  mutable std::mutex json_mutex_;
  // Guarded by json_mutex_: what the next block to be settled comes behind.
  RecordLines::State json_;
  JsonSplitter::Kind border_ = JsonSplitter::Kind::kNone;

  // Changed by Settle.
  uint64_t json_line_ = 1;            // of JSON, where the next block begins
  uint64_t json_offset_ = 0;          // of its lines
  std::shared_ptr<JsonParts> parts_;  // of JSON that goes on over its lines: what takes blocks in their order
  uint64_t line_ = 1;
  std::array<std::shared_ptr<const Format>, 2> formats_;  // of lines or messages, and of objects; null if not known
  size_t objects_ = 0;                                    // which of them is in force
  std::string other_header_;                              // a header line in names of other tools, and its format:
  std::shared_ptr<const Format> other_format_;            // it may come again
  bool told_problem_ = false;                             // that messages among objects have no format
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_SCANNED_TEXT_H_
