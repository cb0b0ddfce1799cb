#include "src/scan/scanned_text.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/container/column_names.h"
#include "src/container/inner_text.h"
#include "src/container/json_lines.h"
#include "src/container/json_pieces.h"
#include "src/container/open.h"
#include "src/scan/header_line.h"
#include "src/scan/infer.h"
#include "src/simd/kernels.h"
#include "src/source/more_to_come.h"

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
  std::string scratch;
  const std::string_view text = LineText(block, line, &scratch);
  if (block.block.unwrapped) return ParseUnwrappedHeader(text, current, out);
  return ParseHeaderLine(text, current, current == nullptr && block.first_line + line <= kFirstLines, out);
}

// The first byte of a line that is no object's.
char FirstByte(const ResolvedBlock& block, size_t line) {
  std::string none;  // such lines were written
  const std::string_view text = LineText(block, line, &none);
  return text.empty() ? '\n' : text[0];
}

absl::Status UnpacksToTooMuch() {
  return absl::OutOfRangeError(absl::StrCat("what is packed in some lines unpacks to more than ", JsonLines::kMostBytes,
                                            " bytes; they and the rest were not read"));
}

// The lines from `first` that nothing tells the format of: up to a header, which sets *header if given, without objects,
// at most kLinesToTry.
std::vector<std::string_view> LinesWithoutFormat(const ResolvedBlock& block, size_t first, bool* header = nullptr) {
  std::vector<std::string_view> out;
  std::string none;  // those that are no objects were written
  for (size_t i = first; i < block.index.line_count() && out.size() < kLinesToTry; ++i) {
    if (block.block.KindOf(i) != LineKind::kMessage) continue;
    const std::string_view line = LineText(block, i, &none);
    if (IsBlankLine(line)) continue;
    if (Format ignored; ParseHeaderAt(block, i, nullptr, &ignored)) {
      if (header != nullptr) *header = true;
      break;
    }
    out.push_back(line);
  }
  return out;
}

}  // namespace

ScannedText::ScannedText(const Source& source, uint32_t number, const ScanOptions& options, bool shared,
                         Cancelled cancelled, std::atomic<uint64_t>* stored_bytes, std::unique_ptr<ByteStream> opened)
    : ScannedSource(source.name(), number + options.first_source),
      options_(options),
      reader_(source, options.container, std::move(cancelled), std::clamp(options.block_bytes, size_t{64}, kMostBytes),
              std::clamp(options.max_line_bytes, size_t{1024}, kMostBytes), options.max_output_bytes, shared,
              stored_bytes, std::move(opened)) {}

absl::StatusOr<bool> ScannedText::Take(ResolvedBlock* out, Report* /*report*/) {
  out->table = {};
  out->by_row = false;
  out->segments.clear();
  absl::StatusOr<bool> more = reader_.Next(&out->block);
  waits_for_format_ = false;
  if (!reader_.was_short() || options_.format || formats_[0] != nullptr) return more;
  if (absl::Status s = Prepare(out); !s.ok()) return s;
  if (TellsFormat(*out)) return more;
  waits_for_format_ = true;
  reader_.PutBack(&out->block);
  return MoreToCome();
}

// Whether what Settle finds for the lines of a first block does not depend on those behind them.
bool ScannedText::TellsFormat(const ResolvedBlock& block) const {
  bool header = false;
  const std::vector<std::string_view> lines = LinesWithoutFormat(block, 0, &header);
  if (header || lines.empty()) return true;
  const absl::StatusOr<InferredFormat> inferred = InferFormat(lines, name());
  return inferred.ok() && (inferred->evidence.empty() || lines.size() == kLinesToTry);
}

absl::Status ScannedText::Prepare(ResolvedBlock* out) {
  absl::Status cut = reader_.Fill(&out->block);
  if (out->block.json) {
    const absl::Status taken = TakeJson(out);
    return cut.ok() ? taken : cut;
  }
  const std::string_view text = out->block.text;
  out->escaped = out->block.unwrapped && HasEscapes(text);
  if (!out->block.long_line) ActiveKernels().index(text.data(), text.size(), out->index.Reserve(text.size()));
  return cut;
}

absl::Status ScannedText::TakeJson(ResolvedBlock* out) const {
  RecordLines::State before;
  JsonSplitter::Kind border;
  {
    const std::lock_guard lock(json_mutex_);
    before = json_;
    border = border_;
  }
  out->json_taken = false;
  if (out->block.pieces && (out->block.last || border == JsonSplitter::Kind::kNone)) return absl::OkStatus();
  return TakeJson(out, border, before);
}

// The records of JSON that comes behind `before`; what is written of them goes behind the JSON.
absl::Status ScannedText::TakeJson(ResolvedBlock* out, JsonSplitter::Kind border,
                                   const RecordLines::State& before) const {
  constexpr size_t kPadding = JsonLines::kPadding;
  if (out->json == nullptr) out->json = std::make_shared<JsonLines>();
  JsonLines& json = *out->json;
  Block& block = out->block;
  const size_t size = block.text.size();
  block.Reserve(size, size + kPadding);
  std::memset(block.storage.get() + size, 0, kPadding);
  block.text = {block.storage.get(), size};
  const bool taken = block.beginning ? json.TakeBeginning(block.text, before, &out->index, &block.origins)
                     : block.pieces  ? json.TakePieces(block.text, border, before, &out->index, &block.origins)
                                     : json.Take(block.text, before, &out->index, &block.origins);
  out->json_taken = taken || !block.pieces;
  if (!out->json_taken) return absl::OkStatus();
  const std::string& written = json.written();
  const size_t all = size + kPadding + written.size() + kPadding;
  block.Reserve(size + kPadding, all);
  char* const behind = block.storage.get() + size + kPadding;
  std::memcpy(behind, written.data(), written.size());
  std::memset(behind + written.size(), 0, kPadding);
  block.text = {block.storage.get(), all};
  block.no_records = json.no_records() > 0;
  out->escaped = HasEscapes(written);
  return taken ? absl::OkStatus() : UnpacksToTooMuch();
}

absl::Status ScannedText::SettleJson(ResolvedBlock* out) {
  if (out->block.pieces && !(out->json_taken && out->json->border() == border_ && out->json->ComesBehind(json_)))
    return SettlePieces(out);
  JsonLines& json = *out->json;
  if (!json.ComesBehind(json_)) {
    out->block.text = json.text();
    if (absl::Status s = TakeJson(out, border_, json_); !s.ok()) return s;
  }
  {
    const std::lock_guard lock(json_mutex_);
    json_ = {json.columns(), json_.no_records + json.no_records(), json.problem()};
  }
  out->block.offset = json_offset_;
  json_offset_ += json.bytes();
  for (LineInfo& line : out->block.origins) line.origin += json_line_ - 1;
  json_line_ += json.lines();
  if (out->block.pieces) parts_->PassOver(json.lines());
  return absl::OkStatus();
}

// What is no run of whole pieces becomes text, as in other containers.
absl::Status ScannedText::SettlePieces(ResolvedBlock* out) {
  if (parts_ == nullptr) parts_ = std::make_shared<JsonParts>();
  Block& block = out->block;
  const std::string_view part(block.storage.get(), out->json_taken ? out->json->text().size() : block.text.size());
  if (!parts_->Take(part, block.last, json_) && !block.cut) behind_ = JsonIsCut(name());
  const RecordLines& lines = parts_->lines();
  const std::string& text = lines.out();
  if (text.size() > JsonLines::kMostBytes) return UnpacksToTooMuch();
  block.Reserve(0, text.size());
  std::memcpy(block.storage.get(), text.data(), text.size());
  block.text = {block.storage.get(), text.size()};
  block.json = false;
  block.origins = parts_->origins();
  block.no_records = lines.no_records() > json_.no_records;
  block.offset = json_offset_;
  json_offset_ += text.size();
  json_line_ = parts_->line();
  out->escaped = HasEscapes(text);
  ActiveKernels().index(text.data(), text.size(), out->index.Reserve(text.size()));
  const std::lock_guard lock(json_mutex_);
  json_ = {lines.columns(), lines.no_records(), lines.problem()};
  border_ = parts_->border();
  return absl::OkStatus();
}

absl::Status ScannedText::Settle(ResolvedBlock* out, Report* report) {
  out->first_line = line_;
  if (out->of_json()) {
    if (absl::Status s = SettleJson(out); !s.ok()) return s;
  }
  if (out->block.long_line) {
    ++line_;
    ++report->lines;
    return absl::OkStatus();
  }
  const size_t lines = out->index.line_count();
  line_ += lines;
  report->lines += lines;
  report->text_bytes += out->bytes();
  size_t first = 0;
  std::optional<absl::StatusOr<std::shared_ptr<const Format>>> found;  // it is looked for once in a block
  const std::string_view text = out->block.text;
  const bool unwrapped = out->block.unwrapped;
  // Closes a segment before a line, whose format was `before`. Lines before the first header are of the format that a
  // source without header would have, else of the header's, which makes them rejects, as messages among objects are of
  // AWS's default.
  const auto close = [&](size_t end, std::shared_ptr<const Format> before, std::shared_ptr<const Format>& in_force,
                         bool turns) {
    if (end == first) return;
    if (before == nullptr && !found) found = FindFormat(*out, first, report);
    if (before == nullptr && found->ok()) before = **found;
    if (in_force == nullptr) in_force = before;
    if (before == nullptr && turns) before = AnyFormat(found->status(), report);
    if (before == nullptr) before = in_force;
    out->segments.push_back({first, end, std::move(before)});
    first = end;
  };
  // Lines that all begin low are no headers in small letters.
  size_t look = lines;
  if (!unwrapped && out->index.lines_begin_low() && (other_header_.empty() || IsLow(other_header_[0])))
    look = out->first_line <= kFirstLines ? std::min(lines, kFirstLines) : 0;
  for (size_t i = 0; i < look; ++i) {
    const LineKind kind = out->block.KindOf(i);
    if (kind == LineKind::kNoRecord) continue;
    if (unwrapped && (kind != LineKind::kMessage) != (objects_ != 0)) {
      std::shared_ptr<const Format>& in_force = formats_[objects_];
      close(i, in_force, in_force, /*turns=*/true);
      objects_ = kind != LineKind::kMessage;
    }
    if (kind == LineKind::kObject) continue;
    const size_t begin = out->index.line(i).begin;
    if (begin >= out->bytes()) break;
    const char c = out->of_json() ? FirstByte(*out, i) : text[begin];
    const bool indented = IsBlank(c) && out->first_line + i <= kFirstLines;
    if (!IsLetter(c) && c != '\xEF' && !indented) continue;
    std::shared_ptr<const Format>& in_force = formats_[objects_];
    std::shared_ptr<const Format> before = in_force;
    if (!TakeHeader(*out, i, report)) {
      if (c == '\xEF') SkipByteOrderMark(out, i);  // before a record
      continue;
    }
    close(i, std::move(before), in_force, /*turns=*/false);
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
std::shared_ptr<const Format> ScannedText::AnyFormat(const absl::Status& problem, Report* report) {
  if (!problem.ok() && !std::exchange(told_problem_, true)) report->Warn(std::string(problem.message()));
  return std::make_shared<const Format>(Format::Default());
}

bool ScannedText::TakeHeader(const ResolvedBlock& block, size_t line, Report* report) {
  const Format* current = format().get();
  std::string none;  // headers were written
  const std::string_view text = LineText(block, line, &none);
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

void ScannedText::SetFormat(Format format, Report* report) {
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
absl::StatusOr<std::shared_ptr<const Format>> ScannedText::FindFormat(const ResolvedBlock& block, size_t first,
                                                                      Report* report) const {
  std::shared_ptr<const Format> out;
  if (options_.format) {
    out = std::make_shared<const Format>(*options_.format);
  } else {
    const std::vector<std::string_view> lines = LinesWithoutFormat(block, first);
    if (lines.empty()) return out;
    absl::StatusOr<InferredFormat> inferred = InferFormat(lines, name());
    if (!inferred.ok()) return inferred.status();
    if (!inferred->evidence.empty()) report->Warn(std::move(inferred->evidence));
    out = std::move(inferred->format);
  }
  report->CountFormat(out->ToString());
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
