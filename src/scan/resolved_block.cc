#include "src/scan/resolved_block.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "src/container/inner_text.h"
#include "src/container/json_lines.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

namespace {

// Where the text of a line of JSON was written; nothing for values that stand where they are.
std::optional<size_t> WrittenPlace(const ResolvedBlock& block, size_t line) {
  const std::vector<WrittenLine>& written = block.json->written_lines();
  if (line < written.size() && written[line].number == line) return written[line].place;  // so far all were
  const auto at = std::lower_bound(written.begin(), written.end(), line,
                                   [](const WrittenLine& w, size_t number) { return w.number < number; });
  return at == written.end() || at->number != line ? std::nullopt : std::optional(at->place);
}

}  // namespace

size_t ResolvedBlock::bytes() const { return of_json() ? json->bytes() : block.text.size(); }

std::string_view LineText(const ResolvedBlock& block, size_t line, std::string* scratch) {
  if (block.block.long_line) return block.block.text;
  const TextLine& of = block.index.line(line);
  const std::string_view text = block.block.text;
  if (!block.of_json()) return text.substr(of.begin, of.end - of.begin);
  if (const std::optional<size_t> place = WrittenPlace(block, line)) return text.substr(*place, of.end - of.begin);
  scratch->clear();
  for (size_t i = 0; i < of.count; ++i) {
    const Token token = block.index.token(of.first + i);
    if (i > 0) *scratch += ' ';
    scratch->append(text.substr(token.begin, token.end - token.begin));
  }
  return *scratch;
}

uint32_t PlaceInLine(const ResolvedBlock& block, size_t line, uint32_t at) {
  const TextLine& of = block.index.line(line);
  if (!block.of_json()) return at - of.begin;
  if (const std::optional<size_t> place = WrittenPlace(block, line)) return at - static_cast<uint32_t>(*place);
  uint32_t before = 0;
  for (size_t i = 0; i < of.count; ++i) {
    const Token token = block.index.token(of.first + i);
    if (at >= token.begin && at < token.end) return before + at - token.begin;
    before += token.end - token.begin + 1;
  }
  return before;
}

void SkipByteOrderMark(ResolvedBlock* block, size_t line) {
  constexpr uint32_t kMark = 3;
  if (!block->of_json()) {
    block->index.SkipByteOrderMark(block->block.text.data(), line);
    return;
  }
  TokenArrays* const arrays = block->index.Reserve(0);
  TextLine& of = arrays->lines[line];
  if (of.count == 0 || !block->block.text.substr(arrays->begins[of.first]).starts_with("\xEF\xBB\xBF")) return;
  if (arrays->ends[of.first] == arrays->begins[of.first] + kMark) {  // nothing but the mark
    ++of.first;
    --of.count;
  } else {
    arrays->begins[of.first] += kMark;
  }
}

Errc CheckLine(const ResolvedBlock& block, size_t number, size_t width, size_t max_line_bytes, bool* blank,
               uint32_t* at) {
  const TextLine& line = block.index.line(number);
  *blank = false;
  *at = 0;
  if (block.block.KindOf(number) == LineKind::kNoRecord) return Errc::kNoRecord;
  if (line.end - line.begin > max_line_bytes) return Errc::kLineTooLong;
  if (const uint32_t bad = block.index.BadIn(line); bad != line.end) {
    *at = bad - line.begin;  // both places in lines
    return Errc::kControlByte;
  }
  *blank = line.count == 0;
  if (*blank || line.count == width) return Errc::kOk;
  *at = line.count < width ? line.end - line.begin
                           : PlaceInLine(block, number, block.index.token(line.first + width - 1).end);
  return line.count < width ? Errc::kTooFewFields : Errc::kTooManyFields;
}

void AddReject(const ResolvedBlock& block, size_t line, Errc reason, uint32_t at, std::string field, Report* report) {
  ++report->rejects_by_reason[static_cast<size_t>(reason)];
  const std::vector<LineInfo>& origins = block.block.origins;
  const uint64_t number = line < origins.size() ? origins[line].origin : block.first_line + line;
  constexpr size_t kExcerpt = 200;
  std::string found, outer;
  std::string_view text = LineText(block, line, &found).substr(0, 2 * kExcerpt + 2);
  if (block.escaped) text = OuterText(text, &outer);
  report->rejects.push_back({block.source, *block.name, number, block.PlaceOf(line), at + 1, std::move(field), reason,
                             Printable(text, kExcerpt)});
  if (report->rejects.size() >= 2 * Report::kMaxRejectSamples) report->TrimRejects();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
