#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/container/containers.h"
#include "src/container/json_pieces.h"
#include "src/container/json_records.h"
#include "src/container/open.h"
#include "src/source/prefixed_stream.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Whether a text is one document, or several over many lines, by its beginning; nothing if more of it is needed to
// tell. A document goes on behind its first line if that ends as no document does, or if the next begins as none does.
// `last`: nothing follows; `cut`: an error does.
std::optional<bool> GoesOverLines(std::string_view text, bool last, bool cut) {
  constexpr std::string_view kBlanks = " \t\r\n", kGoesOnBehind = "{[,:", kGoesOnWith = "}],:";
  const size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  const size_t end = text.find('\n', begin);
  const size_t next = text.find_first_not_of(kBlanks, std::min(end, text.size()));
  if (next == std::string_view::npos && !last && text.size() <= kMaxEntry) return std::nullopt;
  if (end == std::string_view::npos && (!last || cut)) return true;  // one line, and very long or without its end
  const size_t tail = text.substr(0, end).find_last_not_of(kBlanks);
  return (tail != std::string_view::npos && kGoesOnBehind.find(text[tail]) != std::string_view::npos) ||
         (next != std::string_view::npos && kGoesOnWith.find(text[next]) != std::string_view::npos);
}

class JsonStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void Step(bool last) override {
    if (!whole_ && !(whole_ = GoesOverLines(rest(), last, cut()))) return;
    if (!*whole_) return Lines(last);
    while (true) {
      uint64_t origin = 0;
      const JsonSplitter::Piece piece = pieces_.Take(rest(), last, line(), &origin);
      if (wrote_lines()) NoteOrigins(origin);
      TakeLines(piece.consumed);
      if (piece.kind == JsonSplitter::Kind::kCut) Fail(JsonIsCut(name_));
      if (piece.kind == JsonSplitter::Kind::kMore) return;
    }
  }
  void TakeLine(std::string_view line) override { json_.Take(line); }

  JsonRecords json_{&lines_};
  JsonPieces pieces_{&lines_};
  std::optional<bool> whole_;  // GoesOverLines
};

bool IsJsonText(std::string_view head) { return head.starts_with('{') || head.starts_with('['); }

}  // namespace

const Wrapping kJsonWrapping = {IsJsonText, UnwrapAs<JsonStream>};

absl::Status JsonIsCut(const std::string& name) {
  return absl::DataLossError(absl::StrCat(name, ": the JSON is cut; what came before is read"));
}

bool IsJsonOfLines(std::unique_ptr<ByteStream>* stream) {
  constexpr size_t kStep = size_t{64} << 10;
  std::string head;
  absl::Status error;
  std::optional<bool> goes_on;
  for (bool last = false; !goes_on; goes_on = GoesOverLines(head, last, !error.ok())) {
    const size_t have = head.size();
    head.resize(have + kStep);
    absl::StatusOr<size_t> n = (*stream)->Read(head.data() + have, kStep);
    head.resize(have + (n.ok() ? *n : 0));
    if (!n.ok()) error = n.status();
    last = !n.ok() || *n == 0;
  }
  *stream = std::make_unique<PrefixedStream>(std::move(head), std::move(*stream), nullptr, std::move(error));
  return !*goes_on;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
