#include "src/container/unwrap_stream.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/container/json_splitter.h"
#include "src/source/more_to_come.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kStep = size_t{64} << 10;

}  // namespace

absl::StatusOr<size_t> UnwrapStream::Read(char* buffer, size_t size) {
  std::string& out = lines_.out();
  while (given_ == out.size()) {
    out.clear();
    given_ = 0;
    if (done_) {
      if (error_.ok()) return 0;
      return std::exchange(error_, absl::OkStatus());
    }
    const absl::StatusOr<bool> more = Refill();
    if (!more.ok()) return more.status();
    done_ = !*more;
    Step(done_);
    CheckUnpacked();
  }
  const size_t n = std::min(size, out.size() - given_);
  std::memcpy(buffer, out.data() + given_, n);
  given_ += n;
  return n;
}

void UnwrapStream::TakeOrigins(size_t n, std::vector<LineInfo>* out) {
  const size_t have = std::min(n, origins_.size());
  out->insert(out->end(), origins_.begin(), origins_.begin() + static_cast<ptrdiff_t>(have));
  origins_.erase(origins_.begin(), origins_.begin() + static_cast<ptrdiff_t>(have));
}

void UnwrapStream::NoteOrigins(uint64_t line) {
  for (const LineKind kind : lines_.kinds()) origins_.push_back({line, kind});
  lines_.ClearKinds();
}

void UnwrapStream::TakeLines(size_t n) {
  const std::string_view text = rest().substr(0, n);
  line_ += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  Take(n);
}

void UnwrapStream::Lines(bool last) {
  while (!done_ || last) {
    const std::string_view text = rest();
    const size_t end = text.find('\n', std::min(searched_, text.size()));
    if (end == std::string_view::npos && !last) {
      searched_ = text.size();
      if (text.size() <= kMaxEntry) return;
      if (!skipping_) lines_.NoRecord(text);
      NoteOrigins(line_);
      skipping_ = true;
      Take(text.size());
      searched_ = 0;
      return;
    }
    if (end == std::string_view::npos && cut_) return Take(text.size());
    searched_ = 0;
    std::string_view line = text.substr(0, end);
    Take(std::min(text.size(), line.size() + 1));
    if (std::exchange(skipping_, false)) line = {};
    line = line.substr(0, line.find_last_not_of(" \r") + 1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) TakeLine(line);
    CheckUnpacked();
    NoteOrigins(line_);
    ++line_;
    if (end == std::string_view::npos) return;
  }
}

void UnwrapStream::CheckUnpacked() {
  if (max_unpacked_ == 0 || lines_.unpacked() <= max_unpacked_) return;
  Fail(absl::OutOfRangeError(absl::StrCat(name_, ": what is packed in it unpacks to more than max_output_bytes, ",
                                          max_unpacked_, "; the rest of it was not read")));
  Take(rest().size());
}

absl::StatusOr<bool> UnwrapStream::Refill() {
  if (begin_ > 0) {
    input_.erase(0, begin_);
    begin_ = 0;
  }
  const size_t have = input_.size();
  input_.resize(have + kStep);
  absl::StatusOr<size_t> n = stream_->Read(input_.data() + have, kStep);
  input_.resize(have + (n.ok() ? *n : 0));
  JsonSplitter::Pad(&input_);
  if (IsMoreToCome(n.status())) return n.status();
  if (!n.ok()) {
    error_ = n.status();
    cut_ = true;
    return false;
  }
  return *n > 0;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
