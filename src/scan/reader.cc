// Readers and compile-time scans: the walk over record views.
#include "vpcflow/scan/reader.h"

#include <utility>

#include "src/container/inner_text.h"
#include "src/scan/driver.h"
#include "src/scan/walk.h"
#include "vpcflow/scan/scan.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

void RecordWalk::Start(const ResolvedBlock& block) {
  block_ = &block;
  segment_ = 0;
  line_ = block.segments.empty() ? 0 : block.segments[0].first;
  if (block.block.long_line) Reject(0, Errc::kLineTooLong, 0, "");
}

void RecordWalk::Reject(size_t line, Errc reason, uint32_t at, std::string field) {
  if (options_.on_error == OnError::kStop) stopped_ = true;
  AddReject(*block_, line, reason, at, std::move(field), report_);
}

TokenSpan RecordWalk::OuterTokens(const TextLine& line) {
  outer_.clear();
  outer_bounds_.assign(1, 0);
  std::string scratch;
  for (size_t i = 0; i < line.count; ++i) {
    const Token token = block_->index.token(line.first + i);
    outer_ += OuterText(block_->block.text.substr(token.begin, token.end - token.begin), &scratch);
    outer_bounds_.push_back(static_cast<uint32_t>(outer_.size()));
  }
  return {outer_bounds_.data(), outer_bounds_.data() + 1, 0};
}

bool RecordWalk::SettleErrors() {
  if (!has_record_ || record_.error() == Errc::kOk) return false;
  has_record_ = false;
  if (options_.on_error == OnError::kNull) {
    ++report_->nulled_values;
    return false;
  }
  --(status_ == LogStatus::kNoData     ? report_->nodata
     : status_ == LogStatus::kSkipData ? report_->skipdata
                                       : report_->ok);
  const Field field = record_.error_field();
  const TextLine& line = block_->index.line(line_ - 1);
  const int column = record_.format().IndexOf(field);
  const Token token = block_->index.token(line.first + static_cast<size_t>(column));
  const uint32_t at = PlaceInLine(*block_, line_ - 1, token.begin);
  Reject(line_ - 1, record_.error(), at, std::string(Info(field).name));
  return true;
}

bool RecordWalk::Next() {
  SettleErrors();
  has_record_ = false;
  while (!stopped_ && segment_ < block_->segments.size()) {
    const Segment& segment = block_->segments[segment_];
    if (line_ == segment.last) {
      if (++segment_ < block_->segments.size()) line_ = block_->segments[segment_].first;
      continue;
    }
    const size_t line = line_++;
    const Format& format = *segment.format;
    const TextLine& of = block_->index.line(line);
    if (of.count != format.size() || !block_->index.bad().empty() || block_->block.no_records ||
        of.end - of.begin > options_.max_line_bytes) {
      bool blank = false;
      uint32_t at = 0;
      const Errc e = CheckLine(*block_, line, format.size(), options_.max_line_bytes, &blank, &at);
      if (e != Errc::kOk) Reject(line, e, at, "");
      if (blank) ++report_->blank_lines;
      if (e != Errc::kOk || blank) continue;
    }
    const bool escaped = block_->escaped && HasEscapes(LineText(*block_, line, &outer_));
    const TokenSpan tokens = escaped ? OuterTokens(of) : block_->index.tokens_of(of);
    record_.Reset(escaped ? outer_.data() : block_->block.text.data(), tokens, &segment.format,
                  {block_->source, block_->PlaceOf(line)}, block_->first_line + line);
    status_ = ParseLogStatus(record_.text(Field::kLogStatus));
    ++(status_ == LogStatus::kNoData     ? report_->nodata
       : status_ == LogStatus::kSkipData ? report_->skipdata
                                         : report_->ok);
    has_record_ = true;
    return true;
  }
  return false;
}

namespace {

class VisitHandler final : public BlockHandler {
 public:
  VisitHandler(const ScanOptions& options, const std::vector<Field>& check,
               const std::function<void(const RecordView&)>& visit, Report* report)
      : check_(check), visit_(visit), walk_(options, report), null_errors_(options.on_error == OnError::kNull) {}
  bool OnBlock(const ResolvedBlock& block) override {
    walk_.Start(block);
    while (walk_.Next()) {
      bool good = true;
      for (Field field : check_) good = walk_.record().Check(field) && good;
      if (good || null_errors_) visit_(walk_.record());
    }
    return !walk_.stopped();
  }

 private:
  const std::vector<Field>& check_;
  const std::function<void(const RecordView&)>& visit_;
  RecordWalk walk_;
  bool null_errors_;
};

}  // namespace

absl::Status VisitRecords(const std::vector<Source>& sources, const ScanOptions& options,
                          const std::vector<Field>& check, const std::optional<std::vector<Field>>& reads,
                          const std::vector<std::function<void(const RecordView&)>>& visit, Report* report) {
  size_t next = 0;
  TableReads of_tables;
  if (reads) {
    of_tables.fields.emplace();
    for (const Field field : *reads) of_tables.fields->emplace_back(Info(field).name);
    of_tables.fields->emplace_back(Info(Field::kLogStatus).name);
  }
  auto handlers = RunScan(
      sources, options, of_tables, /*in_order=*/false,
      [&](Report* part) { return std::make_unique<VisitHandler>(options, check, visit[next++], part); }, report);
  if (!handlers.ok()) return handlers.status();
  if (options.on_error == OnError::kStop && !report->rejects.empty()) return report->rejects[0].ToStatus();
  return report->Outcome(options.allow_empty);
}

}  // namespace internal

struct Reader::Impl {
  Impl(std::vector<Source> s, ScanOptions o) : sources(std::move(s)), options(std::move(o)), walk(options, &report) {}
  std::vector<Source> sources;
  ScanOptions options;
  Report report;
  internal::RecordWalk walk;
  internal::ResolvedBlock block;
  internal::TableReads reads;  // all of them, as lines
  internal::SourceSequence blocks{sources, options, reads};
  bool in_block = false;
  bool ended = false;
};

OpenedReader Reader::Open(const std::string& path) {
  ScanOptions options;
  options.on_error = OnError::kStop;
  return Open(path, std::move(options));
}

OpenedReader Reader::Open(const std::string& path, ScanOptions options) {
  absl::StatusOr<std::vector<Source>> sources = Source::Expand(path, &options.notes);
  if (!sources.ok()) return sources.status();
  return Reader(*std::move(sources), std::move(options));
}

Reader::Reader(std::vector<Source> sources, ScanOptions options)
    : impl_(std::make_unique<Impl>(std::move(sources), std::move(options))) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

bool Reader::Next() {
  Impl& s = *impl_;
  while (!s.walk.stopped()) {
    if (s.in_block) {
      if (s.walk.Next()) return true;
      s.in_block = false;
      continue;
    }
    if (!s.blocks.Next(&s.block, &s.report)) {
      s.ended = true;
      return false;
    }
    s.walk.Start(s.block);
    s.in_block = true;
  }
  return false;
}

const RecordView& Reader::record() const& { return impl_->walk.record(); }

absl::Status Reader::status() const {
  impl_->walk.SettleErrors();
  if (impl_->walk.stopped()) return impl_->report.rejects[0].ToStatus();
  if (absl::Status s = impl_->blocks.status(); !s.ok()) return s;
  return impl_->ended ? impl_->report.Outcome(impl_->options.allow_empty) : impl_->report.status();
}

const Report& Reader::report() const& {
  impl_->walk.SettleErrors();
  return impl_->report;
}

VPCFLOW_NAMESPACE_END
