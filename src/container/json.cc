#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "src/container/containers.h"
#include "src/container/json_records.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class JsonStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void Step(bool last) override {
    if (!whole_ && !Decide(last)) return;
    if (!*whole_) return Lines(last);
    while (true) {
      if (!splitter_.in_document()) document_line_ = line();
      const JsonSplitter::Piece piece = splitter_.Next(rest(), last);
      json_.TakePiece(piece);
      if (wrote_lines()) NoteOrigins(piece.kind == JsonSplitter::Kind::kDocument ? document_line_ : LineOfNext());
      TakeLines(piece.consumed);
      if (piece.kind == JsonSplitter::Kind::kCut)
        Fail(absl::DataLossError(absl::StrCat(name_, ": the JSON is cut; what came before is read")));
      if (piece.kind == JsonSplitter::Kind::kMore) return;
    }
  }
  // A document goes on behind its first line if that ends as no document does, or if the next begins as none does.
  // False if more of the text is needed to tell.
  bool Decide(bool last) {
    constexpr std::string_view kBlanks = " \t\r\n", kGoesOnBehind = "{[,:", kGoesOnWith = "}],:";
    const std::string_view text = rest();
    const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    const size_t end = text.find('\n', begin);
    const size_t next = text.find_first_not_of(kBlanks, std::min(end, text.size()));
    if (next == std::string_view::npos && !last && text.size() <= kMaxEntry) return false;
    if (end == std::string_view::npos && (!last || cut())) {
      whole_ = true;  // one line, and very long or without its end
    } else {
      const size_t tail = text.substr(0, end).find_last_not_of(kBlanks);
      whole_ = (tail != std::string_view::npos && kGoesOnBehind.find(text[tail]) != std::string_view::npos) ||
               (next != std::string_view::npos && kGoesOnWith.find(text[next]) != std::string_view::npos);
    }
    return true;
  }
  void TakeLine(std::string_view line) override { json_.Take(line); }

  JsonRecords json_{&lines_};
  JsonSplitter splitter_;
  uint64_t document_line_ = 1;
  std::optional<bool> whole_;  // the text is one document, or several over many lines
};

bool IsJsonText(std::string_view head) { return head.starts_with('{') || head.starts_with('['); }

}  // namespace

const Wrapping kJsonWrapping = {IsJsonText, UnwrapAs<JsonStream>};

}  // namespace internal
VPCFLOW_NAMESPACE_END
