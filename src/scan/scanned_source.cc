#include "src/scan/scanned_source.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/scan/infer.h"
#include "src/simd/kernels.h"
#include "vpcflow/source/duplicates.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

bool IsBlankLine(std::string_view line) { return std::all_of(line.begin(), line.end(), IsBlank); }

// Whether the line could be a header: it begins with a field name.
bool BeginsWithField(std::string_view line, const Format* current) {
  const size_t end = std::min(line.find_first_of(" \t\r"), line.size());
  const std::string_view token = line.substr(0, end);
  return FindField(token).has_value() || (current != nullptr && current->columns()[0].name == token);
}

}  // namespace

std::string_view LineText(const ResolvedBlock& block, size_t line) {
  if (block.block.long_line) return block.block.text;
  const TextLine& of = block.index.line(line);
  return block.block.text.substr(of.begin, of.end - of.begin);
}

Errc CheckLine(const ResolvedBlock& block, const TextLine& line, size_t width, size_t max_line_bytes, bool* blank,
               uint32_t* at) {
  *blank = false;
  *at = 0;
  if (line.end - line.begin > max_line_bytes) return Errc::kLineTooLong;
  if (const uint32_t bad = block.index.BadIn(line); bad != line.end) {
    *at = bad - line.begin;
    const bool no_record = block.block.unwrapped && *at == 0 && block.block.text[bad] == kNoRecordMark;
    return no_record ? Errc::kNoRecord : Errc::kControlByte;
  }
  *blank = line.count == 0;
  if (*blank || line.count == width) return Errc::kOk;
  *at = (line.count < width ? line.end : block.index.token(line.first + width - 1).end) - line.begin;
  return line.count < width ? Errc::kTooFewFields : Errc::kTooManyFields;
}

void AddReject(const ResolvedBlock& block, size_t line, Errc reason, uint32_t at, std::string field, Report* report) {
  ++report->rejects_by_reason[static_cast<size_t>(reason)];
  const size_t begin = block.block.long_line ? 0 : block.index.line(line).begin;
  const std::vector<uint64_t>& origins = block.block.origins;
  const uint64_t number = line < origins.size() ? origins[line] : block.first_line + line;
  report->rejects.push_back({block.source, *block.name, number, block.block.offset + begin, at + 1, std::move(field),
                             reason, Printable(LineText(block, line).substr(reason == Errc::kNoRecord ? 1 : 0), 200)});
  if (report->rejects.size() >= 2 * Report::kMaxRejectSamples) report->TrimRejects();
}

ScannedSource::ScannedSource(const Source& source, uint32_t number, const ScanOptions& options,
                             Source::Cancelled cancelled, std::atomic<uint64_t>* stored_bytes)
    : options_(options),
      name_(source.name()),
      number_(number + options.first_source),
      reader_(source, options.container, std::move(cancelled), std::max<size_t>(options.block_bytes, 64),
              std::max<size_t>(options.max_line_bytes, 1024), options.max_output_bytes, stored_bytes) {}

absl::StatusOr<bool> ScannedSource::Next(ResolvedBlock* out, Report* report) {
  {
    std::lock_guard lock(read_mutex_);
    if (finished_) return false;
    finished_ = true;  // also by an exception: its block may have a number, and blocks behind that would wait for it
    absl::StatusOr<bool> more = reader_.Next(&out->block);
    if (!more.ok() || !*more) return more;
    finished_ = false;
  }
  out->source = number_;
  out->name = &name_;
  out->segments.clear();
  // Whatever happens here, the block's turn must be taken: later blocks wait for it.
  std::exception_ptr thrown;
  try {
    const std::string_view text = out->block.text;
    if (!out->block.long_line) ActiveKernels().index(text.data(), text.size(), out->index.Reserve(text.size()));
  } catch (...) {
    thrown = std::current_exception();
  }
  std::unique_lock lock(order_mutex_);
  order_.wait(lock, [&] { return resolved_ == out->block.sequence; });
  absl::Status status;
  const bool failed_before = failed_;
  failed_ = true;  // unless this block is settled
  if (!failed_before && thrown == nullptr) {
    try {
      status = Resolve(out, report);
      failed_ = !status.ok();
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  ++resolved_;
  order_.notify_all();
  if (thrown != nullptr) std::rethrow_exception(thrown);
  if (status.ok()) return !failed_;
  lock.unlock();
  std::lock_guard read_lock(read_mutex_);
  finished_ = true;
  return status;
}

std::vector<bool> SourcesToRead(const std::vector<Source>& sources, const ScanOptions& options, Report* report) {
  std::vector<bool> out(sources.size(), true);
  if (options.duplicates == Duplicates::kAll || sources.size() < 2) return out;
  constexpr uint64_t kNamed = 5;
  const std::vector<size_t> same_as = FindDuplicates(sources);
  for (size_t i = 0; i < sources.size(); ++i) {
    if (same_as[i] == kNoDuplicate) continue;
    out[i] = false;
    if (++report->duplicates <= kNamed)
      report->Warn(
          absl::StrCat(sources[i].name(), " has the same bytes as ", sources[same_as[i]].name(), ": read once"));
  }
  return out;
}

bool SourceSequence::Next(ResolvedBlock* out, Report* report) {
  if (to_read_.empty()) to_read_ = SourcesToRead(sources_, options_, report);
  while (true) {
    if (source_ == nullptr) {
      while (next_ < sources_.size() && !to_read_[next_]) ++next_;
      if (next_ == sources_.size()) return false;
      const auto number = static_cast<uint32_t>(next_++);
      ++report->sources;
      source_ = std::make_unique<ScannedSource>(sources_[number], number, options_, nullptr);
    }
    absl::StatusOr<bool> more = source_->Next(out, report);
    if (more.ok() && *more) return true;
    if (!more.ok()) report->errors.push_back(more.status());
    source_ = nullptr;
  }
}

absl::Status ScannedSource::Resolve(ResolvedBlock* out, Report* report) {
  out->first_line = line_;
  if (out->block.long_line) {
    ++line_;
    ++report->lines;
    return absl::OkStatus();
  }
  const size_t lines = out->index.line_count();
  line_ += lines;
  report->lines += lines;
  report->text_bytes += out->block.text.size();
  size_t first = 0;
  std::optional<absl::Status> found;  // of the search for a format, of which a block has one
  const std::string_view text = out->block.text;
  for (size_t i = out->index.lines_begin_low() ? lines : 0; i < lines; ++i) {  // none of them is a header
    const size_t begin = out->index.line(i).begin;
    if (begin >= text.size()) break;
    const char c = text[begin];
    const bool mark = (c == kNoHeaderMark || c == kHeaderMark) && out->block.unwrapped;
    if ((c < 'a' || c > 'z') && c != '\xEF' && !mark) continue;
    std::shared_ptr<const Format> before = format_;
    if (mark) {
      format_ = c == kHeaderMark ? headed_ : headerless_;
    } else if (!TakeHeader(*out, i, report)) {
      if (c == '\xEF') out->index.SkipByteOrderMark(text.data(), i);  // before a record
      continue;
    }
    if (i > first) {
      // Lines before the first header: of the format that a source without header would have, else of the header's,
      // which makes them rejects.
      if (before == nullptr && !found) found = FindHeaderless(*out, first, report);
      if (before == nullptr) before = headerless_;
      if (before == nullptr) before = format_ != nullptr ? format_ : std::make_shared<const Format>(Format::Default());
      out->segments.push_back({first, i, std::move(before)});
    }
    first = i + 1;
  }
  if (first < lines) {
    if (format_ == nullptr) {
      if (!found) found = FindHeaderless(*out, first, report);
      if (!found->ok()) return *found;
      format_ = headerless_;
    }
    // Without a format there are blank lines and entries without record only; any format makes rejects of these.
    out->segments.push_back(
        {first, lines, format_ != nullptr ? format_ : std::make_shared<const Format>(Format::Default())});
  }
  return absl::OkStatus();
}

bool ScannedSource::IsHeader(const ResolvedBlock& block, size_t line, Format* out) const {
  std::string_view text = LineText(block, line);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return BeginsWithField(text, format_.get()) && Format::ParseHeader(text, out, block.block.unwrapped);
}

bool ScannedSource::TakeHeader(const ResolvedBlock& block, size_t line, Report* report) {
  Format format;
  if (!IsHeader(block, line, &format)) return false;
  ++report->headers;
  if (format_ == nullptr || !(format == *format_)) SetFormat(std::move(format), report);
  headed_ = format_;
  return true;
}

void ScannedSource::SetFormat(Format format, Report* report) {
  for (const FormatColumn& column : format.columns()) {
    if (column.field != Field::kUnknown) continue;
    const std::string nearest = NearestField(column.name);
    std::string warning = absl::StrCat("field '", column.name, "' is not in the catalogue; kept as text");
    if (!nearest.empty()) absl::StrAppend(&warning, " (nearest known: '", nearest, "')");
    report->Warn(std::move(warning));
  }
  report->CountFormat(format.ToString());
  format_ = std::make_shared<const Format>(std::move(format));
}

// Those of the block's first lines, from `first`, that no header is before. Marks tell where a header's lines end.
std::vector<std::string_view> ScannedSource::HeaderlessLines(const ResolvedBlock& block, size_t first) const {
  std::vector<std::string_view> out;
  bool headed = false;
  for (size_t i = first; i < block.index.line_count() && out.size() < kLinesToTry; ++i) {
    const std::string_view line = LineText(block, i);
    if (IsBlankLine(line)) continue;
    if (IsMark(line[0])) {
      if (block.block.unwrapped && line[0] != kNoRecordMark) headed = line[0] == kHeaderMark;
      continue;
    }
    Format ignored;
    headed = headed || IsHeader(block, i, &ignored);
    if (!headed) out.push_back(line);
  }
  return out;
}

absl::Status ScannedSource::FindHeaderless(const ResolvedBlock& block, size_t first, Report* report) {
  if (options_.format) {
    headerless_ = std::make_shared<const Format>(*options_.format);
  } else {
    const std::vector<std::string_view> lines = HeaderlessLines(block, first);
    if (lines.empty()) return absl::OkStatus();
    absl::StatusOr<InferredFormat> inferred = InferFormat(lines, name_);
    if (!inferred.ok()) return inferred.status();
    if (!inferred->evidence.empty()) report->Warn(std::move(inferred->evidence));
    headerless_ = std::move(inferred->format);
  }
  report->CountFormat(headerless_->ToString());
  return absl::OkStatus();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
