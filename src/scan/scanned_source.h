// ScannedSource: one source while it is read. Several workers may take its blocks; the format and the line numbers,
// which depend on what stands before a block, are settled block by block in order.
#ifndef VPCFLOW_SRC_SCAN_SCANNED_SOURCE_H_
#define VPCFLOW_SRC_SCAN_SCANNED_SOURCE_H_

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/scan/block.h"
#include "src/source/duplicate_finder.h"
#include "vpcflow/lines/token_index.h"
#include "vpcflow/result/report.h"
#include "vpcflow/scan/options.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Lines [first, last) of a block that follow one format.
struct Segment {
  size_t first = 0;
  size_t last = 0;
  std::shared_ptr<const Format> format;
};

struct ResolvedBlock {
  uint32_t source = 0;
  const std::string* name = nullptr;
  Block block;
  TokenIndex index;
  uint64_t first_line = 1;
  bool escaped = false;           // texts of it are inner ones (container/inner_text.h)
  std::vector<Segment> segments;  // without the header lines
};

class ScannedSource {
 public:
  // `shared`: several threads will take its blocks.
  ScannedSource(const Source& source, uint32_t number, const ScanOptions& options, bool shared,
                Source::Cancelled cancelled, std::atomic<uint64_t>* stored_bytes = nullptr,
                std::unique_ptr<ByteStream> opened = nullptr);

  // The next block, with its lines indexed and its formats settled. False at the end, or if another worker found the
  // source unreadable. An error is returned to one caller only.
  absl::StatusOr<bool> Next(ResolvedBlock* out, Report* report);

  uint32_t number() const { return number_; }
  const std::string& name() const& { return name_; }
  // The format behind the blocks taken so far; null if none is known. For the only worker.
  const std::shared_ptr<const Format>& format() const { return formats_[objects_]; }

 private:
  absl::Status Resolve(ResolvedBlock* out, Report* report);
  absl::StatusOr<std::shared_ptr<const Format>> FindFormat(const ResolvedBlock& block, size_t first,
                                                           Report* report) const;
  std::shared_ptr<const Format> AnyFormat(const absl::Status& problem, Report* report);
  bool TakeHeader(const ResolvedBlock& block, size_t line, Report* report);
  void SetFormat(Format format, Report* report);

  const ScanOptions& options_;
  std::string name_;
  uint32_t number_;
  std::mutex read_mutex_;
  BlockReader reader_;     // guarded by read_mutex_
  bool finished_ = false;  // guarded by read_mutex_
  absl::Status cut_;       // guarded by read_mutex_: what the next call returns
  bool told_ = false;      // guarded by read_mutex_: that an error was returned, or will be by cut_

  std::mutex order_mutex_;  // guards what follows
  std::condition_variable order_;
  std::atomic<uint64_t> resolved_ = 0;  // blocks settled so far; read without the mutex, too
  uint64_t line_ = 1;
  bool failed_ = false;
  std::array<std::shared_ptr<const Format>, 2> formats_;  // of lines or messages, and of objects; null if not known
  size_t objects_ = 0;                                    // which of them is in force
  std::string other_header_;                              // a header line in names of other tools, and its format:
  std::shared_ptr<const Format> other_format_;            // it may come again
  bool told_problem_ = false;                             // that messages among objects have no format
};

// The sources of a scan, opened one after the other, without those that have the bytes of an earlier one unless options
// want all. One thread at a time.
class SourceQueue {
 public:
  // `sources` and `options` must stay. `shared`, `cancelled` and `stored_bytes`, which grows by the sizes of sources
  // left out too, are what ScannedSource asks for.
  SourceQueue(const std::vector<Source>& sources, const ScanOptions& options, bool shared,
              Source::Cancelled cancelled = nullptr, std::atomic<uint64_t>* stored_bytes = nullptr);
  // The next one; null behind the last. It is counted in the report, and those left out before it are noted there.
  std::unique_ptr<ScannedSource> Next(Report* report);

 private:
  const std::vector<Source>& sources_;
  const ScanOptions& options_;
  bool shared_;
  Source::Cancelled cancelled_;
  std::atomic<uint64_t>* stored_bytes_;
  std::optional<DuplicateFinder> duplicates_;
  size_t next_ = 0;
  bool noted_ = false;  // options' notes are in the report
};

// The blocks of several sources, one source after the other, for a single thread.
class SourceSequence {
 public:
  // `sources` and `options` must stay. options.poll is asked before each source and while one waits.
  SourceSequence(const std::vector<Source>& sources, const ScanOptions& options);
  // The next block; false behind the last source. Sources that cannot be read, or not to their end, are noted in
  // report->errors and passed over.
  bool Next(ResolvedBlock* out, Report* report);
  // OK, or kCancelled if options.poll ended it.
  absl::Status status() const {
    return *cancelled_ ? absl::CancelledError("the scan was cancelled") : absl::OkStatus();
  }

 private:
  std::unique_ptr<bool> cancelled_;
  SourceQueue sources_;
  std::unique_ptr<ScannedSource> source_;
};

// The text of a line of an indexed block, without its line end.
std::string_view LineText(const ResolvedBlock& block, size_t line);

// Whether a line can be a record of `width` fields. kOk with *blank set for a line of blanks, which is neither record
// nor reject; for an error, *at is its place in the line.
Errc CheckLine(const ResolvedBlock& block, const TextLine& line, size_t width, size_t max_line_bytes, bool* blank,
               uint32_t* at);

// Counts a reject, and keeps it with its place if it is among the first.
void AddReject(const ResolvedBlock& block, size_t line, Errc reason, uint32_t at, std::string field, Report* report);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_SCANNED_SOURCE_H_
