// ScannedSource: one source, or a piece of one, while it is read. Several workers may take its blocks; what depends on
// the blocks before, formats and line numbers, is settled block by block in order.
#ifndef VPCFLOW_SRC_SCAN_SCANNED_SOURCE_H_
#define VPCFLOW_SRC_SCAN_SCANNED_SOURCE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/scan/resolved_block.h"
#include "vpcflow/result/report.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class ScannedSource {
 public:
  virtual ~ScannedSource() = default;
  ScannedSource(const ScannedSource&) = delete;
  ScannedSource& operator=(const ScannedSource&) = delete;

  // Takes the next block. False at the end, or if another worker found the source unreadable. An error is returned to
  // one caller only, behind what was read before it. At MoreToCome, call it again.
  absl::StatusOr<bool> Next(ResolvedBlock* out, Report* report);

  const std::string& name() const& { return name_; }
  uint32_t number() const { return number_; }
  // False for a piece of a source that is not its last one.
  virtual bool ends_source() const { return true; }

 protected:
  ScannedSource(std::string name, uint32_t number) : name_(std::move(name)), number_(number) {}

  // Cuts the next block off. One thread at a time.
  virtual absl::StatusOr<bool> Take(ResolvedBlock* out, Report* report) = 0;
  // Does what needs no other block. Any thread. An error ends the source behind what the block has then.
  virtual absl::Status Prepare(ResolvedBlock* out) = 0;
  // Settles what depends on the blocks before. In their order, one thread at a time.
  virtual absl::Status Settle(ResolvedBlock* out, Report* report) = 0;
  // What Settle sets ends the source behind what the block has.
  absl::Status behind_;

 private:
  const std::string name_;
  const uint32_t number_;
  std::mutex read_mutex_;
  uint64_t taken_ = 0;     // guarded by read_mutex_, as what Take changes
  bool finished_ = false;  // guarded by read_mutex_
  absl::Status cut_;       // guarded by read_mutex_: what the next call returns
  bool told_ = false;      // guarded by read_mutex_: that an error was returned, or will be by cut_

  std::mutex order_mutex_;  // guards what follows, and what Settle changes
  std::condition_variable order_;
  std::atomic<uint64_t> settled_ = 0;  // blocks so far; read without the mutex, too
  bool failed_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_SCANNED_SOURCE_H_
