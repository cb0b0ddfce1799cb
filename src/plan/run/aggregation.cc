#include "vpcflow/plan/aggregation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/plan/run/aggregation_impl.h"
#include "src/plan/run/saved_expr.h"
#include "vpcflow/error/error.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::PlanImpl;

// What decides which states can be merged.
void WriteSpec(const PlanImpl& plan, StateWriter* out) {
  const PlanSpec& spec = plan.spec;
  out->Text(spec.where);
  out->Byte(spec.sessions ? internal::SessionState::kSavedVersion : 0);
  if (spec.sessions) {
    out->Signed(spec.sessions->idle);
    out->Byte(static_cast<uint8_t>(spec.sessions->vantage));
  }
  out->Signed(spec.every);
  out->Byte(static_cast<uint8_t>(spec.bin_by));
  out->Byte(spec.allow_missing);
  out->Number(plan.key_slots.size());
  for (const int slot : plan.key_slots) out->Text(plan.fields[static_cast<size_t>(slot)].name);
  out->Number(spec.aggs.size());
  for (const auto& [name, text] : spec.aggs) {
    out->Text(name);
    out->Text(text);
  }
  std::vector<std::string> unknown;  // fields beyond the catalogue
  for (const FieldRef& field : plan.fields) {
    if (field.field == Field::kUnknown) unknown.push_back(field.name);
  }
  out->Number(unknown.size());
  for (const std::string& name : unknown) out->Text(name);
}

// What decides how its value is shown.
void WriteOrder(const PlanImpl& plan, StateWriter* out) {
  const PlanSpec& spec = plan.spec;
  out->Signed(spec.window);
  out->Signed(spec.gap);
  out->Number(spec.derived.size());
  for (size_t i = 0; i < spec.derived.size(); ++i) {
    out->Text(spec.derived[i].name);
    internal::WriteDerived(spec.derived[i].expression, plan.derived[i].tree(), out);
  }
  out->Number(spec.having.size());
  for (size_t i = 0; i < spec.having.size(); ++i) internal::WriteHaving(spec.having[i], plan.having[i].tree(), out);
  out->Byte(spec.top.has_value());
  if (spec.top) {
    out->Number(spec.top->per.size());
    for (const std::string& per : spec.top->per) out->Text(per);
    out->Number(spec.top->n);
    out->Text(spec.top->by);
    out->Byte(static_cast<uint8_t>((spec.top->other ? 1 : 0) | (spec.top->counters > 0 ? 2 : 0)));
    if (spec.top->counters > 0) out->Number(spec.top->counters);
  }
  out->Number(spec.sort.size());
  for (const SortKey& key : spec.sort) {
    out->Text(key.column);
    out->Byte(key.descending);
  }
}

// `sessions` gets the version of saved sessions, 0 for groups.
absl::StatusOr<Plan> ReadPlan(StateReader* in, uint8_t* sessions) {
  const auto text = [&] { return std::string(in->Text()); };
  PlanSpec spec;
  spec.lenient = true;
  spec.where = text();
  *sessions = in->Byte();
  if (*sessions > internal::SessionState::kSavedVersion)
    return MakeError(ErrorKind::kState, std::string(StateErrorText(StateError::kNewerVersion)));
  if (*sessions != 0) {
    spec.sessions.emplace();
    spec.sessions->idle = in->Signed();
    spec.sessions->vantage = static_cast<Vantage>(std::min<uint8_t>(in->Byte(), kVantageNames.size() - 1));
  }
  spec.every = in->Signed();
  spec.bin_by = in->Byte() == 0 ? BinBy::kSpread : BinBy::kStart;
  spec.allow_missing = in->Byte() != 0;
  for (uint64_t n = in->Count(1); n > 0; --n) spec.by.push_back(text());
  for (uint64_t n = in->Count(2); n > 0; --n) {
    std::string name = text();
    spec.aggs.emplace_back(std::move(name), text());
  }
  std::string unknown;
  for (uint64_t n = in->Count(1); n > 0; --n) absl::StrAppend(&unknown, unknown.empty() ? "" : " ", text());
  spec.window = in->Signed();
  spec.gap = in->Signed();
  for (uint64_t n = in->Count(4); n > 0; --n) {
    DerivedColumn& derived = spec.derived.emplace_back();
    derived.name = text();
    derived.expression = internal::ReadDerived(in);
  }
  for (uint64_t n = in->Count(10); n > 0; --n) spec.having.push_back(internal::ReadHaving(in));
  if (in->Byte() != 0) {
    spec.top.emplace();
    for (uint64_t n = in->Count(1); n > 0; --n) spec.top->per.push_back(text());
    spec.top->n = in->Number();
    spec.top->by = text();
    const uint8_t flags = in->Byte();
    spec.top->other = (flags & 1) != 0;
    if ((flags & 2) != 0) spec.top->counters = in->Number();
  }
  for (uint64_t n = in->Count(2); n > 0; --n) {
    std::string column = text();
    spec.sort.push_back({std::move(column), in->Byte() != 0});
  }
  if (!in->ok()) return MakeError(ErrorKind::kState, "this state has no plan");
  std::vector<Format> formats;
  if (!unknown.empty()) {
    // As a header line: one begins with a field, and behind it any name is taken.
    if (!Format::ParseHeader(absl::StrCat("version ", unknown), &formats.emplace_back(), /*sure=*/true))
      return MakeError(ErrorKind::kState, "this state's plan has a field that cannot be");
  }
  return Plan::Make(spec, formats);
}

}  // namespace

Aggregation::Aggregation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Aggregation::~Aggregation() = default;
Aggregation::Aggregation(Aggregation&&) noexcept = default;
Aggregation& Aggregation::operator=(Aggregation&&) noexcept = default;

absl::StatusOr<Aggregation> Aggregation::Make(const Plan& plan) {
  if (!plan.impl().grouped && !plan.impl().spec.sessions)
    return MakeError(ErrorKind::kPlan, "an aggregation needs keys or aggregates, or makes sessions");
  return Aggregation(std::make_unique<Impl>(plan));
}

const Plan& Aggregation::plan() const& { return impl_->plan; }
size_t Aggregation::groups() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->sessions != nullptr ? impl_->sessions->sessions() : impl_->groups->groups();
}
size_t Aggregation::bytes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->sessions != nullptr ? impl_->sessions->bytes() : impl_->groups->bytes();
}
Table Aggregation::Value() {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->sessions == nullptr) return impl_->groups->Finish(0);
  Table table = impl_->sessions->Finish();
  internal::SortAndSlice(impl_->plan.impl().spec, &table);
  return table;
}
std::string Aggregation::Warning() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->sessions != nullptr ? impl_->sessions->Warning() : "";
}
std::map<std::string, uint64_t> Aggregation::Shown() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->sessions != nullptr ? impl_->sessions->Shown() : std::map<std::string, uint64_t>();
}
absl::StatusOr<Table> Aggregation::TakeIdle(int64_t time) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->sessions == nullptr) return MakeError(ErrorKind::kPlan, "only sessions end; this aggregation has groups");
  return impl_->sessions->TakeIdle(time);
}

absl::StatusOr<Table> Aggregation::Starts(const std::vector<int64_t>& cuts) const {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->sessions == nullptr)
    return MakeError(ErrorKind::kPlan, "only sessions start; this aggregation has groups");
  return impl_->sessions->Starts(cuts);
}

void Aggregation::Impl::Merge(const Impl& other) {
  if (sessions != nullptr) return sessions->Merge(*other.sessions);
  groups->Merge(*other.groups);
  if (groups->NeedsPruning()) groups = groups->Pruned();
}

void Aggregation::Impl::Join(const internal::ScannedWorkers& scanned, Report* report) {
  const std::lock_guard lock(mutex);
  for (internal::Worker* worker : scanned.workers) Add(worker, 0);
  if (sessions != nullptr) sessions->EndScan();
  if (groups != nullptr) report->unspread = groups->unspread();
  internal::AddCounts(scanned.workers, 0, report);
}

void Aggregation::Impl::Add(internal::Worker* worker, size_t number) {
  if (sessions != nullptr) return sessions->Merge(*worker->sessions(number));
  groups->Merge(*worker->group_state_of(number));
  if (groups->NeedsPruning()) groups = groups->Pruned();
}

absl::Status Aggregation::Impl::Update(const std::vector<Source>& sources, const ScanOptions& options,
                                       const Plan* chosen, Report* report) {
  std::vector<Plan> both{plan};
  if (chosen != nullptr) both.push_back(*chosen);
  const internal::SlotMap all(both);  // begins as the map of the plan alone
  Report own;
  const absl::StatusOr<internal::ScannedWorkers> scanned =
      internal::ScanSources({both.data(), 1}, all, sources, options, &own, chosen);
  absl::Status status = scanned.status();
  if (status.ok() && !options.allow_missing) {
    const std::optional<std::vector<uint8_t>> seen = internal::SeenBy(scanned->workers);
    for (size_t i = 0; seen && status.ok() && i < both.size(); ++i)
      status = internal::CheckFields(both[i], all.slots[i], *seen, own);
  }
  if (status.ok()) Join(*scanned, &own);
  if (status.ok()) status = own.Outcome(options.allow_empty);
  if (report != nullptr) *report = std::move(own);
  return status;
}

absl::Status Aggregation::Update(const std::vector<Source>& sources, const ScanOptions& options, Report* report) {
  return impl_->Update(sources, options, nullptr, report);
}

absl::Status Aggregation::Update(const std::vector<Source>& sources, const ScanOptions& options, const Plan& chosen,
                                 Report* report) {
  return impl_->Update(sources, options, &chosen, report);
}

absl::Status Aggregation::Merge(const Aggregation& other) {
  StateWriter own, theirs;
  for (const auto& [of, to] : {std::pair(&impl_->plan.impl(), &own), std::pair(&other.impl_->plan.impl(), &theirs)}) {
    WriteSpec(*of, to);
    if (of->counters() > 0) WriteOrder(*of, to);  // decides what is held
  }
  if (own.bytes() != theirs.bytes())
    return MakeError(ErrorKind::kPlan, absl::StrCat("aggregations of different plans cannot be merged; this one:\n",
                                                    plan().Explain(), "the other one:\n", other.plan().Explain()));
  if (&other == this) {  // twice all it has
    absl::StatusOr<Aggregation> copy = Copy();
    if (!copy.ok()) return copy.status();
    const std::lock_guard lock(impl_->mutex);
    impl_->Merge(*copy->impl_);
    return absl::OkStatus();
  }
  const std::scoped_lock locks(impl_->mutex, other.impl_->mutex);  // in an order that never blocks
  impl_->Merge(*other.impl_);
  return absl::OkStatus();
}

absl::StatusOr<Aggregation> Aggregation::Copy() const {
  absl::StatusOr<Aggregation> out = Make(impl_->plan);
  if (!out.ok()) return out;
  const std::lock_guard lock(impl_->mutex);
  out->impl_->Merge(*impl_);
  return out;
}

std::string Aggregation::ToBytes() {
  StateWriter out;
  WriteSpec(plan().impl(), &out);
  WriteOrder(plan().impl(), &out);
  const std::lock_guard lock(impl_->mutex);
  impl_->sessions != nullptr ? impl_->sessions->Write(&out) : impl_->groups->Write(&out);
  return Seal(StateKind::kAggregation, out.bytes());
}

absl::StatusOr<Aggregation> Aggregation::FromBytes(std::string_view bytes) {
  std::string_view payload;
  if (const StateError error = Unseal(StateKind::kAggregation, bytes, &payload); error != StateError::kNone) {
    const std::string text(StateErrorText(error));
    const bool damaged = error == StateError::kCut || error == StateError::kChecksum;
    return WithKind(damaged ? absl::DataLossError(text) : absl::InvalidArgumentError(text), ErrorKind::kState);
  }
  StateReader in(payload);
  uint8_t sessions = 0;
  absl::StatusOr<Plan> plan = ReadPlan(&in, &sessions);
  if (!plan.ok()) return WithKind(plan.status(), ErrorKind::kState);
  absl::StatusOr<Aggregation> out = Make(*plan);
  if (!out.ok()) return out.status();
  Impl& impl = *out->impl_;
  const bool read = impl.sessions != nullptr ? impl.sessions->Read(&in, sessions) : impl.groups->Read(&in);
  if (!read || !in.ok() || !in.done())
    return MakeError(ErrorKind::kState, "this state holds what its plan cannot have");
  return out;
}

VPCFLOW_NAMESPACE_END
