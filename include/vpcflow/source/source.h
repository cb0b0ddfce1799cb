// Source: where the bytes of a log come from. Plain or gzip is found by content, never by name.
//
//   vpcflow::Source file = vpcflow::Source::File("flow.log.gz");
//   vpcflow::Source text = vpcflow::Source::Bytes("inline", bytes);      // borrows `bytes`
//   absl::StatusOr<std::vector<vpcflow::Source>> many = vpcflow::Source::Expand("logs/**/*.log.gz");
#ifndef VPCFLOW_SOURCE_SOURCE_H_
#define VPCFLOW_SOURCE_SOURCE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

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

class Source {
 public:
  // Reads a part of the data into the buffer; the size it returns is 0 at the end.
  using ReadFunction = std::function<absl::StatusOr<size_t>(char* buffer, size_t size)>;
  // Asked while a read waits; true ends it with kCancelled.
  using Cancelled = std::function<bool()>;

  // A file by its path; "-" is standard input. Opened when it is read; a file whose size or time of change is another
  // at its end than at its opening is kDataLoss there.
  static Source File(std::string path);
  // Bytes of the caller, who keeps them unchanged until the scan is over. They are not copied.
  static Source Bytes(std::string name, std::string_view data VPCFLOW_LIFETIME_BOUND);
  template <std::same_as<std::string> Temporary>
  static Source Bytes(std::string name, Temporary&& data) = delete;  // the source would outlive its bytes
  // Anything that can be read; called by one thread at a time, not always the same.
  static Source Stream(std::string name, ReadFunction read);  // e.g. a socket, or a Python file object

  // The sources of a path: the file itself; the logs in a folder, recursively; or what a pattern (*, ?, [a-z], and **
  // for any folders) matches. Sorted by path. In a folder, files ending in .log, .gz, .zst, .parquet, .ndjson, .jsonl,
  // .csv or .txt are taken, and hidden ones are not. kNotFound names a path without any.
  static absl::StatusOr<std::vector<Source>> Expand(const std::string& path);

  const std::string& name() const { return name_; }
  // The bytes, if they are in memory.
  std::string_view bytes() const { return bytes_; }
  bool in_memory() const { return in_memory_; }
  // Whether it is a path of the file system, and not standard input.
  bool is_file() const { return !in_memory_ && !read_ && name_ != "-"; }
  // Size in bytes as stored, or 0 if it is not known before reading.
  size_t size() const;

  // For sources that can be read only once (streams, standard input, pipes): reads up to `size` bytes now and keeps
  // them for the next Open. Nothing to do for others.
  absl::Status KeepFirst(size_t size);
  // What KeepFirst kept, or null.
  const std::string* kept() const { return kept_.get(); }

  // Opens it, without unpacking. A source that can be read only once gives its bytes to the first Open.
  absl::StatusOr<std::unique_ptr<ByteStream>> Open(Cancelled cancelled) const;

 private:
  std::string name_;
  std::string_view bytes_;
  bool in_memory_ = false;
  ReadFunction read_;
  std::shared_ptr<std::string> kept_;  // by KeepFirst; shared by copies, as the stream behind it is
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_SOURCE_H_
