// FedText: text that comes in pieces, read block by block in the caller's thread.
#ifndef VPCFLOW_SRC_SCAN_FED_TEXT_H_
#define VPCFLOW_SRC_SCAN_FED_TEXT_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "src/scan/scanned_text.h"
#include "vpcflow/result/report.h"
#include "vpcflow/scan/options.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class FedText {
 public:
  // What takes the blocks; false ends the reading.
  using OnBlock = absl::FunctionRef<bool(const ResolvedBlock&)>;

  // `options` must stay.
  FedText(std::string name, const ScanOptions& options);

  // Keeps bytes, and reads blocks once there are enough for one. Errors of the source, once.
  absl::Status Add(std::string_view bytes, Report* report, OnBlock on_block);
  // Reads all whole lines but those that wait for their format; with `last`, which ends the text, all of it.
  absl::Status ReadAll(bool last, Report* report, OnBlock on_block);

  const std::string& name() const& { return text_.name(); }
  bool waits_for_format() const { return text_.waits_for_format(); }

 private:
  struct Bytes;
  absl::Status ReadBlocks(Report* report, OnBlock on_block);

  const ScanOptions& options_;
  const std::shared_ptr<Bytes> bytes_;  // shared with the stream that reads them
  ScannedText text_;
  ResolvedBlock block_;
  bool all_read_ = true;  // but for what waits
  bool ended_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_FED_TEXT_H_
