// The scan's threads: each takes blocks of the sources and hands them to its own handler.
#ifndef VPCFLOW_SRC_SCAN_DRIVER_H_
#define VPCFLOW_SRC_SCAN_DRIVER_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "src/scan/source_queue.h"
#include "vpcflow/result/report.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class BlockHandler {
 public:
  virtual ~BlockHandler() = default;
  // False ends the scan.
  virtual bool OnBlock(const ResolvedBlock& block) = 0;
  // Memory of what it keeps.
  virtual size_t bytes() const { return 0; }
};

using HandlerFactory = std::function<std::unique_ptr<BlockHandler>(Report*)>;

// Reads all sources to their end. Returns the handlers, one per thread, for the caller to merge, and fills `report`.
// Damage of a source is in report->errors and does not keep the others from being read; kCancelled and
// kResourceExhausted are returned. All threads have ended on return, also by an exception of the caller's code
// (handlers, poll), which is thrown on. Threads that cannot be started are done without, in the end by the calling one,
// unpolled.
//
// `in_order`, with one thread: the sources are read in their order, also where a later one could be read at once.
absl::StatusOr<std::vector<std::unique_ptr<BlockHandler>>> RunScan(const std::vector<Source>& sources,
                                                                   const ScanOptions& options, const TableReads& reads,
                                                                   bool in_order, const HandlerFactory& make_handler,
                                                                   Report* report);

// The error of a scan beyond ScanOptions::max_memory.
absl::Status MemoryExceeded(size_t max_memory);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_DRIVER_H_
