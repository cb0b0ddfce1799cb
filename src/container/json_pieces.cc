#include "src/container/json_pieces.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

uint64_t CountLineEnds(std::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

JsonSplitter::Piece JsonPieces::Take(std::string_view text, bool last, uint64_t line, uint64_t* origin) {
  if (!splitter_.in_document()) document_line_ = line;
  const bool entry = splitter_.in_entries();
  const JsonSplitter::Piece piece = splitter_.Next(text, last);
  json_.TakePiece(piece);
  *origin = document_line_;
  if (entry) *origin = line + CountLineEnds(text.substr(0, std::min(text.find_first_not_of(", \t\r\n"), text.size())));
  return piece;
}

JsonSplitter::Kind JsonPieces::border() const {
  return json_.holds_any() ? JsonSplitter::Kind::kNone : splitter_.border();
}

bool JsonParts::Take(std::string_view part, bool last, const RecordLines::State& before) {
  lines_.GoOn(before);
  lines_.out().clear();
  origins_.clear();
  rest_.append(part);
  JsonSplitter::Pad(&rest_);
  std::string_view rest = rest_;
  bool whole = true;
  while (true) {
    uint64_t origin = 0;
    const JsonSplitter::Piece piece = pieces_.Take(rest, last, line_, &origin);
    for (const LineKind kind : lines_.kinds()) origins_.push_back({origin, kind});
    lines_.ClearKinds();
    line_ += CountLineEnds(rest.substr(0, piece.consumed));
    rest.remove_prefix(piece.consumed);
    whole &= piece.kind != JsonSplitter::Kind::kCut;
    if (piece.kind == JsonSplitter::Kind::kMore) break;
  }
  rest_.erase(0, rest_.size() - rest.size());
  return whole;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
