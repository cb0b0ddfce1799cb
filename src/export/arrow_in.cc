// Arrow tables as rows for plans.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/export/arrow_check.h"
#include "src/export/arrow_rows.h"
#include "src/export/arrow_stream.h"
#include "src/plan/run/aggregation_impl.h"
#include "src/plan/run/run.h"
#include "src/scan/driver.h"
#include "vpcflow/error/error.h"
#include "vpcflow/export/arrow.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// The rows of a batch.
absl::Status ProcessRows(const ScanOptions& options, ArrowRows* rows, Worker* worker) {
  constexpr uint64_t kPollEvery = 128;  // batches of rows
  for (uint64_t i = 0; rows->Next(); ++i) {
    if (i % kPollEvery == 0 && options.poll && !options.poll({})) return absl::CancelledError("the scan was cancelled");
    worker->Process(rows);
    if (options.max_memory > 0 && worker->bytes() > options.max_memory) return MemoryExceeded(options.max_memory);
    if (rows->stopped()) return MakeError(ErrorKind::kReject, "stopped");
  }
  return absl::OkStatus();
}

// One stream through the worker. What was read before an error stays read.
absl::Status ReadStream(const NamedArrowStream& named, uint32_t number, const ScanOptions& options, ArrowRows* rows,
                        Worker* worker) {
  if (!named.status.ok()) return named.status;
  ArrowReader reader(named.stream);
  if (absl::Status s = reader.Open(); !s.ok()) return s;
  if (absl::Status s = CheckArrowSchema(reader.schema()); !s.ok()) return s;
  if (absl::Status s = rows->StartStream(number, named.name, reader.schema(), named.whole); !s.ok()) return s;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next();
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    if (absl::Status s = rows->StartBatch(reader.batch()); !s.ok()) return s;
    if (absl::Status s = ProcessRows(options, rows, worker); !s.ok()) return s;
  }
}

absl::Status WithName(const std::string& name, const absl::Status& status) {
  const std::string message(status.message());
  if (message.starts_with(name + ":")) return WithSource(status, name);
  return WithSource(WithMessage(status, absl::StrCat(name, ": ", message)), name);
}

// Errors that end the whole scan, not only the table in hand.
bool IsFatal(const absl::Status& status, const ArrowRows& rows) {
  return rows.stopped() || absl::IsCancelled(status) || absl::IsResourceExhausted(status);
}

// Text first, then the tables by a worker of their own.
absl::StatusOr<ScannedWorkers> ScanTables(std::span<const Plan> plans, const SlotMap& map,
                                          const std::vector<Source>& sources, const ArrowStreams& streams,
                                          const ScanOptions& options, Report* report) {
  absl::StatusOr<ScannedWorkers> scanned = ScanText(plans, map, sources, options, report);
  if (!scanned.ok()) return scanned;
  auto worker = std::make_unique<Worker>(plans, map);
  ArrowRows rows(map.fields, options, report);
  absl::Status status;
  for (auto number = static_cast<uint32_t>(sources.size()); status.ok(); ++number) {
    const absl::StatusOr<NamedArrowStream> named = streams();
    if (!named.ok()) status = named.status();
    if (!named.ok() || (named->stream == nullptr && named->status.ok())) break;
    ++report->sources;
    if (report->names.size() < Report::kMaxNames) report->names.push_back(named->name);
    const absl::Status read = ReadStream(*named, number + options.first_source, options, &rows, worker.get());
    if (read.ok()) continue;
    if (IsFatal(read, rows)) {
      status = rows.stopped() ? report->rejects[0].ToStatus() : read;
    } else {
      report->errors.push_back(WithName(named->name, read));
    }
  }
  report->TrimRejects();
  if (!status.ok()) return status;
  scanned->workers.push_back(worker.get());
  scanned->others.push_back(std::move(worker));
  return scanned;
}

}  // namespace
}  // namespace internal

absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, const std::vector<Source>& sources,
                                             const ArrowStreams& streams, const ScanOptions& options,
                                             Report* out_report, std::vector<Result>* partial) {
  using namespace internal;
  if (plans.empty()) return std::vector<Result>();
  const SlotMap map(plans);
  Report report;
  const absl::StatusOr<ScannedWorkers> scanned = ScanTables(plans, map, sources, streams, options, &report);
  if (out_report != nullptr) *out_report = report;
  if (!scanned.ok()) return scanned.status();
  return Concluded(plans, JoinWorkers(plans, map, scanned->workers, std::move(report)), options, partial);
}

absl::Status UpdateArrow(Aggregation* aggregation, const std::vector<Source>& sources, const ArrowStreams& streams,
                         const ScanOptions& options, Report* out_report) {
  using namespace internal;
  Aggregation::Impl& impl = aggregation->impl();
  Report report;
  const absl::StatusOr<ScannedWorkers> scanned =
      ScanTables({&impl.plan, 1}, impl.map, sources, streams, options, &report);
  absl::Status status = scanned.ok() ? impl.Join(*scanned, &report) : scanned.status();
  if (status.ok()) status = report.Outcome(options.allow_empty);
  if (out_report != nullptr) *out_report = std::move(report);
  return status;
}

absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, ArrowArrayStream* stream,
                                             const ScanOptions& options, Report* report) {
  const auto once = [&]() -> absl::StatusOr<NamedArrowStream> {
    return NamedArrowStream{std::exchange(stream, nullptr), "<arrow>"};
  };
  return RunArrow(plans, {}, once, options, report);
}

VPCFLOW_NAMESPACE_END
