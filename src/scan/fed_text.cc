#include "src/scan/fed_text.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "src/source/more_to_come.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What was fed and is not read yet.
struct FedText::Bytes {
  // Source and stream of them.
  class Stream;
  class Kind;

  std::string kept;
  std::string_view unread;  // first of `kept`, then the caller's, while it feeds them
  bool ended = false;
};

class FedText::Bytes::Stream final : public ByteStream {
 public:
  explicit Stream(std::shared_ptr<Bytes> bytes) : bytes_(std::move(bytes)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    Bytes& from = *bytes_;
    if (from.unread.empty() && !from.ended) return MoreToCome();
    const size_t n = std::min(size, from.unread.size());
    if (n > 0) std::memcpy(buffer, from.unread.data(), n);
    from.unread.remove_prefix(n);
    return n;
  }

 private:
  const std::shared_ptr<Bytes> bytes_;
};

class FedText::Bytes::Kind final : public SourceInterface {
 public:
  explicit Kind(std::shared_ptr<Bytes> bytes) : bytes_(std::move(bytes)) {}
  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& /*cancelled*/) const override {
    return std::make_unique<Stream>(bytes_);
  }

 private:
  const std::shared_ptr<Bytes> bytes_;
};

FedText::FedText(std::string name, const ScanOptions& options)
    : options_(options),
      bytes_(std::make_shared<Bytes>()),
      text_(Source(std::move(name), std::make_shared<const Bytes::Kind>(bytes_)), 0, options, /*shared=*/false,
            nullptr) {
  text_.UnwrapJson();
}

absl::Status FedText::Add(std::string_view bytes, Report* report, OnBlock on_block) {
  if (ended_ || bytes.empty()) return absl::OkStatus();
  all_read_ = false;
  std::string& kept = bytes_->kept;
  if (kept.size() + bytes.size() < options_.block_bytes) {
    kept.append(bytes);
    return absl::OkStatus();
  }
  bytes_->unread = kept;
  if (absl::Status s = ReadBlocks(report, on_block); !s.ok()) return s;
  kept.clear();
  bytes_->unread = bytes;
  return ReadBlocks(report, on_block);
}

absl::Status FedText::ReadAll(bool last, Report* report, OnBlock on_block) {
  if (ended_ || (all_read_ && !last)) return absl::OkStatus();
  all_read_ = true;
  bytes_->unread = bytes_->kept;
  bytes_->ended = last;
  text_.TakeShortBlocks(!last);
  absl::Status status = ReadBlocks(report, on_block);
  text_.TakeShortBlocks(false);
  bytes_->kept.clear();
  ended_ |= last;
  return status;
}

absl::Status FedText::ReadBlocks(Report* report, OnBlock on_block) {
  while (!ended_) {
    const absl::StatusOr<bool> more = text_.Next(&block_, report);
    if (IsMoreToCome(more.status())) return absl::OkStatus();
    ended_ = !more.ok() || !*more;
    if (!more.ok()) return more.status();
    if (ended_) break;
    ended_ = true;  // also by an exception
    ended_ = !on_block(block_);
  }
  return absl::OkStatus();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
