// CappedStream: a stream that fails behind so many bytes: what a bomb of packed data may unpack to.
#ifndef VPCFLOW_SRC_SOURCE_CAPPED_STREAM_H_
#define VPCFLOW_SRC_SOURCE_CAPPED_STREAM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

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

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_CAPPED_STREAM_H_
