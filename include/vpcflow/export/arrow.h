// Arrow: results out, tables in, through the C stream interface; no Arrow library is needed.
//
//   ArrowArrayStream stream;
//   vpcflow::ExportTable(std::make_shared<const vpcflow::Table>(std::move(result.table)), &stream);
//   // hand `stream` to any Arrow consumer, who releases it
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
// name for reports; a null stream ends it.
struct NamedArrowStream {
  ArrowArrayStream* stream = nullptr;
  std::string name;
};
using ArrowStreams = std::function<absl::StatusOr<NamedArrowStream>()>;

// Runs plans over sources of text and Arrow tables, as one input: the tables come behind the sources. Columns of a
// table are named as fields are, or by an alias (FindFieldOrAlias). Accepted per column: integers of any width, floats
// with whole values, texts (utf8, large_utf8, string_view, dictionaries of them; "-" is null), timestamps for start and
// end. Columns of other names are left alone, but where a plan names them; a column that a plan reads and whose type
// does not fit, or two columns of one such field, are kInvalidArgument. A value that its field cannot have is a reject;
// its line is the row, from 1. Tables are read by one thread. `report`, if given, is filled even if an error is
// returned. Errors and `partial` as of Plan::Run.
absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, const std::vector<Source>& sources,
                                             const ArrowStreams& streams, const ScanOptions& options,
                                             Report* report = nullptr, std::vector<Result>* partial = nullptr);
// One table alone.
absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, ArrowArrayStream* stream,
                                             const ScanOptions& options, Report* report = nullptr);

// Adds sources of text and Arrow tables to an aggregation; as Aggregation::Update.
absl::Status UpdateArrow(Aggregation* aggregation, const std::vector<Source>& sources, const ArrowStreams& streams,
                         const ScanOptions& options, Report* report = nullptr);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_EXPORT_ARROW_H_
