// What a text is wrapped in, by its beginning.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/container/containers.h"
#include "src/source/prefixed_stream.h"
#include "vpcflow/source/gzip.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr size_t kHeadBytes = 4096;

// What a gzip bomb may unpack to.
class CappedStream final : public ByteStream {
 public:
  CappedStream(std::string name, std::unique_ptr<ByteStream> stream, uint64_t most)
      : name_(std::move(name)), stream_(std::move(stream)), most_(most), left_(most) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    char beyond;
    const bool full = left_ == 0;  // whether it ends here is still to be seen
    absl::StatusOr<size_t> n = stream_->Read(full ? &beyond : buffer, full ? 1 : std::min<uint64_t>(size, left_));
    if (n.ok() && full && *n > 0)
      return absl::OutOfRangeError(
          absl::StrCat(name_, ": unpacks to more than max_output_bytes, ", most_, "; the rest of it was not read"));
    if (n.ok()) left_ -= *n;
    return n;
  }

 private:
  std::string name_;
  std::unique_ptr<ByteStream> stream_;
  uint64_t most_;
  uint64_t left_;
};

}  // namespace

absl::StatusOr<OpenedRecords> OpenRecords(const Source& source, Container wanted, Source::Cancelled cancelled,
                                          std::atomic<uint64_t>* stored_bytes, uint64_t max_output_bytes,
                                          std::unique_ptr<ByteStream> opened) {
  OpenedRecords out;
  absl::StatusOr<std::unique_ptr<ByteStream>> text =
      OpenText(source, std::move(cancelled), &out.packed, stored_bytes, std::move(opened));
  if (!text.ok()) return text.status();
  out.stream = *std::move(text);
  if (out.packed && max_output_bytes > 0)
    out.stream = std::make_unique<CappedStream>(source.name(), std::move(out.stream), max_output_bytes);
  out.container = wanted;
  if (wanted != Container::kText) {
    std::string head(kHeadBytes, '\0');
    size_t have = 0;
    absl::Status error;
    // Its first line that is not blank tells.
    while (have < head.size() &&
           internal::Begun(std::string_view(head).substr(0, have)).find('\n') == std::string_view::npos) {
      absl::StatusOr<size_t> n = out.stream->Read(head.data() + have, head.size() - have);
      if (!n.ok()) error = n.status();
      if (!n.ok() || *n == 0) break;
      have += *n;
    }
    head.resize(have);
    if (wanted == Container::kAuto) out.container = DetectContainer(head);
    if (out.container != Container::kText && head.starts_with(internal::kByteOrderMark))
      head.erase(0, internal::kByteOrderMark.size());
    out.stream =
        std::make_unique<internal::PrefixedStream>(std::move(head), std::move(out.stream), nullptr, std::move(error));
  }
  if (out.container != Container::kText) {
    std::unique_ptr<internal::UnwrapStream> unwrapped =
        internal::Unwrap(out.container, source.name(), std::move(out.stream));
    out.origins = unwrapped.get();
    out.stream = std::move(unwrapped);
  }
  return out;
}

VPCFLOW_NAMESPACE_END
