#include "src/source/stream_source.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/source/read_once.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// A callback's bytes: never more than was asked for, and nothing behind the first end or error.
class CallbackStream final : public ByteStream {
 public:
  CallbackStream(std::string name, Source::WaitingReadFunction read, Cancelled cancelled)
      : name_(std::move(name)), read_(std::move(read)), cancelled_(std::move(cancelled)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (ended_.has_value()) return *ended_;
    if (cancelled_()) return absl::CancelledError(absl::StrCat(name_, ": cancelled"));
    ended_ = absl::UnavailableError(absl::StrCat(name_, ": an earlier read of this stream threw an exception"));
    absl::StatusOr<size_t> n = read_(buffer, size, cancelled_);
    if (n.ok() && *n > size) {
      n = absl::InternalError(absl::StrCat(name_, ": the stream's read function returned ", *n, " bytes; at most the ",
                                           size, " that it was asked for are allowed"));
    }
    const bool goes_on = n.ok() ? *n > 0 : absl::IsCancelled(n.status());
    ended_ = goes_on ? std::nullopt : std::optional(n);
    return n;
  }

 private:
  std::string name_;
  Source::WaitingReadFunction read_;
  Cancelled cancelled_;
  std::optional<absl::StatusOr<size_t>> ended_;
};

class StreamSource final : public SourceInterface {
 public:
  StreamSource(std::string name, Source::OpenFunction open, bool once)
      : name_(std::move(name)), open_(std::move(open)), once_(once ? std::make_shared<ReadOnce>() : nullptr) {}

  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& cancelled) const override {
    const Cancelled asked = cancelled ? cancelled : [] { return false; };
    return once_ == nullptr ? open_(asked) : once_->Take(name_, asked, open_);
  }
  absl::Status KeepFirst(size_t size, const Cancelled& cancelled) const override {
    return once_ == nullptr ? absl::OkStatus() : once_->Keep(size, cancelled, open_);
  }
  std::optional<std::string> kept() const override { return once_ == nullptr ? std::nullopt : once_->kept(); }

 private:
  const std::string name_;
  const Source::OpenFunction open_;
  const std::shared_ptr<ReadOnce> once_;  // null for what can be read again
};

}  // namespace

std::shared_ptr<const SourceInterface> MakeStreamSource(std::string name, Source::OpenFunction open, bool once) {
  return std::make_shared<const StreamSource>(std::move(name), std::move(open), once);
}

std::unique_ptr<ByteStream> MakeCallbackStream(std::string name, Source::WaitingReadFunction read,
                                               Cancelled cancelled) {
  return std::make_unique<CallbackStream>(std::move(name), std::move(read), std::move(cancelled));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
