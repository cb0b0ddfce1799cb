// Bytes in memory as sources, and the errors of objects that did not come.
#ifndef VPCFLOW_SRC_SOURCE_MEMORY_SOURCE_H_
#define VPCFLOW_SRC_SOURCE_MEMORY_SOURCE_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vpcflow/error/error.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Puts the name of a source before the message of an error that does not begin with it, and into its payload.
inline absl::Status WithName(const std::string& name, const absl::Status& status) {
  const std::string message(status.message());
  if (status.ok() || message.starts_with(name + ":")) return WithSource(status, name);
  return WithSource(WithMessage(status, absl::StrCat(name, ": ", message)), name);
}

// Reads bytes, and keeps their owner.
class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(OwnedBytes data) : owner_(std::move(data.owner)), data_(data.bytes) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t n = std::min(size, data_.size());
    if (n > 0) std::memcpy(buffer, data_.data(), n);
    data_.remove_prefix(n);
    return n;
  }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view data_;
};

class MemorySource final : public SourceInterface {
 public:
  explicit MemorySource(OwnedBytes data) : data_(std::move(data)) {}
  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& /*cancelled*/) const override {
    return std::make_unique<MemoryStream>(data_);
  }
  size_t size() const override { return data_.bytes.size(); }
  std::optional<std::string_view> bytes() const override { return data_.bytes; }

 private:
  const OwnedBytes data_;
};

class FailedSource final : public SourceInterface {
 public:
  // Makes a source that stands for another one, which cannot be opened. The error names it.
  static Source Of(const Source& source, const absl::Status& error) {
    return {source.name(), std::make_shared<const FailedSource>(WithName(source.name(), error))};
  }
  explicit FailedSource(absl::Status error) : error_(std::move(error)) {}
  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& /*cancelled*/) const override { return error_; }

 private:
  const absl::Status error_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_MEMORY_SOURCE_H_
