// SourceQueue: the sources of a scan, opened one after the other, and those that are fetched as they come.
#ifndef VPCFLOW_SRC_SCAN_SOURCE_QUEUE_H_
#define VPCFLOW_SRC_SCAN_SOURCE_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "src/scan/scanned_source.h"
#include "src/source/duplicate_finder.h"
#include "src/source/fetch.h"
#include "vpcflow/filter/filter.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/source/arrow_table.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The filter of a scan of which a record is read no further if it does not pass.
struct TableFilter {
  const Filter* filter;
  std::vector<int> slots;           // of the filter's fields, among those of the scan
  std::vector<FieldBounds> bounds;  // not empty
  std::vector<std::string> fields;  // what is read of each record, to filter and to count it
  const ScanOptions* options;
};

// What a scan reads of tables.
struct TableReads {
  // The columns of the scan's batches; null for records, for which tables become lines.
  const std::vector<FieldRef>* slots = nullptr;
  // The fields that are read; nothing for all.
  std::optional<std::vector<std::string>> fields{};
  std::optional<TableFilter> filter{};
};

// What a scan that loads `slots` reads.
TableReads ReadsOf(const std::vector<FieldRef>& slots);

// Counts the objects that came, for those who wait for the next one.
class ArrivalSignal {
 public:
  uint64_t count() const;
  void Add();
  // Waits until more have come than `seen`, some 50 ms at the most.
  void WaitBeyond(uint64_t seen) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  uint64_t count_ = 0;  // guarded by mutex_
};

// Leaves out sources that have the bytes of an earlier one, unless options want all. Of deferred sources the next are
// fetched ahead. One thread at a time.
class SourceQueue {
 public:
  enum class Got : uint8_t { kSource, kWait, kEnd };

  // `sources`, `options` and `reads` must stay. `shared`: several threads read each source. `in_order`: the sources are
  // wanted in their order, also where a later one could be read at once. `stored_bytes`, if given, grows by what is
  // read as stored and by the sizes of sources left out.
  SourceQueue(const std::vector<Source>& sources, const ScanOptions& options, const TableReads& reads, bool shared,
              bool in_order, Cancelled cancelled = nullptr, std::atomic<uint64_t>* stored_bytes = nullptr);

  // Sets *out to the next source, or piece of one; kWait while the next one is still to come, kEnd behind the last. It
  // is counted in the report, and those left out before it are noted there.
  Got Next(Report* report, std::unique_ptr<ScannedSource>* out);
  // Tells when kWait may have changed. Any thread.
  const ArrivalSignal& arrivals() const { return *arrivals_; }

 private:
  // One step of Next; nothing if a source was left out.
  std::optional<Got> Try(Report* report, std::unique_ptr<ScannedSource>* out);
  // Reports how many sources were gone, once, behind the last.
  void TellGone(Report* report);
  void FetchAhead();
  std::optional<Got> NextFetched(size_t number, Report* report, std::unique_ptr<ScannedSource>* out);
  // Opens a source that is there; null for one that is left out.
  std::unique_ptr<ScannedSource> Open(size_t number, Report* report);
  void AddPieces(size_t number, const ArrowTable& table);
  void Note(size_t number, Report* report);
  std::unique_ptr<ScannedSource> MakeText(const Source& source, size_t number, std::unique_ptr<ByteStream> opened);

  const std::vector<Source>& sources_;
  const ScanOptions& options_;
  const TableReads& reads_;
  const bool shared_;
  const bool in_order_;
  Cancelled cancelled_;
  std::atomic<uint64_t>* stored_bytes_;
  std::optional<DuplicateFinder> duplicates_;
  size_t next_ = 0;
  std::deque<std::unique_ptr<ScannedSource>> pieces_;  // of the source opened last
  bool noted_ = false;                                 // options' notes are in the report
  std::vector<size_t> named_;                          // the numbers of Report::names

  std::shared_ptr<ArrivalSignal> arrivals_ = std::make_shared<ArrivalSignal>();
  size_t fetch_next_ = 0;                             // the first source that was not looked at for fetching
  std::map<size_t, std::shared_ptr<Fetch>> fetches_;  // begun, by number
  uint64_t fetching_bytes_ = 0;                       // of these, as far as known
  uint64_t gone_ = 0;                                 // of those fetched, by kNotFound
};

// The blocks of several sources, one source after the other, for a single thread.
class SourceSequence {
 public:
  // `sources`, `options` and `reads` must stay. options.poll is asked before each source and while one waits.
  SourceSequence(const std::vector<Source>& sources, const ScanOptions& options, const TableReads& reads);
  // The next block; false behind the last source. Sources that cannot be read, or not to their end, are noted in
  // report->errors and passed over.
  bool Next(ResolvedBlock* out, Report* report);
  // OK, or kCancelled if options.poll ended it.
  absl::Status status() const {
    return *cancelled_ ? absl::CancelledError("the scan was cancelled") : absl::OkStatus();
  }

 private:
  bool Advance(Report* report);

  std::unique_ptr<bool> cancelled_;
  Cancelled ask_;
  SourceQueue sources_;
  std::unique_ptr<ScannedSource> source_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_SOURCE_QUEUE_H_
