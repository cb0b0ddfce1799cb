#include "src/scan/driver.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);

class Driver {
 public:
  Driver(const std::vector<Source>& sources, const ScanOptions& options, const TableReads& reads, size_t workers,
         bool in_order)
      : options_(options),
        queue_(
            sources, options, reads, /*shared=*/workers > 1, in_order, [this] { return stop_.load(); },
            &stored_bytes_) {
    progress_.total_sources = sources.size();
    if (!options.poll) return;
    for (const Source& source : sources) progress_.total += source.size();
  }

  // One worker's life.
  void Work(BlockHandler* handler, Report* report) {
    try {
      ResolvedBlock block;
      std::shared_ptr<ScannedSource> current;
      size_t kept_bytes = 0;
      while (!stop_ && (current = Claim(std::move(current))) != nullptr) {
        while (!stop_) {
          absl::StatusOr<bool> more = current->Next(&block, report);
          if (!more.ok()) AddError(current.get(), more.status());
          if (!more.ok() || !*more) break;
          if (!handler->OnBlock(block)) stop_ = true;
          if (options_.max_memory > 0) CheckMemory(*handler, &kept_bytes);
        }
      }
    } catch (const std::bad_alloc&) {
      std::lock_guard lock(mutex_);
      fatal_ = absl::ResourceExhaustedError("out of memory; use fewer keys or a filter");
      stop_ = true;
    } catch (...) {
      Throw(std::current_exception());
    }
    std::lock_guard lock(mutex_);
    ++ended_;
    changed_.notify_all();
  }

  // Waits for the workers in the calling thread, polling.
  void Wait(size_t workers) {
    std::unique_lock lock(mutex_);
    while (ended_ < workers) {
      changed_.wait_for(lock, kPollInterval, [&] { return ended_ == workers; });
      if (ended_ == workers || stop_) continue;
      Progress progress = progress_;
      progress.bytes = stored_bytes_;
      lock.unlock();
      try {
        if (!options_.poll(progress)) stop_ = cancelled_ = true;
      } catch (...) {
        Throw(std::current_exception());
      }
      lock.lock();
    }
  }

  // Throws what the caller's own code threw in some thread.
  absl::Status Finish(Report* report) {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    report->Merge(std::move(opening_));
    // A block that no format fits is an error before the one that ends its source, whichever thread was first.
    const auto ends_source = [](const auto& error) {
      const ErrorKind kind = ErrorKindOf(error.second);
      return kind == ErrorKind::kDamaged || kind == ErrorKind::kSource;
    };
    const auto place = [&](const auto& error) { return std::pair(error.first, ends_source(error)); };
    std::stable_sort(errors_.begin(), errors_.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    const auto is_behind = [&](const auto& a, const auto& b) {
      return a.first == b.first && !ends_source(a) && ends_source(b);
    };
    errors_.erase(std::unique(errors_.begin(), errors_.end(), is_behind), errors_.end());
    for (auto& [number, status] : errors_) report->errors.push_back(std::move(status));
    if (cancelled_) return absl::CancelledError("the scan was cancelled");
    return fatal_;
  }

 private:
  struct Active {
    std::shared_ptr<ScannedSource> source;
    int workers;
  };

  // `kept` is what the handler's memory was before.
  void CheckMemory(const BlockHandler& handler, size_t* kept) {
    const size_t now = handler.bytes();
    const size_t all = kept_bytes_ += now - *kept;
    *kept = now;
    if (all <= options_.max_memory) return;
    std::lock_guard lock(mutex_);
    fatal_ = MemoryExceeded(options_.max_memory);
    stop_ = true;
  }

  // A source to work on next: one nobody has begun, else one that others are still reading; null if all are read.
  // Waits only if all that is left is still to come.
  std::shared_ptr<ScannedSource> Claim(std::shared_ptr<ScannedSource> done) {
    if (done != nullptr) End(done.get());
    done = nullptr;  // with the bytes it holds
    while (!stop_) {
      const uint64_t seen = queue_.arrivals().count();
      std::shared_ptr<ScannedSource> begun;
      const SourceQueue::Got got = Begin(&begun);
      if (begun == nullptr) begun = Join();
      if (begun != nullptr || got != SourceQueue::Got::kWait) return begun;
      queue_.arrivals().WaitBeyond(seen);
    }
    return nullptr;
  }

  // A source that others are reading; null if there is none.
  std::shared_ptr<ScannedSource> Join() {
    std::lock_guard lock(mutex_);
    if (active_.empty()) return nullptr;
    Active& least = *std::min_element(active_.begin(), active_.end(),
                                      [](const Active& a, const Active& b) { return a.workers < b.workers; });
    ++least.workers;
    return least.source;
  }

  void End(const ScannedSource* done) {
    std::lock_guard lock(mutex_);
    const auto it =
        std::find_if(active_.begin(), active_.end(), [&](const Active& a) { return a.source.get() == done; });
    if (it == active_.end()) return;
    progress_.sources += done->ends_source() ? 1 : 0;
    active_.erase(it);
  }

  // One after the other, so that of sources with the same bytes the first is read, whatever the threads.
  SourceQueue::Got Begin(std::shared_ptr<ScannedSource>* out) {
    std::lock_guard opening(opening_mutex_);
    const uint64_t left_out = opening_.duplicates;
    std::unique_ptr<ScannedSource> source;
    const SourceQueue::Got got = queue_.Next(&opening_, &source);
    *out = std::move(source);
    std::lock_guard lock(mutex_);
    progress_.sources += opening_.duplicates - left_out;
    if (*out != nullptr) active_.push_back({*out, 1});
    return got;
  }

  void Throw(std::exception_ptr thrown) {
    std::lock_guard lock(mutex_);
    thrown_ = std::move(thrown);
    stop_ = true;
  }

  void AddError(const ScannedSource* source, absl::Status status) {
    std::lock_guard lock(mutex_);
    if (stop_ && absl::IsCancelled(status)) return;
    errors_.emplace_back(source->number(), WithSource(std::move(status), source->name()));
  }

  const ScanOptions& options_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> cancelled_ = false;
  std::atomic<uint64_t> stored_bytes_ = 0;
  std::atomic<size_t> kept_bytes_ = 0;
  std::mutex opening_mutex_;
  SourceQueue queue_;  // guarded by opening_mutex_
  Report opening_;     // guarded by opening_mutex_
  std::mutex mutex_;   // guards what follows
  std::condition_variable changed_;
  std::vector<Active> active_;
  std::vector<std::pair<uint32_t, absl::Status>> errors_;
  absl::Status fatal_;
  std::exception_ptr thrown_;
  Progress progress_;
  size_t ended_ = 0;
};

}  // namespace

absl::Status MemoryExceeded(size_t max_memory) {
  return absl::ResourceExhaustedError(
      absl::StrCat("groups and rows take more than max_memory, ", max_memory,
                   " bytes; use fewer or coarser keys, a filter, wider time bins or fewer columns, or a higher limit"));
}

absl::StatusOr<std::vector<std::unique_ptr<BlockHandler>>> RunScan(const std::vector<Source>& sources,
                                                                   const ScanOptions& options, const TableReads& reads,
                                                                   bool in_order, const HandlerFactory& make_handler,
                                                                   Report* report) {
  size_t workers = options.threads > 0 ? static_cast<size_t>(options.threads)
                                       : std::max<size_t>(1, std::thread::hardware_concurrency());
  in_order |= options.on_error == OnError::kStop;  // the first reject of the input, not of some thread
  if (in_order) workers = 1;
  Driver driver(sources, options, reads, workers, in_order);
  std::vector<std::unique_ptr<BlockHandler>> handlers;
  std::vector<Report> reports(workers);
  for (Report& part : reports) handlers.push_back(make_handler(&part));
  std::vector<std::thread> threads;
  threads.reserve(workers);
  while (threads.size() < workers && (workers > 1 || options.poll)) {
    try {
      const size_t i = threads.size();
      threads.emplace_back([&, i] { driver.Work(handlers[i].get(), &reports[i]); });
    } catch (const std::exception&) {
      break;  // a limit of threads or memory: those that are there take all the blocks
    }
  }
  if (threads.empty()) driver.Work(handlers[0].get(), &reports[0]);
  if (options.poll && !threads.empty()) driver.Wait(threads.size());
  for (std::thread& thread : threads) thread.join();
  for (Report& part : reports) report->Merge(std::move(part));
  if (absl::Status s = driver.Finish(report); !s.ok()) return s;
  return handlers;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
