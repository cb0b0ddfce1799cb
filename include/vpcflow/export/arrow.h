// Arrow: results out, tables in, through the C stream interface; no Arrow library is needed.
//
// Example:
//   ArrowArrayStream stream;
//   vpcflow::ExportTable(std::make_shared<const vpcflow::Table>(std::move(result->table)), &stream);
//   stream.release(&stream);   // or hand it to any Arrow consumer, who releases it
//
// Types out: int32, int64, float64, bool; decimal128(38, 0) for a sum beyond 2^63 - 1; times as timestamp[us, UTC];
// addresses and texts as dictionary<int32, utf8>, bytes that are not UTF-8 replaced by U+FFFD. Integers and dictionary
// indices are the table's own memory, not copied.
#ifndef VPCFLOW_EXPORT_ARROW_H_
#define VPCFLOW_EXPORT_ARROW_H_

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/export/arrow_abi.h"
#include "vpcflow/plan/aggregation.h"
#include "vpcflow/plan/plan.h"
#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Fills `out` with a stream of one batch that shares the table. The consumer releases it, at any time and in any
// thread.
void ExportTable(std::shared_ptr<const Table> table, ArrowArrayStream* out);

// Arrow tables to scan, one after the other: each call gives a stream, which the scan consumes and releases, and its
// name for reports; or a name and why its table could not be opened. A null stream without an error ends it.
struct NamedArrowStream {
  ArrowArrayStream* stream = nullptr;
  std::string name{};
  absl::Status status{};
  bool whole = true;  // the stream has all columns of its table, so that they tell whether its rows are flow records
};
using ArrowStreams = std::function<absl::StatusOr<NamedArrowStream>()>;

// Runs plans over sources of text and Arrow tables, as one input: the tables come behind the sources. Columns of a
// table are named as those of CSV; of two columns of one field AWS's own name wins, with
// a warning. Accepted per column: integers of any width, floats, decimals, texts (utf8, binary, their large and view
// forms), dictionaries of those; timestamps and dates for times. Their values are those of text: ordinary spellings of
// other tools are understood, NaN is null, and numbers without fraction are whole. Columns of other names are left
// alone, but where a plan names them. A value that its field cannot have is a reject; its line is the row, from 1. Rows
// that are null as a whole are no records.
//
// What comes through the C interface is checked, batch by batch, before a value of it is read. Errors of a table are in
// Report::errors, and the others are read even so: kDataLoss for damage, kInvalidArgument for a column that a plan
// reads and whose type does not hold its field, kUnavailable for a stream that fails. Tables are read by one thread.
// `report`, if given, is filled even if an error is returned. Errors and `partial` as of Plan::Run.
absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, const std::vector<Source>& sources,
                                             const ArrowStreams& streams, const ScanOptions& options,
                                             Report* report = nullptr, std::vector<Result>* partial = nullptr);
// One table alone.
absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, ArrowArrayStream* stream,
                                             const ScanOptions& options, Report* report = nullptr);

// Adds sources of text and Arrow tables to an aggregation; as Aggregation::Update.
absl::Status UpdateArrow(Aggregation* aggregation, const std::vector<Source>& sources, const ArrowStreams& streams,
                         const ScanOptions& options, Report* report = nullptr);

// Whether columns of these names make flow log records together (NamesAFlow). As with a header line, a part of AWS's
// own names alone is enough if one of them is of flows alone: an address, packets, bytes, the log status. Columns of an
// index of pandas (__index_level_0__) do not count.
bool HasFlowColumns(const std::vector<std::string>& names);

// The fields that columns of these names are read as; of other columns what a plan calls them.
std::vector<std::string> FieldsOfColumns(const std::vector<std::string>& names);

// The texts of one column of an Arrow stream, for a table whose rows hold log lines or JSON events. Movable.
class ArrowTexts {
 public:
  // Takes the stream. `column` is a name; empty for a stream that is texts itself.
  ArrowTexts(ArrowArrayStream* stream, std::string column);
  ~ArrowTexts();
  ArrowTexts(ArrowTexts&&) noexcept;
  ArrowTexts& operator=(ArrowTexts&&) noexcept;

  // Sets `lines` to the texts of the next batch, each ended by a newline, without those that are null; false at the
  // end. kInvalidArgument if there is no such column of texts, kDataLoss for damage, kUnavailable for a stream that
  // fails.
  absl::StatusOr<bool> Next(std::string* lines);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_EXPORT_ARROW_H_
