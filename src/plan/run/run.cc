// Running plans over sources.
#include "src/plan/run/run.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/plan/run/worker.h"
#include "src/scan/scanned_table.h"
#include "src/scan/scanned_text.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class PlanHandler final : public BlockHandler {
 public:
  PlanHandler(std::span<const Plan> plans, const SlotMap& map, const ScanOptions& options, Report* report,
              const Plan* chosen)
      : worker_(plans, map, chosen), rows_(map.fields, options, report) {
    if (worker_.traffic_only()) rows_.TakeTrafficOnly();
  }

  bool OnBlock(const ResolvedBlock& block) override {
    Rows* const rows = rows_.Start(block);
    while (rows->Next()) {
      worker_.Process(rows);
      if (rows->stopped() || worker_.satisfied()) return false;
    }
    return !rows->stopped();
  }
  size_t bytes() const override { return worker_.bytes(); }
  Worker& worker() { return worker_; }

 private:
  Worker worker_;
  BlockRows rows_;
};

// The columns of a selection; of everything, only those that some source has.
std::vector<size_t> ColumnsOf(const PlanImpl& plan, const std::vector<int>& slots, const std::vector<uint8_t>& seen) {
  std::vector<size_t> columns;
  for (size_t c = 0; c < plan.select_slots.size(); ++c) {
    const auto field = static_cast<size_t>(plan.select_slots[c]);
    if (!plan.select_all || seen[static_cast<size_t>(slots[field])] != 0) columns.push_back(c);
  }
  return columns;
}

void WarnOfFilters(const PlanImpl& plan, Report* report) {
  for (const std::string& warning : plan.warnings) report->Warn(warning);
}

// Of a selection of everything: fields beyond the catalogue that only a later header named, in no column.
void WarnOfLateFields(const PlanImpl& plan, Report* report) {
  for (const auto& [text, n] : report->formats) {
    Format format;
    FormatError ignored;
    if (!Format::Parse(text, &format, &ignored)) continue;
    for (const FormatColumn& column : format.columns()) {
      if (column.field != Field::kUnknown) continue;
      if (std::any_of(plan.fields.begin(), plan.fields.end(), [&](const FieldRef& f) { return f.name == column.name; }))
        continue;
      report->Warn(
          absl::StrCat("field '", column.name,
                       "' is named by a later header only, and not among the columns of a selection of everything"));
    }
  }
}

// The error for the needed fields of a plan of which `is_there` is false.
template <class IsThere>
absl::Status CheckNeeded(const PlanImpl& impl, const Report& report, const IsThere& is_there) {
  if (impl.spec.allow_missing) return absl::OkStatus();
  // A selection of everything takes what there is, but a condition on what is not there would hold of no record.
  const auto needed = [&](size_t i) {
    const std::vector<int>& slots = impl.filter_slots;
    return !impl.select_all || std::find(slots.begin(), slots.end(), static_cast<int>(i)) != slots.end();
  };
  std::vector<std::string> missing;
  for (size_t i = 0; i < std::min(impl.required, impl.fields.size()); ++i) {
    if (needed(i) && !is_there(i)) missing.push_back(impl.fields[i].name);
  }
  if (missing.empty()) return absl::OkStatus();
  std::vector<std::string> formats;
  for (const auto& [format, n] : report.formats) formats.push_back(format);
  if (formats.size() > 3) formats.resize(3);
  return MakeError(ErrorKind::kMissingField,
                   absl::StrCat("field", missing.size() > 1 ? "s " : " ", absl::StrJoin(missing, ", "),
                                missing.size() > 1 ? " are" : " is",
                                " in none of the logs read; their format: ", absl::StrJoin(formats, " | ")));
}

}  // namespace

// Of several plans every column is read of every record (Worker::ProcessSeveral).
TableReads ReadsOf(std::span<const Plan> plans, const SlotMap& map, const ScanOptions& options) {
  TableReads out = ReadsOf(map.fields);
  const PlanImpl& plan = plans[0].impl();
  if (plans.size() > 1 || !plan.filter || map.check_all) return out;
  TableFilter filter{&*plan.filter, {}, plan.filter->Bounds(), {std::string(Info(Field::kLogStatus).name)}, &options};
  if (filter.bounds.empty()) return out;
  const std::string start(Info(Field::kStart).name);
  if (plan.spec.asked) filter.fields.push_back(start);
  for (const int slot : plan.filter_slots) filter.slots.push_back(map.slots[0][static_cast<size_t>(slot)]);
  for (const FieldRef& field : plan.filter->fields()) {
    if (options.trust_statistics) break;
    if (field.lookup == nullptr) filter.fields.push_back(field.name);
    if (field.lookup != nullptr) {
      for (const FieldRef& of : field.lookup->of) filter.fields.push_back(of.name);
    }
    if (field.lookup != nullptr) filter.fields.push_back(start);  // labels may depend on the time
  }
  out.filter = std::move(filter);
  return out;
}

absl::Status CheckFields(const Plan& plan, const std::vector<int>& slots, const std::vector<uint8_t>& seen,
                         const Report& report) {
  return CheckNeeded(plan.impl(), report, [&](size_t i) { return seen[static_cast<size_t>(slots[i])] != 0; });
}

absl::StatusOr<ScannedWorkers> ScanSources(std::span<const Plan> plans, const SlotMap& map,
                                           const std::vector<Source>& sources, const ScanOptions& options,
                                           Report* report, const Plan* chosen) {
  for (const Plan& plan : plans) WarnOfFilters(plan.impl(), report);
  if (chosen != nullptr) WarnOfFilters(chosen->impl(), report);
  const PlanSpec& first = plans[0].impl().spec;
  // The first rows of the input, then stop.
  const bool in_order = plans.size() == 1 && first.limit && first.sort.empty() && !first.sessions;
  const TableReads reads = ReadsOf(plans, map, options);
  auto handlers = RunScan(
      sources, options, reads, in_order,
      [&](Report* part) { return std::make_unique<PlanHandler>(plans, map, options, part, chosen); }, report);
  if (!handlers.ok()) return handlers.status();
  if (options.on_error == OnError::kStop && !report->rejects.empty()) return report->rejects[0].ToStatus();
  ScannedWorkers out{*std::move(handlers), {}};
  for (const auto& handler : out.handlers) out.workers.push_back(&static_cast<PlanHandler*>(handler.get())->worker());
  return out;
}

std::optional<std::vector<uint8_t>> SeenBy(const std::vector<Worker*>& workers) {
  std::vector<uint8_t> seen(workers[0]->seen().size(), 0);
  bool any = false;
  for (const Worker* worker : workers) {
    any |= worker->any();
    for (size_t slot = 0; slot < seen.size(); ++slot) seen[slot] |= worker->seen()[slot];
  }
  return any ? std::optional(std::move(seen)) : std::nullopt;
}

void SortAndSlice(const PlanSpec& spec, Table* table) {
  if (!spec.sort.empty()) SortTable(table, spec.sort);
  if (spec.limit) SliceTable(table, 0, *spec.limit);
}

void AddCounts(const std::vector<Worker*>& workers, size_t plan, Report* report) {
  for (const Worker* worker : workers) {
    Report part;
    worker->Count(plan, &part);
    report->Merge(std::move(part));
  }
}

absl::StatusOr<std::vector<Result>> JoinWorkers(std::span<const Plan> plans, const SlotMap& map,
                                                const std::vector<Worker*>& workers, Report report) {
  const std::optional<std::vector<uint8_t>> seen = SeenBy(workers);
  for (size_t g = 0; g < workers[0]->group_states(); ++g) {
    GroupState& all = *workers[0]->group_state(g);
    for (size_t w = 1; w + 1 < workers.size(); ++w) all.Merge(*workers[w]->group_state(g));
    if (workers.size() > 1) all.MergeFinal(*workers.back()->group_state(g), workers.size());
    report.unspread = std::max(report.unspread, workers[0]->group_state(g)->unspread());
  }
  const std::vector<uint8_t> none(map.fields.size(), 0);
  std::vector<Report> reports(plans.size());  // what the workers counted for each
  for (size_t p = 0; p < plans.size(); ++p) AddCounts(workers, p, &reports[p]);
  std::vector<Result> results;
  std::vector<std::string> session_warnings(plans.size());
  for (size_t p = 0; p < plans.size(); ++p) {
    const PlanImpl& plan = plans[p].impl();
    if (seen) {
      if (absl::Status s = CheckFields(plans[p], map.slots[p], *seen, report); !s.ok()) return s;
    }
    if (plan.select_all) WarnOfLateFields(plan, &report);
    Result& result = results.emplace_back();
    if (plan.spec.sessions) {
      for (size_t w = 1; w < workers.size(); ++w) workers[0]->sessions(p)->Merge(*workers[w]->sessions(p));
      result.table = workers[0]->sessions(p)->Finish(&session_warnings[p]);
      SortAndSlice(plan.spec, &result.table);
    } else if (plan.grouped) {
      result.table = workers[0]->Finish(p);
    } else {
      std::vector<RowState*> states;
      for (Worker* worker : workers) states.push_back(worker->rows(p));
      result.table = RowState::Finish(states, ColumnsOf(plan, map.slots[p], seen ? *seen : none));
      SortAndSlice(plan.spec, &result.table);
    }
  }
  for (size_t p = 0; p < plans.size(); ++p) {
    reports[p].Merge(Report(report));
    results[p].report = std::move(reports[p]);
    if (plans[p].impl().spec.sessions) results[p].report.shown = workers[0]->sessions(p)->Shown();
    if (session_warnings[p].empty()) continue;
    results[p].report.one_direction = session_warnings[p];
    results[p].report.Warn(std::move(session_warnings[p]));
  }
  return results;
}

absl::StatusOr<std::vector<Result>> Concluded(std::span<const Plan> plans, absl::StatusOr<std::vector<Result>> results,
                                              const ScanOptions& options, std::vector<Result>* partial) {
  if (!results.ok() || results->empty()) return results;
  const bool none_wanted =
      std::any_of(plans.begin(), plans.end(), [](const Plan& p) { return p.impl().spec.limit == 0; });
  if (absl::Status s = results->front().report.Outcome(options.allow_empty || none_wanted); !s.ok()) {
    if (partial != nullptr) *partial = *std::move(results);
    return s;
  }
  return results;
}

}  // namespace internal

absl::StatusOr<std::vector<Result>> RunAll(std::span<const Plan> plans, const std::vector<Source>& sources,
                                           const ScanOptions& options, Report* out_report,
                                           std::vector<Result>* partial) {
  using namespace internal;
  if (plans.empty()) return std::vector<Result>();
  const SlotMap map(plans);
  Report report;
  const absl::StatusOr<ScannedWorkers> scanned = ScanSources(plans, map, sources, options, &report);
  if (out_report != nullptr) *out_report = report;
  if (!scanned.ok()) return scanned.status();
  return Concluded(plans, JoinWorkers(plans, map, scanned->workers, std::move(report)), options, partial);
}

absl::Status Plan::CheckFields(const Report& report) const {
  if (report.formats.empty() || report.notes_left_out) return absl::OkStatus();
  std::vector<std::string> there;
  for (const auto& [text, n] : report.formats) {
    Format format;
    FormatError ignored;
    if (!Format::Parse(text, &format, &ignored)) return absl::OkStatus();
    for (const FormatColumn& column : format.columns()) there.push_back(column.name);
  }
  std::sort(there.begin(), there.end());
  return internal::CheckNeeded(*impl_, report, [&](size_t i) {
    const FieldRef& field = impl_->fields[i];
    return field.lookup != nullptr || std::binary_search(there.begin(), there.end(), field.name);
  });
}

absl::StatusOr<Result> Plan::Run(const std::vector<Source>& sources, const ScanOptions& options,
                                 Result* partial) const {
  std::vector<Result> parts;
  absl::StatusOr<std::vector<Result>> results = RunAll({this, 1}, sources, options, nullptr, &parts);
  if (partial != nullptr && !parts.empty()) *partial = std::move(parts[0]);
  if (!results.ok()) return results.status();
  return std::move((*results)[0]);
}

struct BatchReader::Impl {
  Impl(const Plan& p, std::vector<Source> s, ScanOptions o)
      : plan(p),
        sources(std::move(s)),
        options(std::move(o)),
        map({&plan, 1}),
        worker({&plan, 1}, map),
        rows(map.fields, options, &report) {
    internal::WarnOfFilters(plan.impl(), &report);
  }

  Plan plan;
  std::vector<Source> sources;
  ScanOptions options;
  internal::SlotMap map;
  Report report;
  internal::Worker worker;
  internal::BlockRows rows;
  internal::ResolvedBlock block;
  internal::TableReads reads = internal::ReadsOf({&plan, 1}, map, options);
  internal::SourceSequence blocks{sources, options, reads};
  uint64_t delivered = 0;
  bool ended = false;
};

BatchReader::BatchReader(const Plan& plan, std::vector<Source> sources, ScanOptions options)
    : impl_(std::make_unique<Impl>(plan, std::move(sources), std::move(options))) {}
BatchReader::~BatchReader() = default;
BatchReader::BatchReader(BatchReader&&) noexcept = default;

const Report& BatchReader::report() const& { return impl_->report; }

absl::StatusOr<Table> BatchReader::Next(size_t rows) {
  Impl& s = *impl_;
  const internal::PlanImpl& plan = s.plan.impl();
  if (plan.grouped || plan.spec.sessions)
    return MakeError(ErrorKind::kPlan, "batches are of selections; a grouping has one result");
  internal::RowState* state = s.worker.rows(0);
  const uint64_t wanted = plan.spec.limit ? std::min<uint64_t>(rows, *plan.spec.limit - s.delivered) : rows;
  while (!s.ended && state->rows() < wanted) {
    if (s.options.poll && !s.options.poll({0, 0, s.report.sources, s.sources.size()}))
      return absl::CancelledError("the scan was cancelled");
    if (!s.blocks.Next(&s.block, &s.report)) {
      if (absl::Status status = s.blocks.status(); !status.ok()) return status;
      break;
    }
    internal::Rows* const block_rows = s.rows.Start(s.block);
    while (block_rows->Next()) s.worker.Process(block_rows);
    if (block_rows->stopped()) return s.report.rejects[0].ToStatus();
  }
  std::vector<size_t> columns(plan.select_all ? plan.promised : state->columns());
  std::iota(columns.begin(), columns.end(), size_t{0});
  Table table = internal::RowState::Finish({state}, columns);
  if (plan.spec.limit && s.delivered + table.rows >= *plan.spec.limit) {
    SliceTable(&table, 0, *plan.spec.limit - s.delivered);
    s.ended = true;
  }
  s.delivered += table.rows;
  s.worker.Count(0, &s.report);
  if (table.rows > 0 || wanted == 0) return table;
  if (absl::Status status = s.report.Outcome(s.options.allow_empty); !status.ok()) return status;
  return table;
}

absl::StatusOr<std::vector<Format>> PeekFormats(const Source& source, const ScanOptions& options) {
  if (source.kind()->table() != nullptr) return internal::FormatsOfTable(source);
  ScanOptions own = options;
  own.block_bytes = size_t{16} * 1024;
  const Source::Cancelled cancelled = [&] { return options.poll && !options.poll({}); };
  if (absl::Status s = source.KeepFirst(size_t{64} * 1024, cancelled); !s.ok()) return s;
  // What can be read only once is looked at in the part that was kept.
  const std::optional<std::string> kept = source.kept();
  const Source looked_at = kept ? Source::Bytes(source.name(), std::string_view(*kept)) : source;
  Report ignored;
  internal::ScannedText scanned(looked_at, 0, own, /*shared=*/false, cancelled);
  internal::ResolvedBlock block;
  while (true) {
    absl::StatusOr<bool> more = scanned.Next(&block, &ignored);
    if (!more.ok()) return WithSource(more.status(), source.name());
    std::vector<Format> formats;
    if (!*more) return formats;
    const auto add = [&](const std::shared_ptr<const Format>& format) {
      if (std::find(formats.begin(), formats.end(), *format) == formats.end()) formats.push_back(*format);
    };
    for (const internal::Segment& segment : block.segments) add(segment.format);
    if (scanned.format() != nullptr) add(scanned.format());
    if (!formats.empty()) return formats;
  }
}

VPCFLOW_NAMESPACE_END
