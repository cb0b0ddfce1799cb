#include "src/source/read_once.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr auto kStep = std::chrono::milliseconds(50);
constexpr size_t kBeginning = size_t{64} * 1024;  // kept of a stream that nobody looked at before it was read

absl::Status WasCancelled() { return absl::CancelledError("the scan was cancelled"); }

}  // namespace

// What was kept, then the rest, of which the beginning is kept on.
class ReadOnce::Taken final : public ByteStream {
 public:
  explicit Taken(std::shared_ptr<ReadOnce> of) : of_(std::move(of)), keeps_(!of_->looked_), prefix_(of_->kept_) {}
  ~Taken() override {
    of_->rest_ = nullptr;
    of_->cancelled_ = nullptr;
  }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (at_ < prefix_.size()) {
      const size_t n = std::min(size, prefix_.size() - at_);
      std::memcpy(buffer, prefix_.data() + at_, n);
      at_ += n;
      return n;
    }
    absl::StatusOr<size_t> n = of_->rest_->Read(buffer, size);
    if (keeps_ && n.ok()) Keep({buffer, *n});
    return n;
  }

 private:
  void Keep(std::string_view read) {
    const std::lock_guard lock(of_->mutex_);
    of_->kept_.append(read.substr(0, kBeginning - of_->kept_.size()));
    keeps_ = of_->kept_.size() < kBeginning;
  }

  std::shared_ptr<ReadOnce> of_;
  bool keeps_;
  std::string prefix_;
  size_t at_ = 0;
};

bool ReadOnce::Wait(std::unique_lock<std::mutex>* lock, const Source::Cancelled& cancelled) {
  while (busy_) {
    changed_.wait_for(*lock, kStep);
    lock->unlock();
    const bool ends = cancelled && cancelled();
    lock->lock();
    if (ends) return false;
  }
  return true;
}

absl::Status ReadOnce::Open(OpenStream open) {
  if (rest_ != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = open([this] { return Cancelled(); });
  if (!stream.ok()) return stream.status();
  rest_ = *std::move(stream);
  begun_ = rest_ != nullptr;
  return absl::OkStatus();
}

absl::Status ReadOnce::Keep(size_t size, const Source::Cancelled& cancelled, OpenStream open) {
  std::unique_lock lock(mutex_);
  if (!Wait(&lock, cancelled)) return WasCancelled();
  if (taken_ || looked_) return absl::OkStatus();
  busy_ = true;
  std::string kept = std::move(kept_);
  lock.unlock();
  size_t have = kept.size();
  bool whole = false;
  const absl::Cleanup done = [&] {
    cancelled_ = nullptr;
    lock.lock();
    kept.resize(have);
    kept_ = std::move(kept);
    looked_ = whole;
    busy_ = false;
    changed_.notify_all();
  };
  cancelled_ = cancelled;
  if (absl::Status s = Open(open); !s.ok() || rest_ == nullptr) return s;
  kept.resize(std::max(have, size));
  while (have < size) {
    absl::StatusOr<size_t> n = rest_->Read(kept.data() + have, size - have);
    if (!n.ok()) return n.status();
    if (*n == 0) break;
    have += *n;
  }
  whole = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ByteStream>> ReadOnce::Take(const std::string& name, Source::Cancelled cancelled,
                                                           OpenStream open) {
  std::unique_lock lock(mutex_);
  if (!Wait(&lock, cancelled)) return WasCancelled();
  if (taken_)
    return absl::UnavailableError(
        absl::StrCat(name, ": this stream was already read; read it into bytes, or scan it once"));
  cancelled_ = std::move(cancelled);
  if (absl::Status s = Open(open); !s.ok()) {
    cancelled_ = nullptr;
    return s;
  }
  taken_ = true;
  return std::make_unique<Taken>(shared_from_this());
}

std::optional<std::string> ReadOnce::kept() const {
  const std::lock_guard lock(mutex_);
  return begun_ ? std::optional(kept_) : std::nullopt;
}

std::shared_ptr<ReadOnce> StandardInput() {
  static std::mutex mutex;
  static std::shared_ptr<ReadOnce> state;
  static dev_t device;
  static ino_t number;
  struct stat info {};
  const bool known = fstat(STDIN_FILENO, &info) == 0;
  const std::lock_guard lock(mutex);
  bool same = state != nullptr && info.st_dev == device && info.st_ino == number;
  // A file at its beginning that nobody reads was not read: it has the number of an earlier one.
  if (same && known && S_ISREG(info.st_mode) && state.use_count() == 1 && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
    same = false;
  if (!same) {
    state = std::make_shared<ReadOnce>();
    device = info.st_dev;
    number = info.st_ino;
  }
  return state;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
