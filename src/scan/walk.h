// RecordWalk: the records of a block as views, one after the other.
#ifndef VPCFLOW_SRC_SCAN_WALK_H_
#define VPCFLOW_SRC_SCAN_WALK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "src/scan/resolved_block.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/scan/options.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class RecordWalk {
 public:
  RecordWalk(const ScanOptions& options, Report* report) : options_(options), report_(report) {}

  // Points it at a block, which must stay until Next is false.
  void Start(const ResolvedBlock& block);
  // Steps on. A record that was left with an error becomes a reject now.
  bool Next();
  const RecordView& record() const { return record_; }
  // Turns the record in hand into a reject if a getter found a malformed value; true if it did.
  bool SettleErrors();
  // The first reject ends the walk (OnError::kStop).
  bool stopped() const { return stopped_; }

 private:
  void Reject(size_t line, Errc reason, uint32_t at, std::string field);
  // The tokens of a line as their container had them, in outer_.
  TokenSpan OuterTokens(const TextLine& line);

  const ScanOptions& options_;
  Report* report_;
  const ResolvedBlock* block_ = nullptr;
  size_t segment_ = 0;
  size_t line_ = 0;
  RecordView record_;
  std::string outer_;
  std::vector<uint32_t> outer_bounds_;
  LogStatus status_ = LogStatus::kOk;
  bool has_record_ = false;
  bool stopped_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_WALK_H_
