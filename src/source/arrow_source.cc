#include "src/source/arrow_source.h"

#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class ArrowSource final : public SourceInterface {
 public:
  ArrowSource(std::string name, std::shared_ptr<const ArrowTable> table, std::shared_ptr<const SourceInterface> stored)
      : name_(std::move(name)), table_(std::move(table)), stored_(std::move(stored)) {}

  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& cancelled) const override {
    if (stored_ != nullptr) return stored_->Open(cancelled);
    return absl::FailedPreconditionError(absl::StrCat(name_, ": an Arrow table has rows, and no bytes to open"));
  }
  size_t size() const override { return stored_ == nullptr ? 0 : stored_->size(); }
  std::string identity() const override { return stored_ == nullptr ? "" : stored_->identity(); }
  bool is_file() const override { return stored_ != nullptr && stored_->is_file(); }
  const ArrowTable* table() const override { return table_.get(); }

 private:
  const std::string name_;
  const std::shared_ptr<const ArrowTable> table_;
  const std::shared_ptr<const SourceInterface> stored_;
};

// A stream that somebody handed over: the first scan gets it.
class OnceTable final : public ArrowTable {
 public:
  explicit OnceTable(ArrowArrayStream* stream) { std::swap(stream_, *stream); }
  ~OnceTable() override {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }
  OnceTable(const OnceTable&) = delete;
  OnceTable& operator=(const OnceTable&) = delete;

  absl::Status Open(const ArrowRequest& /*request*/, ArrowArrayStream* out) const override {
    const std::lock_guard lock(mutex_);
    if (stream_.release == nullptr) return absl::UnavailableError("this Arrow stream was already consumed");
    *out = std::exchange(stream_, ArrowArrayStream{});
    return absl::OkStatus();
  }

 private:
  mutable std::mutex mutex_;
  mutable ArrowArrayStream stream_{};  // guarded by mutex_
};

class OpenedTable final : public ArrowTable {
 public:
  explicit OpenedTable(ArrowOpenFunction open) : open_(std::move(open)) {}
  absl::Status Open(const ArrowRequest& /*request*/, ArrowArrayStream* out) const override { return open_(out); }

 private:
  const ArrowOpenFunction open_;
};

}  // namespace

std::shared_ptr<const SourceInterface> MakeArrowSource(std::string name, std::shared_ptr<const ArrowTable> table,
                                                       std::shared_ptr<const SourceInterface> stored) {
  return std::make_shared<const ArrowSource>(std::move(name), std::move(table), std::move(stored));
}

std::shared_ptr<const ArrowTable> MakeArrowTable(ArrowArrayStream* stream) {
  return std::make_shared<const OnceTable>(stream);
}

std::shared_ptr<const ArrowTable> MakeArrowTable(ArrowOpenFunction open) {
  return std::make_shared<const OpenedTable>(std::move(open));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
