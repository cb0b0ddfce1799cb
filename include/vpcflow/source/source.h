// Source: where the bytes of a log come from. Plain or gzip is found by content, never by name.
//
// Example:
//   vpcflow::Source file = vpcflow::Source::File("flow.log.gz");
//   vpcflow::Source text = vpcflow::Source::Bytes("inline", bytes);      // borrows `bytes`
//   absl::StatusOr<std::vector<vpcflow::Source>> many = vpcflow::Source::Expand("logs/**/*.log.gz");
//
// Standard input, pipes and streams can be read once: the first Open gets their bytes, and every later one, of the
// source or of a copy, is kUnavailable. Looking at their beginning (PeekFormats) is no reading.
//
// Thread safety: everything const may be called by several threads at once, on copies too.
#ifndef VPCFLOW_SOURCE_SOURCE_H_
#define VPCFLOW_SOURCE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/base/lifetime.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
class ReadOnce;
}  // namespace internal

// Bytes by their place. ReadAt returns how many it wrote to `buffer` (at most `size`), 0 at the end. Several threads at
// once.
class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  virtual absl::StatusOr<size_t> ReadAt(uint64_t place, char* buffer, size_t size) = 0;
};

// Bytes in order. Read returns how many it wrote to `buffer` (at most `size`), 0 at the end. One thread at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size) = 0;
  // The same bytes, of which the stream's first is at place 0, or null if they are to be had in order only, be it up to
  // here or all of them. It lives as long as the stream; where one reads does not move the other.
  virtual RandomAccess* random_access() { return nullptr; }
};

// A value: copies read the same bytes. Const members are for any number of threads at once. What a callback throws
// leaves the call that reads.
class Source {
 public:
  // Reads a part of the data into the buffer; the size it returns is 0 at the end, and `size` at most: more is
  // kInternal. It is not called again after its end or its first error. What it throws is thrown by the call that
  // reads.
  using ReadFunction = std::function<absl::StatusOr<size_t>(char* buffer, size_t size)>;
  // Asked while a read waits; true ends it with kCancelled.
  using Cancelled = std::function<bool()>;
  // The same for a read that may wait long: it asks `cancelled` every 50 ms or so and returns kCancelled when that is
  // true. Without, a scan that is cancelled ends when the read in hand does.
  using WaitingReadFunction =
      std::function<absl::StatusOr<size_t>(char* buffer, size_t size, const Cancelled& cancelled)>;
  // Opens the data from its beginning. Called by several threads at once. `cancelled` is never empty, and asked as by a
  // WaitingReadFunction.
  using OpenFunction = std::function<absl::StatusOr<std::unique_ptr<ByteStream>>(const Cancelled& cancelled)>;

  // A file by its path; "-" is standard input. Opened when it is read; a file whose size or time of change is another
  // at its end than at its opening is kDataLoss there.
  static Source File(std::string path);
  // Bytes of the caller, who keeps them unchanged until the scan is over. They are not copied.
  static Source Bytes(std::string name, std::string_view data VPCFLOW_LIFETIME_BOUND);
  template <internal::TemporaryText Temporary>
  static Source Bytes(std::string name, Temporary&& data) = delete;  // the source would outlive its bytes
  // Anything that can be read once, e.g. a socket; called by one thread at a time, not always the same.
  static Source Stream(std::string name, ReadFunction read);
  static Source Stream(std::string name, WaitingReadFunction read);
  // Anything that can be read again and again from its beginning.
  static Source Reopened(std::string name, OpenFunction open);

  // The sources of a path: the file itself; the logs in a folder, recursively; or what a pattern (*, ?, [a-z], and **
  // for any folders) matches. Sorted by path. kNotFound names a path without any.
  //
  // In a folder, files ending in .log, .gz, .zst, .parquet, .ndjson, .jsonl, .csv or .txt are taken as they are; of
  // others the first 4 KiB, unpacked, tell whether they hold records. Not taken are hidden files, manifests and
  // checksums, objects that AWS's paths and names give to other services (CloudTrail, Config, load balancers, ...), and
  // folders behind symbolic links. What is not taken, or cannot be read, is told in one line that is added to *notes.
  static absl::StatusOr<std::vector<Source>> Expand(const std::string& path, std::vector<std::string>* notes = nullptr);

  const std::string& name() const& { return name_; }
  const std::string& name() const&& = delete;
  // The bytes, if they are in memory.
  std::string_view bytes() const { return bytes_; }
  bool in_memory() const { return in_memory_; }
  // Whether it is a path of the file system, and not standard input.
  bool is_file() const { return !in_memory_ && !open_ && name_ != "-"; }
  // Size in bytes as stored, or 0 if it is not known before reading.
  size_t size() const;

  // For sources that can be read only once (streams, standard input, pipes): reads up to `size` bytes now, unless that
  // was done before, and keeps them for the first Open. Of what was opened already, the beginning is kept as it is
  // read. Nothing to do for others.
  absl::Status KeepFirst(size_t size, const Cancelled& cancelled = nullptr) const;
  // What is kept of a source that can be read only once, as far as it is known to be one.
  std::optional<std::string> kept() const;

  // Opens it, without unpacking. A source that can be read only once gives its bytes to the first Open; every later one
  // is kUnavailable.
  absl::StatusOr<std::unique_ptr<ByteStream>> Open(Cancelled cancelled) const;

 private:
  absl::StatusOr<std::unique_ptr<ByteStream>> OpenFile(Cancelled cancelled, bool* once) const;
  std::shared_ptr<internal::ReadOnce> once() const;

  std::string name_;
  std::string_view bytes_;
  bool in_memory_ = false;
  OpenFunction open_;                         // of neither file nor memory
  std::shared_ptr<internal::ReadOnce> once_;  // of what may be readable once only; shared by copies
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_SOURCE_H_
