#include "src/scan/scanned_source.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/container/column_names.h"
#include "src/container/inner_text.h"
#include "src/scan/header_line.h"
#include "src/scan/infer.h"
#include "src/scan/short_wait.h"
#include "src/simd/kernels.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Of a block and of a line: what both make together can be indexed.
constexpr size_t kMostBytes = size_t{1} << 30;
static_assert(2 * kMostBytes <= kMaxIndexedBytes);

bool IsBlankLine(std::string_view line) { return std::all_of(line.begin(), line.end(), IsBlank); }

constexpr bool IsLow(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsLetter(char c) { return IsLow(c) || (c >= 'A' && c <= 'Z'); }

bool ParseHeaderAt(const ResolvedBlock& block, size_t line, const Format* current, Format* out) {
  const std::string_view text = LineText(block, line);
  if (block.block.unwrapped) return ParseUnwrappedHeader(text, current, out);
  return ParseHeaderLine(text, current, current == nullptr && block.first_line + line <= kFirstLines, out);
}

// The lines from `first` that nothing tells the format of: up to a header, without objects, no more than kLinesToTry.
std::vector<std::string_view> LinesWithoutFormat(const ResolvedBlock& block, size_t first) {
  std::vector<std::string_view> out;
  bool objects = false;
  for (size_t i = first; i < block.index.line_count() && out.size() < kLinesToTry; ++i) {
    const std::string_view line = LineText(block, i);
    if (IsBlankLine(line)) continue;
    if (IsMark(line[0])) {
      if (block.block.unwrapped && line[0] != kNoRecordMark) objects = line[0] == kObjectsMark;
    } else if (!objects) {
      if (Format ignored; ParseHeaderAt(block, i, nullptr, &ignored)) break;
      out.push_back(line);
    }
  }
  return out;
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
  constexpr size_t kExcerpt = 200;
  std::string outer;
  std::string_view text = LineText(block, line).substr(reason == Errc::kNoRecord ? 1 : 0, 2 * kExcerpt + 2);
  if (block.escaped) text = OuterText(text, &outer);
  report->rejects.push_back({block.source, *block.name, number, block.block.offset + begin, at + 1, std::move(field),
                             reason, Printable(text, kExcerpt)});
  if (report->rejects.size() >= 2 * Report::kMaxRejectSamples) report->TrimRejects();
}

ScannedSource::ScannedSource(const Source& source, uint32_t number, const ScanOptions& options, bool shared,
                             Source::Cancelled cancelled, std::atomic<uint64_t>* stored_bytes,
                             std::unique_ptr<ByteStream> opened)
    : options_(options),
      name_(source.name()),
      number_(number + options.first_source),
      reader_(source, options.container, std::move(cancelled), std::clamp(options.block_bytes, size_t{64}, kMostBytes),
              std::clamp(options.max_line_bytes, size_t{1024}, kMostBytes), options.max_output_bytes, shared,
              stored_bytes, std::move(opened)) {}

absl::StatusOr<bool> ScannedSource::Next(ResolvedBlock* out, Report* report) {
  {
    const std::unique_lock lock = LockSoon(read_mutex_);
    if (!cut_.ok()) return std::exchange(cut_, absl::OkStatus());
    if (finished_) return false;
    finished_ = true;  // also by an exception: its block may have a number, and blocks behind that would wait for it
    absl::StatusOr<bool> more = reader_.Next(&out->block);
    told_ = told_ || !more.ok();
    if (!more.ok() || !*more) return more;
    finished_ = false;
  }
  out->source = number_;
  out->name = &name_;
  out->segments.clear();
  // Whatever happens here, the block's turn must be taken: later blocks wait for it.
  std::exception_ptr thrown;
  absl::Status cut;
  try {
    cut = reader_.Fill(&out->block);
    const std::string_view text = out->block.text;
    out->escaped = out->block.unwrapped && HasEscapes(text);
    if (!out->block.long_line) ActiveKernels().index(text.data(), text.size(), out->index.Reserve(text.size()));
  } catch (...) {
    thrown = std::current_exception();
  }
  const auto is_next = [&] { return resolved_ == out->block.sequence; };
  SpinUntil(is_next);
  std::unique_lock lock = LockSoon(order_mutex_);
  order_.wait(lock, is_next);
  absl::Status status;
  const bool failed_before = failed_;
  failed_ = true;  // unless this block is settled
  if (!failed_before && thrown == nullptr) {
    try {
      status = Resolve(out, report);
      failed_ = !status.ok() || !cut.ok();
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  ++resolved_;
  order_.notify_all();
  if (thrown != nullptr) std::rethrow_exception(thrown);
  if (failed_before) return false;
  if (!failed_) return true;
  lock.unlock();
  std::lock_guard read_lock(read_mutex_);
  finished_ = true;
  if (std::exchange(told_, true)) return status.ok();
  if (!status.ok()) return status;
  cut_ = std::move(cut);  // behind the lines before it
  return true;
}

SourceQueue::SourceQueue(const std::vector<Source>& sources, const ScanOptions& options, bool shared,
                         Source::Cancelled cancelled, std::atomic<uint64_t>* stored_bytes)
    : sources_(sources),
      options_(options),
      shared_(shared),
      cancelled_(std::move(cancelled)),
      stored_bytes_(stored_bytes) {
  if (options.duplicates == Duplicates::kOnce && sources.size() > 1) duplicates_.emplace(sources, cancelled_);
}

std::unique_ptr<ScannedSource> SourceQueue::Next(Report* report) {
  constexpr uint64_t kNamed = 5;
  if (!std::exchange(noted_, true)) {
    for (const std::string& note : options_.notes) report->Warn(note);
  }
  while (next_ < sources_.size() && !(cancelled_ && cancelled_())) {
    const size_t number = next_++;
    const Source& source = sources_[number];
    size_t same_as = kNoDuplicate;
    std::unique_ptr<ByteStream> opened = duplicates_ ? duplicates_->Open(number, &same_as) : nullptr;
    if (same_as == kNoDuplicate) {
      ++report->sources;
      if (report->names.size() < Report::kMaxNames) report->names.push_back(source.name());
      return std::make_unique<ScannedSource>(source, static_cast<uint32_t>(number), options_, shared_, cancelled_,
                                             stored_bytes_, std::move(opened));
    }
    if (stored_bytes_ != nullptr) *stored_bytes_ += source.size();
    if (++report->duplicates <= kNamed)
      report->Warn(absl::StrCat(source.name(), " has the same bytes as ", sources_[same_as].name(), ": read once"));
  }
  return nullptr;
}

SourceSequence::SourceSequence(const std::vector<Source>& sources, const ScanOptions& options)
    : cancelled_(std::make_unique<bool>(false)),
      sources_(sources, options, /*shared=*/false, [&options, ended = cancelled_.get()] {
        if (!*ended && options.poll) *ended = !options.poll({});
        return *ended;
      }) {}

bool SourceSequence::Next(ResolvedBlock* out, Report* report) {
  while (true) {
    if (source_ == nullptr && (source_ = sources_.Next(report)) == nullptr) return false;
    absl::StatusOr<bool> more = source_->Next(out, report);
    if (more.ok() && *more) return true;
    if (absl::IsCancelled(more.status())) *cancelled_ = true;
    if (!more.ok() && !*cancelled_) report->errors.push_back(WithSource(more.status(), source_->name()));
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
  std::optional<absl::StatusOr<std::shared_ptr<const Format>>> found;  // it is looked for once in a block
  const std::string_view text = out->block.text;
  // Lines that all begin low are no headers in small letters.
  size_t look = lines;
  if (out->index.lines_begin_low() && (other_header_.empty() || IsLow(other_header_[0])))
    look = out->first_line <= kFirstLines ? std::min(lines, kFirstLines) : 0;
  for (size_t i = 0; i < look; ++i) {
    const size_t begin = out->index.line(i).begin;
    if (begin >= text.size()) break;
    const char c = text[begin];
    const bool mark = (c == kMessagesMark || c == kObjectsMark) && out->block.unwrapped;
    const bool indented = IsBlank(c) && out->first_line + i <= kFirstLines;
    if (!IsLetter(c) && c != '\xEF' && !mark && !indented) continue;
    std::shared_ptr<const Format>& lines_format = formats_[objects_];
    std::shared_ptr<const Format> before = lines_format;
    if (mark) {
      objects_ = c == kObjectsMark;
    } else if (!TakeHeader(*out, i, report)) {
      if (c == '\xEF') out->index.SkipByteOrderMark(text.data(), i);  // before a record
      continue;
    }
    if (i > first) {
      // Lines before the first header: of the format that a source without header would have, else of the header's,
      // which makes them rejects, as messages among objects are of AWS's default.
      if (before == nullptr && !found) found = FindFormat(*out, first, report);
      if (before == nullptr && found->ok()) before = **found;
      if (lines_format == nullptr) lines_format = before;
      if (before == nullptr && mark) before = AnyFormat(found->status(), report);
      if (before == nullptr) before = lines_format;
      out->segments.push_back({first, i, std::move(before)});
    }
    first = i + 1;
  }
  if (first < lines) {
    std::shared_ptr<const Format>& format = formats_[objects_];
    if (format == nullptr) {
      if (!found) found = FindFormat(*out, first, report);
      if (!found->ok() && formats_[1] == nullptr) return found->status();
      if (found->ok()) format = **found;
    }
    out->segments.push_back({first, lines, format != nullptr ? format : AnyFormat(found->status(), report)});
  }
  return absl::OkStatus();
}

// For blank lines, entries without record and, which is told, messages among objects that `problem` is about: all of
// them rejects.
std::shared_ptr<const Format> ScannedSource::AnyFormat(const absl::Status& problem, Report* report) {
  if (!problem.ok() && !std::exchange(told_problem_, true)) report->Warn(std::string(problem.message()));
  return std::make_shared<const Format>(Format::Default());
}

bool ScannedSource::TakeHeader(const ResolvedBlock& block, size_t line, Report* report) {
  const Format* current = format().get();
  const std::string_view text = LineText(block, line);
  Format format;
  if (!other_header_.empty() && text == other_header_) {
    format = *other_format_;
  } else if (!ParseHeaderAt(block, line, current, &format)) {
    return false;
  }
  ++report->headers;
  if (current == nullptr || !(format == *current)) SetFormat(std::move(format), report);
  if (!block.block.unwrapped && (!IsLow(text[0]) || !FindField(text.substr(0, text.find_first_of(" \t\r,"))))) {
    other_header_ = std::string(text);
    other_format_ = formats_[objects_];
  }
  return true;
}

void ScannedSource::SetFormat(Format format, Report* report) {
  for (const FormatColumn& column : format.columns()) {
    if (column.field != Field::kUnknown) continue;
    std::string warning = absl::StrCat("field '", column.name, "' is not in the catalogue; kept as text");
    const Field meant = MeaningOf(column.name).field;
    if (format.IndexOf(meant) >= 0) {
      warning = absl::StrCat("column '", column.name, "' is kept as text: another column is the field '",
                             std::string(Info(meant).name), "'");
    } else if (const std::string nearest = NearestField(column.name); !nearest.empty()) {
      absl::StrAppend(&warning, " (nearest known: '", nearest, "')");
    }
    report->Warn(std::move(warning));
  }
  report->CountFormat(format.ToString());
  formats_[objects_] = std::make_shared<const Format>(std::move(format));
}

// The format of lines without header: the one given, or what those from `first` tell. Null for blank lines only.
absl::StatusOr<std::shared_ptr<const Format>> ScannedSource::FindFormat(const ResolvedBlock& block, size_t first,
                                                                        Report* report) const {
  std::shared_ptr<const Format> out;
  if (options_.format) {
    out = std::make_shared<const Format>(*options_.format);
  } else {
    const std::vector<std::string_view> lines = LinesWithoutFormat(block, first);
    if (lines.empty()) return out;
    absl::StatusOr<InferredFormat> inferred = InferFormat(lines, name_);
    if (!inferred.ok()) return inferred.status();
    if (!inferred->evidence.empty()) report->Warn(std::move(inferred->evidence));
    out = std::move(inferred->format);
  }
  report->CountFormat(out->ToString());
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
