#include "vpcflow/plan/feeder.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "src/plan/run/aggregation_impl.h"
#include "src/scan/fed_text.h"
#include "src/scan/walk.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// What takes the records of a feeder.
class Sink : public BlockHandler {
 public:
  // Whether it can take any.
  virtual absl::Status status() const { return absl::OkStatus(); }
  // Makes what it took so far visible, and adds to the report what only it knows. An error changes nothing.
  virtual absl::Status Show(Report* /*report*/) { return absl::OkStatus(); }
};

class RecordSink final : public Sink {
 public:
  RecordSink(std::function<void(const RecordView&)> visit, std::vector<Field> check, const ScanOptions& options,
             Report* report)
      : visit_(std::move(visit)),
        check_(std::move(check)),
        walk_(options, report),
        null_errors_(options.on_error == OnError::kNull) {}

  bool OnBlock(const ResolvedBlock& block) override {
    walk_.Start(block);
    while (walk_.Next()) {
      bool good = true;
      for (const Field field : check_) good = walk_.record().Check(field) && good;
      if (good || null_errors_) visit_(walk_.record());
    }
    return !walk_.stopped();
  }

 private:
  const std::function<void(const RecordView&)> visit_;
  const std::vector<Field> check_;
  RecordWalk walk_;
  const bool null_errors_;
};

// What it took since it was shown is in its worker.
class AggregationSink final : public Sink {
 public:
  AggregationSink(std::vector<Aggregation*> out, const ScanOptions& options, Report* report)
      : out_(std::move(out)),
        plans_(PlansOf(out_)),
        map_(plans_),
        rows_(map_.fields, options, report),
        allow_missing_(options.allow_missing) {
    Begin();
    if (worker_->traffic_only()) rows_.TakeTrafficOnly();
    for (const Plan& plan : plans_) {
      for (const std::string& warning : plan.impl().warnings) report->Warn(warning);
    }
  }

  absl::Status status() const override {
    return plans_.empty() ? MakeError(ErrorKind::kPlan, "a feeder needs an aggregation to fill") : absl::OkStatus();
  }
  bool OnBlock(const ResolvedBlock& block) override {
    shown_ = false;
    Rows* const rows = rows_.Start(block);
    while (rows->Next()) {
      worker_->Process(rows);
      if (rows->stopped()) return false;
    }
    return !rows->stopped();
  }
  size_t bytes() const override {
    size_t bytes = worker_->bytes();
    for (const Aggregation* aggregation : out_) bytes += aggregation->bytes();
    return bytes;
  }

  absl::Status Show(Report* report) override {
    if (std::exchange(shown_, true)) return absl::OkStatus();
    if (const std::optional<std::vector<uint8_t>> seen = SeenBy({worker_.get()})) {
      seen_.resize(seen->size());
      for (size_t slot = 0; slot < seen->size(); ++slot) seen_[slot] |= (*seen)[slot];
    }
    for (size_t i = 0; i < plans_.size() && !seen_.empty() && !allow_missing_; ++i) {
      const absl::Status missing = CheckFields(plans_[i], map_.slots[i], seen_, *report);
      shown_ = missing.ok();
      if (!shown_) return missing;
    }
    AddCounts({worker_.get()}, 0, report);
    for (size_t i = 0; i < out_.size(); ++i) {
      Aggregation::Impl& impl = out_[i]->impl();
      const std::lock_guard lock(impl.mutex);
      impl.Add(worker_.get(), i);
      if (i == 0 && impl.groups != nullptr) report->unspread = impl.groups->unspread();
    }
    Begin();
    return absl::OkStatus();
  }

 private:
  static std::vector<Plan> PlansOf(const std::vector<Aggregation*>& all) {
    std::vector<Plan> plans;
    for (const Aggregation* aggregation : all) plans.push_back(aggregation->plan());
    return plans;
  }
  void Begin() { worker_ = std::make_unique<Worker>(plans_, map_, /*chosen=*/nullptr, /*shared=*/false); }

  const std::vector<Aggregation*> out_;
  const std::vector<Plan> plans_;
  const SlotMap map_;
  BlockRows rows_;
  const bool allow_missing_;
  std::unique_ptr<Worker> worker_;
  std::vector<uint8_t> seen_;  // by slot whether any line so far had the field; empty without lines
  bool shown_ = true;
};

class BatchSink final : public Sink {
 public:
  BatchSink(const Plan& plan, std::function<void(Table)> take, const ScanOptions& options, Report* report)
      : plan_(plan),
        take_(std::move(take)),
        map_({&plan_, 1}),
        worker_({&plan_, 1}, map_),
        rows_(map_.fields, options, report) {
    for (const std::string& warning : plan.impl().warnings) report->Warn(warning);
  }

  absl::Status status() const override {
    const PlanSpec& spec = plan_.impl().spec;
    if (plan_.impl().grouped || spec.sessions)
      return MakeError(ErrorKind::kPlan, "batches are of selections; a grouping fills an Aggregation");
    if (!spec.sort.empty())
      return MakeError(ErrorKind::kPlan, "batches come in the order of the stream; sort them once all are there");
    return absl::OkStatus();
  }
  bool OnBlock(const ResolvedBlock& block) override {
    const PlanImpl& plan = plan_.impl();
    RowState* const state = worker_.rows(0);
    Rows* const rows = rows_.Start(block);
    while (rows->Next()) worker_.Process(rows);
    if (rows->stopped()) return false;
    std::vector<size_t> columns(plan.select_all ? plan.promised : state->columns());
    std::iota(columns.begin(), columns.end(), size_t{0});
    Table table = RowState::Finish({state}, columns);
    const bool full = plan.spec.limit && given_ + table.rows >= *plan.spec.limit;
    if (full) SliceTable(&table, 0, *plan.spec.limit - given_);
    given_ += table.rows;
    if (table.rows > 0) take_(std::move(table));
    return !full;
  }
  size_t bytes() const override { return worker_.bytes(); }
  absl::Status Show(Report* report) override {
    worker_.Count(0, report);
    const std::optional<std::vector<uint8_t>> seen = SeenBy({&worker_});
    return seen ? CheckFields(plan_, map_.slots[0], *seen, *report) : absl::OkStatus();
  }

 private:
  const Plan plan_;
  const std::function<void(Table)> take_;
  const SlotMap map_;
  Worker worker_;
  BlockRows rows_;
  uint64_t given_ = 0;
};

}  // namespace
}  // namespace internal

struct Feeder::Impl {
  Impl(std::string name, ScanOptions o) : options(std::move(o)), text(std::move(name), options) {
    report.sources = 1;
    report.names = {text.name()};
    for (const std::string& note : options.notes) report.Warn(note);
  }

  // The block's way into the sink; false ends the stream.
  bool Take(const internal::ResolvedBlock& block) {
    if (!sink->OnBlock(block)) return false;
    if (options.max_memory == 0 || sink->bytes() <= options.max_memory) return true;
    ended = internal::MemoryExceeded(options.max_memory);
    return false;
  }
  // Settles what a reading of blocks ended with.
  absl::Status Read(const absl::Status& status) {
    if (ended.ok() && options.on_error == OnError::kStop && !report.rejects.empty()) {
      SortRejects();
      ended = report.rejects[0].ToStatus();
    }
    if (status.ok() || !ended.ok()) return ended;
    report.errors.push_back(WithSource(status, text.name()));
    ended = report.status();
    // What stands before the damage is kept, unless it lacks fields, which is told instead as by a scan.
    if (absl::Status s = sink->Show(&report); !s.ok()) ended = std::move(s);
    SortRejects();
    return ended;
  }
  void SortRejects() {
    if (const uint64_t now = report.rejected(); std::exchange(sorted_rejects, now) != now) report.TrimRejects();
  }

  const ScanOptions options;
  Report report;
  std::unique_ptr<internal::Sink> sink;
  internal::FedText text;
  absl::Status ended;  // not OK: an error that takes nothing more
  std::optional<absl::Status> finished;
  uint64_t sorted_rejects = 0;
};

namespace {

absl::Status IsFinished() { return absl::FailedPreconditionError("this feeder was finished; make another one"); }

}  // namespace

Feeder::Feeder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) { impl_->ended = impl_->sink->status(); }
Feeder::~Feeder() = default;
Feeder::Feeder(Feeder&&) noexcept = default;
Feeder& Feeder::operator=(Feeder&&) noexcept = default;

Feeder Feeder::Records(std::function<void(const RecordView&)> visit, std::string name, ScanOptions options) {
  return Checked(std::move(visit), {}, std::move(name), std::move(options));
}

Feeder Feeder::Checked(std::function<void(const RecordView&)> visit, std::vector<Field> check, std::string name,
                       ScanOptions options) {
  auto impl = std::make_unique<Impl>(std::move(name), std::move(options));
  impl->sink = std::make_unique<internal::RecordSink>(std::move(visit), std::move(check), impl->options, &impl->report);
  return Feeder(std::move(impl));
}

Feeder Feeder::Into(Aggregation* out, std::string name, ScanOptions options) {
  return Into(std::vector<Aggregation*>{out}, std::move(name), std::move(options));
}

Feeder Feeder::Into(std::vector<Aggregation*> out, std::string name, ScanOptions options) {
  auto impl = std::make_unique<Impl>(std::move(name), std::move(options));
  impl->sink = std::make_unique<internal::AggregationSink>(std::move(out), impl->options, &impl->report);
  return Feeder(std::move(impl));
}

Feeder Feeder::Batches(const Plan& plan, std::function<void(Table)> take, std::string name, ScanOptions options) {
  auto impl = std::make_unique<Impl>(std::move(name), std::move(options));
  impl->sink = std::make_unique<internal::BatchSink>(plan, std::move(take), impl->options, &impl->report);
  return Feeder(std::move(impl));
}

absl::Status Feeder::Feed(std::string_view bytes) {
  Impl& s = *impl_;
  if (s.finished) return IsFinished();
  if (!s.ended.ok()) return s.ended;
  bool read = false;
  const absl::Status status = s.text.Add(bytes, &s.report, [&](const internal::ResolvedBlock& block) {
    read = true;
    return s.Take(block);
  });
  return read || !status.ok() ? s.Read(status) : absl::OkStatus();
}

absl::Status Feeder::Flush() {
  Impl& s = *impl_;
  if (s.finished) return *s.finished;
  if (!s.ended.ok()) return s.ended;
  const absl::Status status =
      s.Read(s.text.ReadAll(/*last=*/false, &s.report, [&](const auto& block) { return s.Take(block); }));
  if (!status.ok()) return status;
  s.SortRejects();
  return s.sink->Show(&s.report);
}

bool Feeder::waits_for_format() const { return impl_->text.waits_for_format(); }

absl::Status Feeder::Finish() {
  Impl& s = *impl_;
  if (s.finished) return *s.finished;
  absl::Status status = s.ended;
  if (status.ok())
    status = s.Read(s.text.ReadAll(/*last=*/true, &s.report, [&](const auto& block) { return s.Take(block); }));
  if (status.ok()) status = s.sink->Show(&s.report);
  s.SortRejects();
  if (status.ok()) status = s.report.Outcome(s.options.allow_empty);
  s.finished = status;
  return status;
}

const Report& Feeder::report() const& { return impl_->report; }

VPCFLOW_NAMESPACE_END
