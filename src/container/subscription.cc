#include <algorithm>
#include <utility>

#include "src/container/blob.h"
#include "src/container/containers.h"
#include "src/container/json_records.h"
#include "src/container/known_formats.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// A blob a line, or one over lines of 76 or 64 characters, as `base64` and `openssl` write it.
class SubscriptionStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void Step(bool last) override {
    Lines(last);
    if (last && !cut()) {
      TakePending();
      NoteOrigins(line());
    }
  }

  void TakeLine(std::string_view line) override {
    if (pending_.empty()) {
      if (IsFull(line.size())) {
        width_ = line.size();
        pending_ = line;
      } else {
        TakeBlob(line);
      }
      return;
    }
    if (line.size() > width_ || pending_.size() > kMaxEntry || (pending_.size() == width_ && IsWhole(pending_)))
      TakePending();
    if (pending_.empty()) return TakeLine(line);
    pending_ += line;
    if (line.size() < width_) TakePending();
  }

  static bool IsFull(size_t size) { return size == 76 || size == 64; }
  // Whether a line is a blob by itself, though it has the size of one of several.
  static bool IsWhole(std::string_view line) {
    const std::string text = UnpackBlob(line);
    return text.ends_with('\n') || text.ends_with('}') || IsKnownRecord(text);
  }

  void TakePending() {
    const std::string pending = std::exchange(pending_, {});
    if (pending.empty() || Take(pending)) return;
    for (size_t at = 0; at < pending.size(); at += width_) TakeBlob(std::string_view(pending).substr(at, width_));
  }

  void TakeBlob(std::string_view blob) {
    if (!Take(blob)) lines_.NoRecord(blob);
  }

  // False if it is no blob.
  bool Take(std::string_view blob) {
    const std::string text = UnpackBlob(blob);
    lines_.CountUnpacked(text.size());
    const size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return false;
    if (text[begin] == '{' || text[begin] == '[') {
      json_.Take(text);
      return true;
    }
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      lines_.Message(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    return true;
  }

  JsonRecords json_{&lines_};
  std::string pending_;  // whole lines of a blob over several
  size_t width_ = 0;     // of each of them
};

bool IsSubscriptionText(std::string_view head) { return IsBlob(FirstLine(head)); }

}  // namespace

const Wrapping kSubscriptionWrapping = {IsSubscriptionText, UnwrapAs<SubscriptionStream>};

}  // namespace internal
VPCFLOW_NAMESPACE_END
