#include "src/scan/resolved_block.h"

#include <utility>

#include "src/container/inner_text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

std::string_view LineText(const ResolvedBlock& block, size_t line) {
  if (block.block.long_line) return block.block.text;
  const TextLine& of = block.index.line(line);
  return block.block.text.substr(of.begin, of.end - of.begin);
}

Errc CheckLine(const ResolvedBlock& block, size_t number, size_t width, size_t max_line_bytes, bool* blank,
               uint32_t* at) {
  const TextLine& line = block.index.line(number);
  *blank = false;
  *at = 0;
  if (block.block.KindOf(number) == LineKind::kNoRecord) return Errc::kNoRecord;
  if (line.end - line.begin > max_line_bytes) return Errc::kLineTooLong;
  if (const uint32_t bad = block.index.BadIn(line); bad != line.end) {
    *at = bad - line.begin;
    return Errc::kControlByte;
  }
  *blank = line.count == 0;
  if (*blank || line.count == width) return Errc::kOk;
  *at = (line.count < width ? line.end : block.index.token(line.first + width - 1).end) - line.begin;
  return line.count < width ? Errc::kTooFewFields : Errc::kTooManyFields;
}

void AddReject(const ResolvedBlock& block, size_t line, Errc reason, uint32_t at, std::string field, Report* report) {
  ++report->rejects_by_reason[static_cast<size_t>(reason)];
  const std::vector<LineInfo>& origins = block.block.origins;
  const uint64_t number = line < origins.size() ? origins[line].origin : block.first_line + line;
  constexpr size_t kExcerpt = 200;
  std::string outer;
  std::string_view text = LineText(block, line).substr(0, 2 * kExcerpt + 2);
  if (block.escaped) text = OuterText(text, &outer);
  report->rejects.push_back({block.source, *block.name, number, block.PlaceOf(line), at + 1, std::move(field), reason,
                             Printable(text, kExcerpt)});
  if (report->rejects.size() >= 2 * Report::kMaxRejectSamples) report->TrimRejects();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
