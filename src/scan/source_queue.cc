#include "src/scan/source_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/scan/scanned_table.h"
#include "src/scan/scanned_text.h"
#include "src/source/memory_source.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// What is fetched ahead of the scan.
constexpr size_t kMostFetches = 32;
constexpr uint64_t kMostFetchingBytes = uint64_t{256} << 20;
// Sources that are named of those left out for one cause.
constexpr uint64_t kNamed = 5;

}  // namespace

TableReads ReadsOf(const std::vector<FieldRef>& slots) {
  TableReads out{&slots, std::vector<std::string>{std::string(Info(Field::kLogStatus).name)}};
  for (const FieldRef& slot : slots) {
    if (slot.lookup == nullptr && slot.name != out.fields->front()) out.fields->push_back(slot.name);
  }
  return out;
}

uint64_t ArrivalSignal::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void ArrivalSignal::Add() {
  {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  changed_.notify_all();
}

void ArrivalSignal::WaitBeyond(uint64_t seen) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(50), [&] { return count_ > seen; });
}

SourceQueue::SourceQueue(const std::vector<Source>& sources, const ScanOptions& options, const TableReads& reads,
                         bool shared, bool in_order, Cancelled cancelled, std::atomic<uint64_t>* stored_bytes)
    : sources_(sources),
      options_(options),
      reads_(reads),
      shared_(shared),
      in_order_(in_order),
      cancelled_(std::move(cancelled)),
      stored_bytes_(stored_bytes) {
  if (options.duplicates == Duplicates::kOnce && sources.size() > 1) duplicates_.emplace(sources, cancelled_);
}

SourceQueue::Got SourceQueue::Next(Report* report, std::unique_ptr<ScannedSource>* out) {
  if (!std::exchange(noted_, true)) {
    for (const std::string& note : options_.notes) report->Warn(note);
  }
  while (!(cancelled_ && cancelled_())) {
    const std::optional<Got> got = Try(report, out);
    if (got == Got::kEnd) TellGone(report);
    if (got) return *got;
  }
  return Got::kEnd;
}

void SourceQueue::TellGone(Report* report) {
  if (const uint64_t n = std::exchange(gone_, 0); n > 0 && named_.empty()) {
    const std::string& name = sources_[0].name();
    const std::string more = n == 1 ? "" : absl::StrCat(", as are ", n - 1, " more");
    report->errors.push_back(WithSource(
        absl::NotFoundError(absl::StrCat(name, ": gone since it was listed", more, "; nothing is left to read")),
        name));
  } else if (n > kNamed) {
    report->Warn(absl::StrCat("gone since they were listed, in all: ", n, " objects"));
  }
}

std::optional<SourceQueue::Got> SourceQueue::Try(Report* report, std::unique_ptr<ScannedSource>* out) {
  if (!pieces_.empty()) {
    *out = std::move(pieces_.front());
    pieces_.pop_front();
    return Got::kSource;
  }
  FetchAhead();
  if (in_order_) {
    if (next_ == sources_.size()) return Got::kEnd;
    if (fetches_.contains(next_)) return NextFetched(next_, report, out);
  } else {
    const auto come = std::find_if(fetches_.begin(), fetches_.end(), [](const auto& f) { return f.second->ready(); });
    if (come != fetches_.end()) return NextFetched(come->first, report, out);
    while (next_ < sources_.size() && sources_[next_].kind()->deferred()) ++next_;
    if (next_ == sources_.size()) return fetches_.empty() ? Got::kEnd : Got::kWait;
  }
  *out = Open(next_++, report);
  return *out == nullptr ? std::nullopt : std::optional(Got::kSource);
}

void SourceQueue::FetchAhead() {
  while (fetch_next_ < sources_.size() && fetches_.size() < kMostFetches && fetching_bytes_ < kMostFetchingBytes) {
    const size_t number = fetch_next_++;
    const Source& source = sources_[number];
    if (!source.kind()->deferred()) continue;
    fetching_bytes_ += source.size();
    fetches_[number] = source.kind()->BeginFetch([arrivals = arrivals_] { arrivals->Add(); });
  }
}

std::optional<SourceQueue::Got> SourceQueue::NextFetched(size_t number, Report* report,
                                                         std::unique_ptr<ScannedSource>* out) {
  const auto at = fetches_.find(number);
  if (!at->second->ready()) return Got::kWait;
  const Source& source = sources_[number];
  absl::StatusOr<OwnedBytes> object = at->second->Take(nullptr);
  fetches_.erase(at);
  fetching_bytes_ -= source.size();
  if (in_order_) ++next_;
  if (absl::IsNotFound(object.status())) {
    if (++gone_ <= kNamed) report->Warn(absl::StrCat(source.name(), " is gone since it was listed: not read"));
    if (stored_bytes_ != nullptr) *stored_bytes_ += source.size();
    return std::nullopt;
  }
  Note(number, report);
  *out = MakeText(
      object.ok() ? Source::Bytes(source.name(), *std::move(object)) : FailedSource::Of(source, object.status()),
      number, nullptr);
  return Got::kSource;
}

std::unique_ptr<ScannedSource> SourceQueue::Open(size_t number, Report* report) {
  const Source& source = sources_[number];
  size_t same_as = kNoDuplicate;
  std::unique_ptr<ByteStream> opened = duplicates_ ? duplicates_->Open(number, &same_as) : nullptr;
  if (same_as != kNoDuplicate) {
    if (stored_bytes_ != nullptr) *stored_bytes_ += source.size();
    if (++report->duplicates <= kNamed)
      report->Warn(absl::StrCat(source.name(), " has the same bytes as ", sources_[same_as].name(), ": read once"));
    return nullptr;
  }
  Note(number, report);
  const ArrowTable* table = source.kind()->table();
  if (table == nullptr) return MakeText(source, number, std::move(opened));
  if (stored_bytes_ != nullptr) *stored_bytes_ += source.size();
  AddPieces(number, *table);
  return nullptr;
}

void SourceQueue::AddPieces(size_t number, const ArrowTable& table) {
  const Source& source = sources_[number];
  const absl::StatusOr<std::optional<ArrowColumns>> columns = table.Columns();
  absl::Status status = columns.status();
  if (status.ok() && *columns && (*columns)->judged) status = CheckFlowColumns((*columns)->names);
  const absl::StatusOr<std::vector<uint64_t>> rows =
      status.ok() ? table.Pieces() : absl::StatusOr<std::vector<uint64_t>>(status);
  if (!rows.ok()) {
    pieces_.push_back(MakeText(FailedSource::Of(source, rows.status()), number, nullptr));
    return;
  }
  const bool judged = !*columns;  // by the stream itself
  const size_t count = std::max<size_t>(rows->size(), 1);
  uint64_t first_row = 0;
  for (size_t piece = 0; piece < count; ++piece) {
    const TablePiece what{piece, first_row, piece + 1 == count, judged};
    pieces_.push_back(
        std::make_unique<ScannedTable>(source, static_cast<uint32_t>(number) + options_.first_source, reads_, what));
    if (!rows->empty()) first_row += (*rows)[piece];
  }
}

// The first names in the order of the input, in whatever order the sources come.
void SourceQueue::Note(size_t number, Report* report) {
  ++report->sources;
  const auto at = std::lower_bound(named_.begin(), named_.end(), number) - named_.begin();
  if (static_cast<size_t>(at) == Report::kMaxNames) return;
  named_.insert(named_.begin() + at, number);
  report->names.insert(report->names.begin() + at, sources_[number].name());
  if (named_.size() <= Report::kMaxNames) return;
  named_.pop_back();
  report->names.pop_back();
}

std::unique_ptr<ScannedSource> SourceQueue::MakeText(const Source& source, size_t number,
                                                     std::unique_ptr<ByteStream> opened) {
  return std::make_unique<ScannedText>(source, static_cast<uint32_t>(number), options_, shared_, cancelled_,
                                       stored_bytes_, std::move(opened));
}

SourceSequence::SourceSequence(const std::vector<Source>& sources, const ScanOptions& options, const TableReads& reads)
    : cancelled_(std::make_unique<bool>(false)),
      ask_([&options, ended = cancelled_.get()] {
        if (!*ended && options.poll) *ended = !options.poll({});
        return *ended;
      }),
      sources_(sources, options, reads, /*shared=*/false, /*in_order=*/true, ask_) {}

bool SourceSequence::Advance(Report* report) {
  while (true) {
    const uint64_t seen = sources_.arrivals().count();
    const SourceQueue::Got got = sources_.Next(report, &source_);
    if (got != SourceQueue::Got::kWait) return got == SourceQueue::Got::kSource;
    sources_.arrivals().WaitBeyond(seen);
  }
}

bool SourceSequence::Next(ResolvedBlock* out, Report* report) {
  while (true) {
    if (source_ == nullptr && !Advance(report)) return false;
    absl::StatusOr<bool> more = source_->Next(out, report);
    if (more.ok() && *more) return true;
    if (absl::IsCancelled(more.status())) *cancelled_ = true;
    if (!more.ok() && !*cancelled_) report->errors.push_back(WithSource(more.status(), source_->name()));
    source_ = nullptr;
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
