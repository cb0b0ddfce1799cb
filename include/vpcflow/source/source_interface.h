// SourceInterface: a kind of source. Implement it to read from a place that vpcflow does not know.
//
// Example:
//   class Socket final : public vpcflow::SourceInterface {
//    public:
//     absl::StatusOr<std::unique_ptr<vpcflow::ByteStream>> Open(const vpcflow::Cancelled& cancelled) const override;
//   };
//   const vpcflow::Source source("socket", std::make_shared<const Socket>());
#ifndef VPCFLOW_SOURCE_SOURCE_INTERFACE_H_
#define VPCFLOW_SOURCE_SOURCE_INTERFACE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

class ArrowTable;
namespace internal {
class Fetch;
}  // namespace internal

// Asked while a read waits; true ends it with kCancelled.
using Cancelled = std::function<bool()>;

// Reads bytes by their offset. Several threads may call it at once.
class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  // Reads at most `size` bytes from `place` on into `buffer`. Returns how many, 0 at the end.
  virtual absl::StatusOr<size_t> ReadAt(uint64_t place, char* buffer, size_t size) = 0;
};

// Reads bytes in order. One thread at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Reads at most `size` bytes into `buffer`. Returns how many, 0 at the end.
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size) = 0;
  // Returns access by offset to the same bytes, the first of the stream at offset 0; null if they come in order only,
  // up to here or all of them. It lives as long as the stream; reads of one do not move the other.
  virtual RandomAccess* random_access() { return nullptr; }
};

// Copies of a Source share one object, and any number of threads call it.
class SourceInterface {
 public:
  virtual ~SourceInterface() = default;

  // Opens the bytes as they are stored, from the beginning. `cancelled` may be empty.
  virtual absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& cancelled) const = 0;
  // Returns the size as stored, in bytes; 0 if it is not known before reading.
  virtual size_t size() const { return 0; }
  // Returns what changes when the bytes do, such as path, size and time of change, or an ETag; empty if nothing is
  // known.
  virtual std::string identity() const { return {}; }
  // Returns the bytes if they are in memory. They stay as long as this object does.
  virtual std::optional<std::string_view> bytes() const { return std::nullopt; }
  // Tells whether it is a path of the file system.
  virtual bool is_file() const { return false; }

  // As Source::KeepFirst and Source::kept: for sources that can be read only once.
  virtual absl::Status KeepFirst(size_t /*size*/, const Cancelled& /*cancelled*/) const { return absl::OkStatus(); }
  virtual std::optional<std::string> kept() const { return std::nullopt; }

  // Begins to fetch the bytes of a deferred source, and calls `wake` when they are there; null for other kinds.
  virtual std::shared_ptr<internal::Fetch> BeginFetch(std::function<void()> /*wake*/) const { return nullptr; }
  // Tells whether bytes come by BeginFetch.
  virtual bool deferred() const { return false; }
  // Returns the table that a source of rows reads; null for sources of bytes.
  virtual const ArrowTable* table() const { return nullptr; }
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_SOURCE_INTERFACE_H_
