#include "src/scan/scanned_source.h"

#include <exception>

#include "src/scan/short_wait.h"
#include "src/source/more_to_come.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

absl::StatusOr<bool> ScannedSource::Next(ResolvedBlock* out, Report* report) {
  {
    const std::unique_lock lock = LockSoon(read_mutex_);
    if (!cut_.ok()) return std::exchange(cut_, absl::OkStatus());
    if (finished_) return false;
    finished_ = true;  // also by an exception: its block may have a number, and blocks behind that would wait for it
    absl::StatusOr<bool> more = Take(out, report);
    if (IsMoreToCome(more.status())) {
      finished_ = false;
      return more;
    }
    told_ = told_ || !more.ok();
    if (!more.ok() || !*more) return more;
    finished_ = false;
    out->sequence = taken_++;
  }
  out->source = number_;
  out->name = &name_;
  // Whatever happens here, the block's turn must be taken: later blocks wait for it.
  std::exception_ptr thrown;
  absl::Status cut;
  try {
    cut = Prepare(out);
  } catch (...) {
    thrown = std::current_exception();
  }
  const auto is_next = [&] { return settled_ == out->sequence; };
  SpinUntil(is_next);
  std::unique_lock lock = LockSoon(order_mutex_);
  order_.wait(lock, is_next);
  absl::Status status;
  const bool failed_before = failed_;
  failed_ = true;  // unless this block is settled
  if (!failed_before && thrown == nullptr) {
    try {
      status = Settle(out, report);
      if (cut.ok()) cut = behind_;
      failed_ = !status.ok() || !cut.ok();
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  ++settled_;
  order_.notify_all();
  if (thrown != nullptr) std::rethrow_exception(thrown);
  if (failed_before) return false;
  if (!failed_) return true;
  lock.unlock();
  std::lock_guard read_lock(read_mutex_);
  finished_ = true;
  const bool told = std::exchange(told_, true);
  if (!status.ok()) return status;  // it stands before what another thread may have told: the driver drops that
  if (told) return true;
  cut_ = std::move(cut);  // behind the lines before it
  return true;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
