// PrefixedStream: a stream whose first bytes were already read, to look at them.
#ifndef VPCFLOW_SRC_SOURCE_PREFIXED_STREAM_H_
#define VPCFLOW_SRC_SOURCE_PREFIXED_STREAM_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class PrefixedStream final : public ByteStream {
 public:
  // `count`, if given, grows by what is read of the rest. `error`, if not OK, stands where the rest would begin.
  PrefixedStream(std::string prefix, std::unique_ptr<ByteStream> rest, std::atomic<uint64_t>* count = nullptr,
                 absl::Status error = absl::OkStatus())
      : prefix_(std::move(prefix)), rest_(std::move(rest)), count_(count), error_(std::move(error)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (at_ == prefix_.size()) {
      if (!error_.ok()) return error_;
      absl::StatusOr<size_t> read = rest_->Read(buffer, size);
      if (read.ok() && count_ != nullptr) *count_ += *read;
      return read;
    }
    const size_t n = std::min(size, prefix_.size() - at_);
    std::memcpy(buffer, prefix_.data() + at_, n);
    at_ += n;
    return n;
  }

  // Once the prefix, which is of the rest, is given. (What some is kept of, pipes and standard input, has none.)
  RandomAccess* random_access() override { return at_ == prefix_.size() ? rest_->random_access() : nullptr; }

 private:
  std::string prefix_;
  size_t at_ = 0;
  std::unique_ptr<ByteStream> rest_;
  std::atomic<uint64_t>* count_;
  absl::Status error_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_PREFIXED_STREAM_H_
