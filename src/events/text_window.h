// TextWindow: a part of a text that comes in order; it grows at its end and is dropped at its beginning.
#ifndef VPCFLOW_SRC_EVENTS_TEXT_WINDOW_H_
#define VPCFLOW_SRC_EVENTS_TEXT_WINDOW_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "vpcflow/source/source_interface.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class TextWindow {
 public:
  static constexpr size_t kPadding = 64;  // readable bytes behind the text, as simdjson needs them

  explicit TextWindow(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)), bytes_(kStep + kPadding) {}

  const char* data() const { return bytes_.data() + begin_; }
  size_t size() const { return end_ - begin_; }
  // Of the text, where the window begins.
  uint64_t offset() const { return offset_; }
  // Why the text ended, if that was no end.
  const absl::Status& error() const { return error_; }

  void Drop(size_t n) {
    begin_ += n;
    offset_ += n;
  }

  // Reads on. False at the end of the text, whose error tells why. data() may move.
  bool More() {
    if (done_) return false;
    if (bytes_.size() < end_ + kStep + kPadding) {
      std::memmove(bytes_.data(), data(), size());
      end_ -= std::exchange(begin_, 0);
      if (bytes_.size() < end_ + kStep + kPadding) bytes_.resize(std::max(bytes_.size() * 2, end_ + kStep + kPadding));
    }
    absl::StatusOr<size_t> n = stream_->Read(bytes_.data() + end_, kStep);
    done_ = !n.ok() || *n == 0;
    if (!n.ok()) error_ = n.status();
    end_ += n.ok() ? *n : 0;
    std::memset(bytes_.data() + end_, 0, kPadding);
    return !done_;
  }

 private:
  static constexpr size_t kStep = size_t{128} << 10;

  std::unique_ptr<ByteStream> stream_;
  std::vector<char> bytes_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;
  bool done_ = false;
  absl::Status error_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_TEXT_WINDOW_H_
