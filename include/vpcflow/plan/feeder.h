// Feeder: records out of bytes that come in pieces, such as those of a socket, in the caller's thread.
//
// Example:
//   absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
//   if (!plan.ok()) return plan.status();
//   absl::StatusOr<vpcflow::Aggregation> talkers = vpcflow::Aggregation::Make(*plan);
//   vpcflow::Feeder feeder = vpcflow::Feeder::Into(&*talkers, "tcp:5140");
//   char piece[1400];
//   absl::Status status;
//   for (ssize_t n; status.ok() && (n = read(0, piece, sizeof piece)) > 0;)  // or recv(socket, ...)
//     status = feeder.Feed(std::string_view(piece, static_cast<size_t>(n)));
//   status.Update(feeder.Finish());                   // errors name "tcp:5140" and the line
//   vpcflow::Table table = talkers->Value();
//
// A feeder takes what a scan of the same bytes would: text with or without header line, gzip and zstd (members one after
// the other, too), and every container. Pieces may end anywhere. Records, rejects, line numbers and errors are those of
// a scan of the whole, whatever the pieces; only of gzip that is damaged within its codes less may come out, as of
// any stream that can be read once. Tables of bytes, such as Parquet, are refused by name.
//
// Bytes are taken in blocks of ScanOptions::block_bytes: until then a piece is only copied. Flush does not wait for a
// block. Memory: three blocks, one line or entry of a container, what packed data needs (decompress.h), and what the
// sink keeps; never more for a longer stream.
#ifndef VPCFLOW_PLAN_FEEDER_H_
#define VPCFLOW_PLAN_FEEDER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "vpcflow/aggregate/accumulator.h"
#include "vpcflow/plan/aggregation.h"
#include "vpcflow/plan/plan.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/result/report.h"
#include "vpcflow/result/table.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// For one thread at a time. What it fills must outlive it. `name` stands for the stream in rejects and errors. Of
// `options`, threads, duplicates and poll do nothing. What the caller's own code throws (a visit, an accumulator) and
// std::bad_alloc leave the call; then only destroying the feeder is left.
class Feeder {
 public:
  // Calls `visit` for each record, NODATA and SKIPDATA too. The view dies with the call. A value is checked when a
  // getter reads it; a record with a malformed value counts as a reject from then on.
  static Feeder Records(std::function<void(const RecordView&)> visit, std::string name = "stream",
                        ScanOptions options = {});
  // Updates an accumulator with each record of traffic whose fields (FieldsOf<A>) are well-formed, as Scan::Into.
  template <Accumulator A>
  static Feeder Into(A* out, std::string name = "stream", ScanOptions options = {}) {
    constexpr auto fields = FieldsOf<A>();
    return Checked(
        [out](const RecordView& record) {
          if (record.is_traffic()) out->Update(record);
        },
        {fields.begin(), fields.end()}, std::move(name), std::move(options));
  }
  // Adds to an aggregation, or several in one pass: a reject of one is a reject for all. Each sees what was fed at Flush,
  // at Finish and at an error; others may use it meanwhile. `unspread` and `matched` of the report are of the first.
  static Feeder Into(Aggregation* out, std::string name = "stream", ScanOptions options = {});
  static Feeder Into(std::vector<Aggregation*> out, std::string name = "stream", ScanOptions options = {});
  // Calls `take` with the rows of a selection, some 1,000 at a time and never none, in the order of the stream. Behind
  // PlanSpec::limit rows, bytes are passed over. kInvalidArgument from Feed for a plan that does not select rows, or
  // sorts them.
  static Feeder Batches(const Plan& plan, std::function<void(Table)> take, std::string name = "stream",
                        ScanOptions options = {});

  ~Feeder();
  Feeder(Feeder&&) noexcept;
  Feeder& operator=(Feeder&&) noexcept;

  // Takes the next bytes, of any number. Errors: those of a scan's source (kDataLoss, kInvalidArgument for what has no
  // format, ...), kAborted for the first reject with OnError::kStop, kResourceExhausted beyond max_memory. They come
  // as late as the block that they are in is taken, behind the records before; from then on each call returns
  // the same, and takes nothing. kFailedPrecondition after Finish. O(bytes).
  absl::Status Feed(std::string_view bytes);
  absl::Status Feed(std::span<const std::byte> bytes) {
    return Feed(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }

  // Gives the sink the records of all whole lines fed so far, but for those that wait_for_format(). Errors as of Feed;
  // of aggregations also kFailedPrecondition for a field that no line so far had: then nothing is added to them, and
  // feeding can go on. O(bytes since the last block), of aggregations also O(groups since the last Flush).
  absl::Status Flush();
  // Whether lines wait for more of them to tell their format. Without header line, options' format or a record of AWS's
  // default, 100 lines or a block are waited for, or Finish.
  bool waits_for_format() const;

  // Ends the stream: the last line may lack its line end. Errors as of Flush, also for data that is cut, and kNotFound
  // if no record was read (Report::NoRecords), unless ScanOptions::allow_empty. Again: returns the same.
  absl::Status Finish();

  // Counts of what the sink was given so far, and rejects.
  const Report& report() const&;
  const Report& report() const&& = delete;

 private:
  struct Impl;
  explicit Feeder(std::unique_ptr<Impl> impl);
  static Feeder Checked(std::function<void(const RecordView&)> visit, std::vector<Field> check, std::string name,
                        ScanOptions options);
  std::unique_ptr<Impl> impl_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_PLAN_FEEDER_H_
