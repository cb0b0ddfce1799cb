// Plan: what to compute, decided at run time. Python and the command line drive the engine through plans; a C++ program
// that takes its questions from users does too.
//
// Example:
//   vpcflow::PlanSpec spec;
//   spec.where = "action = 'REJECT' and bytes > 1000";
//   spec.by = {"srcaddr"};
//   spec.aggs = {{"bytes", "sum(bytes)"}, {"peers", "n_unique(dstaddr)"}};
//   spec.top = vpcflow::TopSpec{.n = 20, .by = "bytes"};
//   absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
//   absl::StatusOr<vpcflow::Result> result = plan->Run({vpcflow::Source::File("flow.log.gz")}, {});
//
// A plan either groups (by, every or aggs are given) or selects rows. NODATA and SKIPDATA records stand for no traffic:
// a grouping leaves them out unless it names log_status in its filter, keys or aggregates; a selection has them.
//
// Only the columns that a plan names are parsed, and only their values are checked; a line of the wrong shape is a
// reject for every plan.
#ifndef VPCFLOW_PLAN_PLAN_H_
#define VPCFLOW_PLAN_PLAN_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/enrich/labels.h"
#include "vpcflow/filter/filter.h"
#include "vpcflow/result/compose.h"
#include "vpcflow/result/report.h"
#include "vpcflow/result/table.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/session/sessions.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// X(constant, name, takes a field, meaning)
#define VPCFLOW_AGGREGATES(X)                                                                                     \
  X(kCount, "count", false, "number of records")                                                                  \
  X(kSum, "sum", true, "sum of a numeric field; never wraps")                                                     \
  X(kMin, "min", true, "smallest value of a numeric or time field")                                               \
  X(kMax, "max", true, "largest value of a numeric or time field")                                                \
  X(kMean, "mean", true, "arithmetic mean of a numeric field")                                                    \
  X(kNUnique, "n_unique", true, "exact number of different values; memory grows with it")                         \
  X(kFirst, "first", true, "value in the earliest record that has one (by start, then by place in the input)")    \
  X(kLast, "last", true, "value in the latest record that has one")                                               \
  X(kRate, "rate", true, "sum per second: over the time bin, else from first start to last end")                  \
  X(kApproxNUnique, "approx_n_unique", true,                                                                      \
    "number of different values: exact up to 256, then with a standard error of 1.6 %, in 4 KiB")                 \
  X(kQuantile, "quantile", true, "exact quantile of a numeric field, as quantile(bytes, 0.95); keeps all values") \
  X(kApproxQuantile, "approx_quantile", true, "quantile within 0.4 % of its value, in bounded memory")

enum class AggKind : uint8_t {
#define VPCFLOW_X(id, name, field, meaning) id,
  VPCFLOW_AGGREGATES(VPCFLOW_X)
#undef VPCFLOW_X
};

// How a record that spans several time bins is counted.
enum class BinBy : uint8_t {
  kSpread,  // sums and rates are spread over its bins in proportion to time; all else goes to the bin of its start
  kStart    // all goes to the bin of its start
};
inline constexpr std::array<std::string_view, 2> kBinByNames = {"spread", "start"};

struct TopSpec {
  uint64_t n = 10;
  std::string by{};    // an aggregate; largest first, ties by key
  bool other = false;  // one more row, marked in a column `other`, with the aggregates over all other groups
  std::vector<std::string> per{};  // n rows for each value of these keys; not with `other`
  // Bounded memory, 0 for exact: of each value of `per` (of all, without) at most twice this many groups are held, the
  // lighter ones are dropped when they are too many. A further column, `by` with `_error` behind, bounds what a group
  // may have had more: its total lies in [by, by + error]; a group that is not held has had at most the error. Only for
  // groupings with one aggregate, count() or sum(field), and without time bins. At least n.
  uint64_t counters = 0;
};

struct PlanSpec {
  std::string where{};  // filter; empty for none
  // Further filters, all of which a record must pass. Each is parsed alone, and an error shows its place in it.
  std::vector<std::string> filters{};
  std::vector<LabelColumn> labels{};      // further columns, usable wherever fields are
  std::optional<SessionSpec> sessions{};  // sessions instead of rows or groups
  std::vector<std::string> select{};      // fields of a selection; empty for all that the logs have
  std::optional<uint64_t> limit{};        // first rows of a selection, or of sessions, in the result's order
  // Of a selection: two further columns, `file`, the name of the source, and `offset`, the byte of its unpacked text
  // where the record's line begins; of Arrow streams the row; null for records that were wrapped in something else.
  bool located = false;
  std::vector<std::string> by{};  // keys
  int64_t every = 0;              // length of time bins in seconds, aligned to the epoch; column `time`; 0 for none
  BinBy bin_by = BinBy::kSpread;
  // Windows made of time bins: of `window` seconds, a multiple of `every`, beginning with every bin (they overlap); or
  // with `gap`, a multiple of `every`, one for each run of bins of a key that are no further apart. Column `time` is
  // where a window begins. At most one of the two.
  int64_t window = 0;
  int64_t gap = 0;
  // Name -> what to compute: "sum(bytes)", "quantile(bytes, 0.95)", "count() where action = 'REJECT'"; or a derived
  // column, as "bytes / packets" of aggregates with these names (compose.h), which stands behind the aggregates.
  std::vector<std::pair<std::string, std::string>> aggs{};
  std::vector<DerivedColumn> derived{};  // further ones
  // Conditions on groups (compose.h: KeepHaving), all of which hold: of aggregates, derived columns and keys. Before
  // `top`.
  std::vector<std::string> having{};
  std::optional<TopSpec> top{};
  std::vector<SortKey> sort{};  // default: by keys, ascending
  // A field that no source has is null instead of an error.
  bool allow_missing = false;
  // Parse and check every field of the catalogue, so that all malformed values are found.
  bool check_all = false;
  // The time that the filters choose. Records that start in it are counted apart (Report::in_time), so that "no record
  // in that time" differs from "none passes the filter". It takes no record out: the filters do.
  std::optional<TimeSpan> asked{};
  // The records are sessions: in filters `action` is a session's state.
  bool session_records = false;
  // Conditions that no record can pass are warnings and no errors, as of plans that earlier releases saved.
  bool lenient = false;
};

struct Result {
  Table table{};
  Report report{};
};

namespace internal {
struct PlanImpl;
}

// Const: any number of threads may run one Plan at once. What a poll or a source's callback throws leaves Run once all
// threads of the scan have ended, and so does std::bad_alloc.
class Plan {
 public:
  // Checks a specification; kInvalidArgument names the mistake and the nearest right name. `formats` are formats of
  // the logs, for fields beyond the catalogue and for the order of columns of a selection without `select`.
  static absl::StatusOr<Plan> Make(const PlanSpec& spec, const std::vector<Format>& formats = {});

  // Reads the sources. Errors: those of a source that cannot be read to its end (kNotFound, kDataLoss, kUnavailable,
  // ...), kNotFound if no record was read (Report::NoRecords, unless ScanOptions::allow_empty), kCancelled,
  // kFailedPrecondition for a field that no source has, kAborted for the first reject in OnError::kStop. After an
  // error of the first two kinds `partial`, if given, has the result of what could be read, and Report::errors.
  absl::StatusOr<Result> Run(const std::vector<Source>& sources, const ScanOptions& options,
                             Result* partial = nullptr) const;

  // Checks that the formats in a report have the fields it needs: kFailedPrecondition for one that none has, as of Run,
  // unless PlanSpec::allow_missing; OK for a report without formats, or with more than are kept. For reports merged
  // from parts of an input.
  absl::Status CheckFields(const Report& report) const;

  // Describes what it will do, stage by stage, and the columns it parses.
  std::string Explain() const;

  // Returns the fields that it reads, by AWS's names.
  std::vector<std::string> Fields() const;

  // Names and types of the result's columns; of a selection without `select`, those that may be there.
  std::vector<std::pair<std::string, ColumnType>> Schema() const;

  // Returns the implementation, for the engine.
  const internal::PlanImpl& impl() const& { return *impl_; }
  const internal::PlanImpl& impl() const&& = delete;

 private:
  std::shared_ptr<const internal::PlanImpl> impl_;
};

// Runs several plans in one pass over the sources. A reject of one plan is a reject for all of them.
// `report`, if given, is filled even if an error is returned. Errors, `partial`, threads and exceptions as of
// Plan::Run.
absl::StatusOr<std::vector<Result>> RunAll(std::span<const Plan> plans, const std::vector<Source>& sources,
                                           const ScanOptions& options, Report* report = nullptr,
                                           std::vector<Result>* partial = nullptr);

// A selection, batch after batch, in the order of the input and in bounded memory. For one thread at a time. What a
// poll or a source's callback throws leaves Next, and so does std::bad_alloc; then only destroying it is left.
class BatchReader {
 public:
  BatchReader(const Plan& plan, std::vector<Source> sources, ScanOptions options);
  ~BatchReader();
  BatchReader(BatchReader&&) noexcept;

  // Rows of the next batch, about `rows`; a table without rows at the end. Columns that a selection without `select`
  // finds in no source so far are null. Errors of Plan::Run that come after what could be read come behind the last
  // rows.
  absl::StatusOr<Table> Next(size_t rows);
  const Report& report() const&;
  const Report& report() const&& = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Returns the formats of a source, found from its first 16 KiB: one, or several if further header lines follow the
// first; none for an empty source. That is no reading: what can be read only once keeps its beginning, for the scan and
// for further looks, before and after it. options.poll is asked while a stream waits; false is kCancelled.
absl::StatusOr<std::vector<Format>> PeekFormats(const Source& source, const ScanOptions& options);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_PLAN_PLAN_H_
