// Source: where the bytes or rows of a log come from. Plain or gzip is found by content, never by name.
//
// Example:
//   vpcflow::Source file = vpcflow::Source::File("flow.log.gz");
//   vpcflow::Source text = vpcflow::Source::Bytes("inline", bytes);      // borrows `bytes`
//   absl::StatusOr<std::vector<vpcflow::Source>> many = vpcflow::Source::Expand("logs/**/*.log.gz");
//
// A Source is a name and a shared SourceInterface. The kinds here are files, memory, callbacks, deferred objects and
// Arrow tables; a constructor takes others.
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
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/internal/lifetime.h"
#include "vpcflow/source/arrow_table.h"
#include "vpcflow/source/deferred.h"
#include "vpcflow/source/source_interface.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// A value: copies read the same bytes. Const members are for any number of threads at once. What a callback throws
// leaves the call that reads.
class Source {
 public:
  // Reads a part of the data into the buffer; the size it returns is 0 at the end, and `size` at most: more is
  // kInternal. It is not called again after its end or its first error. Its exceptions leave the call that
  // reads.
  using ReadFunction = std::function<absl::StatusOr<size_t>(char* buffer, size_t size)>;
  using Cancelled = vpcflow::Cancelled;
  // The same for a read that may wait long: it asks `cancelled` every 50 ms or so and returns kCancelled when that is
  // true. Without, a scan that is cancelled ends when the read in hand does.
  using WaitingReadFunction =
      std::function<absl::StatusOr<size_t>(char* buffer, size_t size, const Cancelled& cancelled)>;
  // Opens the data from its beginning. Called by several threads at once. `cancelled` is never empty, and asked as by a
  // WaitingReadFunction.
  using OpenFunction = std::function<absl::StatusOr<std::unique_ptr<ByteStream>>(const Cancelled& cancelled)>;

  Source(std::string name, std::shared_ptr<const SourceInterface> kind)
      : name_(std::move(name)), kind_(std::move(kind)) {}

  // Returns a file by its path; "-" is standard input. Opened when it is read; a file whose size or time of change is
  // another at its end than at its opening is kDataLoss there.
  static Source File(std::string path);
  // Bytes of the caller, who keeps them unchanged until the scan is over. They are not copied.
  static Source Bytes(std::string name, std::string_view data VPCFLOW_LIFETIME_BOUND);
  template <internal::TemporaryText Temporary>
  static Source Bytes(std::string name, Temporary&& data) = delete;  // the source would outlive its bytes
  // Returns the same, kept by the source.
  static Source Bytes(std::string name, OwnedBytes data);
  // Returns anything that can be read once, e.g. a socket; called by one thread at a time, not always the same.
  static Source Stream(std::string name, ReadFunction read);
  static Source Stream(std::string name, WaitingReadFunction read);
  // Returns anything that can be read again and again from its beginning.
  static Source Reopened(std::string name, OpenFunction open);
  // Returns an object that a fetcher hands over as a whole (see deferred.h). `size` is 0 if it is not known; `identity`
  // is such as an ETag.
  static Source Deferred(std::string name, size_t size, FetchFunction fetch, std::string identity = {});

  // Rows of Arrow tables. A stream is taken, and read by one scan; a function opens the table for each scan anew.
  // Columns are named as those of CSV; of two columns of one field AWS's own name wins, with a warning. Accepted per
  // column: integers of any width, floats, decimals, texts (utf8, binary, their large and view forms), dictionaries of
  // those; timestamps and dates for times. Their values are those of text: ordinary spellings of other tools are
  // understood, NaN is null, and numbers without fraction are whole. Columns of other names are left alone, but where a
  // plan names them. A value that its field cannot have is a reject; its line is the row, from 1. Rows that are null as
  // a whole are no records.
  //
  // What comes through the C interface is checked, batch by batch, before a value of it is read: kDataLoss for damage,
  // kInvalidArgument for columns that make no flow record, or one that is read and whose type does not hold its field,
  // kUnavailable for a stream that fails. What stands before the error is read.
  static Source Arrow(std::string name, ArrowArrayStream* stream);
  static Source Arrow(std::string name, ArrowOpenFunction open);
  // Returns a table as a source. `stored`, if given, has the bytes that the table is made from, such as a Parquet file:
  // size, identity and Open are its.
  static Source Arrow(std::string name, std::shared_ptr<const ArrowTable> table,
                      std::shared_ptr<const SourceInterface> stored = nullptr);

  // Returns the sources of a path: the file itself; the logs in a folder, recursively; or what a pattern (*, ?, [a-z],
  // and ** for any folders) matches. Sorted by path. kNotFound names a path without any.
  //
  // In a folder, files ending in .log, .gz, .zst, .parquet, .ndjson, .jsonl, .csv or .txt are taken as they are; of
  // others the first 4 KiB, unpacked, tell whether they hold records. Not taken are hidden files, manifests and
  // checksums, objects that AWS's paths and names give to other services (CloudTrail, Config, load balancers, ...), and
  // folders behind symbolic links. Files left out, or unreadable, are reported in one line that is added to *notes.
  static absl::StatusOr<std::vector<Source>> Expand(const std::string& path, std::vector<std::string>* notes = nullptr);

  const std::string& name() const& { return name_; }
  const std::string& name() const&& = delete;
  // Returns the bytes, if they are in memory.
  std::string_view bytes() const { return kind_->bytes().value_or(std::string_view()); }
  bool in_memory() const { return kind_->bytes().has_value(); }
  // Returns whether it is a path of the file system, and not standard input.
  bool is_file() const { return kind_->is_file(); }
  // Returns the size in bytes as stored, or 0 if it is not known before reading.
  size_t size() const { return kind_->size(); }
  // Returns what changes when the bytes do: of files path, size and time of change. Empty if nothing is known.
  std::string identity() const { return kind_->identity(); }

  // Reads up to `size` bytes of a source that can be read only once (streams, standard input, pipes) now, unless that
  // was done before, and keeps them for the first Open. If it is open already, its beginning is kept as it is read.
  // Does nothing for others.
  absl::Status KeepFirst(size_t size, const Cancelled& cancelled = nullptr) const {
    return kind_->KeepFirst(size, cancelled);
  }
  // Returns the kept beginning of a source that can be read only once, if it is known to be one.
  std::optional<std::string> kept() const { return kind_->kept(); }

  // Opens it, without unpacking. A source that can be read only once gives its bytes to the first Open; every later one
  // is kUnavailable. A deferred source is fetched, which takes its time.
  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& cancelled) const { return kind_->Open(cancelled); }

  // Returns the kind, for the engine and for those who wrap it.
  const std::shared_ptr<const SourceInterface>& kind() const& { return kind_; }
  const std::shared_ptr<const SourceInterface>& kind() const&& = delete;

 private:
  std::string name_;
  std::shared_ptr<const SourceInterface> kind_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_SOURCE_H_
