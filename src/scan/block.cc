#include "src/scan/block.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "src/container/json_lines.h"
#include "src/container/unwrap_stream.h"
#include "src/source/more_to_come.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kJsonExcerpt = 4096;  // kept of a line that is too long: tells what it is
constexpr size_t kTail = 1024;         // of a block, in which a line is expected to end

// Size of the whole lines at the beginning of the text, 0 if there is none.
size_t WholeLines(const char* data, size_t size) {
  const void* last = memrchr(data, '\n', size);
  return last == nullptr ? 0 : static_cast<size_t>(static_cast<const char*>(last) - data) + 1;
}

// Size of the text up to the end of its last object that another seems to follow, or a comma and another; 0 if there is
// none. What it is the text before tells.
size_t WholePieces(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  for (size_t end = text.size(); end > 0;) {
    const size_t bracket = text.rfind('}', end - 1);
    if (bracket == std::string_view::npos) return 0;
    size_t next = std::min(text.find_first_not_of(kBlanks, bracket + 1), text.size()), whole = bracket + 1;
    if (next < text.size() && text[next] == ',') {
      whole = next + 1;
      next = std::min(text.find_first_not_of(kBlanks, whole), text.size());
    }
    if (next < text.size() && text[next] == '{') return whole;
    end = bracket;
  }
  return 0;
}

size_t CountLineEnds(std::string_view text) {
  size_t lines = 0;
  for (size_t at = 0; (at = text.find('\n', at)) != std::string_view::npos; ++at) ++lines;
  return lines;
}

}  // namespace

void Block::Reserve(size_t keep, size_t wanted) {
  if (capacity >= wanted) return;
  std::unique_ptr<char[]> larger(new char[wanted]);  // not zeroed
  if (keep > 0) std::memcpy(larger.get(), storage.get(), keep);
  storage = std::move(larger);
  capacity = wanted;
}

absl::Status BlockReader::Open() {
  if (opener_ == nullptr)
    opener_ = std::make_unique<ContainerOpener>(source_, container_, cancelled_, stored_bytes_, max_output_,
                                                std::move(stream_));
  absl::StatusOr<OpenedContainer> opened = opener_->Open();
  open_ = !IsMoreToCome(opened.status());
  if (open_) opener_ = nullptr;
  if (!opened.ok()) return opened.status();
  container_ = opened->container;
  // What blobs unpack to is counted line by line, so it is not limited where lines are taken beside each other.
  json_ = container_ == Container::kJson && max_output_ == 0 && !unwraps_json_;
  if (json_) {
    pieces_ = !IsJsonOfLines(&opened->stream);
    offset_ = opened->begin;
    max_line_ = kMaxEntry;
    excerpt_ = kJsonExcerpt;
    stream_ = std::move(opened->stream);
  } else if (source_.in_memory() && !opened->packed && container_ == Container::kText) {
    in_memory_ = true;
    memory_ = source_.bytes();
  } else {
    OpenedRecords records = UnwrapOpened(*std::move(opened), source_.name(), max_output_);
    stream_ = std::move(records.stream);
    origins_ = records.origins;
  }
  return absl::OkStatus();
}

void BlockReader::Reserve(Block* out, size_t keep, size_t room) const {
  out->Reserve(keep, json_ ? room + JsonLines::kPadding : room);
}

// Size of what is whole at the beginning of the text; 0 if nothing tells.
size_t BlockReader::Whole(const char* data, size_t size) const {
  return pieces_ ? WholePieces({data, size}) : WholeLines(data, size);
}

void BlockReader::TakeOrigins(Block* out, size_t lines) {
  out->origins.clear();
  if (!put_back_.empty()) {
    const auto end = put_back_.begin() + static_cast<ptrdiff_t>(std::min(lines, put_back_.size()));
    out->origins.assign(put_back_.begin(), end);
    put_back_.erase(put_back_.begin(), end);
  }
  if (origins_ != nullptr) origins_->TakeOrigins(lines - out->origins.size(), &out->origins);
  out->no_records = std::any_of(out->origins.begin(), out->origins.end(),
                                [](const LineInfo& line) { return line.kind == LineKind::kNoRecord; });
}

void BlockReader::Finish(Block* out, const char* data, size_t size) {
  ++blocks_;
  out->offset = offset_;
  out->text = {data, size};
  out->long_line = false;
  out->unwrapped = container_ != Container::kText;
  out->json = json_;
  out->pieces = pieces_;
  out->cut = !pending_.ok();
  out->last = at_end_ || out->cut;
  out->beginning = false;
  offset_ += size;
  TakeOrigins(out, origins_ == nullptr ? 0 : CountLineEnds(out->text));
  if (out->offset == 0 && out->text.starts_with("\xEF\xBB\xBF")) {  // byte order mark
    out->text.remove_prefix(3);
    out->offset = 3;
  }
}

absl::StatusOr<bool> BlockReader::Next(Block* out) {
  if (!open_) {
    if (absl::Status s = Open(); !s.ok()) {
      at_end_ = open_;
      return s;
    }
  }
  if (!pending_.ok()) {
    at_end_ = true;
    return std::exchange(pending_, absl::OkStatus());
  }
  if (at_end_) return false;
  out->unread = 0;
  was_short_ = false;
  if (in_memory_) return NextInMemory(out);
  if (NextUnread(out)) return true;
  return NextFromStream(out);
}

bool BlockReader::NextInMemory(Block* out) {
  if (memory_.empty()) {
    at_end_ = true;
    return false;
  }
  size_t take = memory_.size();
  if (take > block_bytes_) {
    take = WholeLines(memory_.data(), block_bytes_);
    for (size_t room = block_bytes_; take == 0;) {
      if (room > max_line_) return SkipLongLineInMemory(out, room);
      room = MoreRoom(room);
      const size_t end = memory_.substr(0, room).find('\n');
      if (end != std::string_view::npos) take = end + 1;
      if (take == 0 && room > memory_.size()) take = memory_.size();
    }
  }
  if (stored_bytes_ != nullptr) *stored_bytes_ += take;
  Finish(out, memory_.data(), take);
  memory_.remove_prefix(take);
  return true;
}

// `searched` bytes of the line hold no line end.
bool BlockReader::SkipLongLineInMemory(Block* out, size_t searched) {
  BeginLongLine(out, memory_.substr(0, excerpt_));
  const size_t end = memory_.find('\n', searched);
  const size_t size = end == std::string_view::npos ? memory_.size() : end + 1;
  if (stored_bytes_ != nullptr) *stored_bytes_ += size;
  offset_ += size;
  memory_.remove_prefix(size);
  return true;
}

// What is tried next when no line ends in that much.
size_t BlockReader::MoreRoom(size_t room) const { return std::min(room * 2, max_line_ + block_bytes_); }

absl::StatusOr<size_t> BlockReader::Read(char* buffer, size_t size) {
  if (random_ == nullptr) return stream_->Read(buffer, size);
  absl::StatusOr<size_t> n = random_->ReadAt(place_, buffer, size);
  if (!n.ok()) return n;
  place_ += *n;
  if (stored_bytes_ != nullptr) *stored_bytes_ += *n;
  return n;
}

// The next block, of which only the end is read. False, with nothing changed, if that does not tell where it ends: at
// the end of the source, at long lines, and for the first block, whose beginning matters.
bool BlockReader::NextUnread(Block* out) {
  if (!shared_ || blocks_ == 0 || carry_.size() > block_bytes_) return false;
  if (random_ == nullptr) {
    random_ = container_ == Container::kText || json_ ? stream_->random_access() : nullptr;
    if (random_ == nullptr) return false;
    place_ = offset_ + carry_.size();
  }
  const size_t tail = std::min(kTail, block_bytes_ / 2), before = block_bytes_ - tail;
  Reserve(out, 0, block_bytes_);
  char* const data = out->storage.get();
  const absl::StatusOr<size_t> n = random_->ReadAt(offset_ + before, data + before, tail);
  const size_t whole = n.ok() && *n == tail ? Whole(data + before, tail) : 0;
  if (whole == 0) return false;
  carry_.clear();
  Finish(out, data, before + whole);
  out->unread = before;
  if (stored_bytes_ != nullptr) *stored_bytes_ += offset_ - place_;
  place_ = offset_;
  return true;
}

absl::Status BlockReader::Fill(Block* out) const {
  size_t size = 0;
  while (size < out->unread) {
    const absl::StatusOr<size_t> n = random_->ReadAt(out->offset + size, out->storage.get() + size, out->unread - size);
    if (n.ok() && *n > 0) {
      size += *n;
      continue;
    }
    out->last = out->cut = true;
    out->text = {out->storage.get(), pieces_ ? size : WholeLines(out->storage.get(), size)};
    return n.ok() ? absl::DataLossError(absl::StrCat(source_.name(), ": the file became shorter while it was read"))
                  : n.status();
  }
  return absl::OkStatus();
}

void BlockReader::PutBack(Block* block) {
  const char* const begin = block->storage.get();
  const auto size = static_cast<size_t>(block->text.data() + block->text.size() - begin);
  carry_.insert(0, begin, size);
  offset_ -= size;
  --blocks_;
  put_back_.insert(put_back_.begin(), block->origins.begin(), block->origins.end());
}

absl::StatusOr<bool> BlockReader::NextFromStream(Block* out) {
  if (in_long_line_) {
    if (absl::Status s = SkipLongLine(out); !s.ok()) return s;
  }
  // Not all that `out` can hold, which a long line of another time may have made more: where a block ends must not
  // depend on which of several threads' blocks it is.
  size_t room = std::max({block_bytes_, carry_.size(), std::exchange(begun_room_, 0)});
  Reserve(out, 0, room);
  std::memcpy(out->storage.get(), carry_.data(), carry_.size());
  size_t size = carry_.size();
  carry_.clear();
  size_t searched = 0;  // bytes known to hold no line end
  while (true) {
    while (size < room && !at_end_) {
      absl::StatusOr<size_t> n = Read(out->storage.get() + size, room - size);
      if (IsMoreToCome(n.status())) {
        const size_t whole = short_blocks_ ? WholeLines(out->storage.get(), size) : 0;
        carry_.assign(out->storage.get() + whole, size - whole);
        if (whole == 0) {
          begun_room_ = room;
          return n.status();
        }
        Finish(out, out->storage.get(), whole);
        was_short_ = true;
        return true;
      }
      if (!n.ok()) {
        // What stands behind the last line end was cut by the error; it is no line.
        pending_ = n.status();
        if (!pieces_) size = WholeLines(out->storage.get(), size);
        if (size == 0 && !pieces_) return std::exchange(pending_, absl::OkStatus());
        Finish(out, out->storage.get(), size);
        return true;
      }
      if (*n == 0) at_end_ = true;
      size += *n;
    }
    if (at_end_) {
      if (size == 0 && !pieces_) return false;  // the last of pieces tells that no more come
      Finish(out, out->storage.get(), size);
      return true;
    }
    const size_t whole = pieces_ && Whole(out->storage.get(), size) == 0
                             ? size
                             : searched + Whole(out->storage.get() + searched, size - searched);
    if (whole > searched) {
      carry_.assign(out->storage.get() + whole, size - whole);
      Finish(out, out->storage.get(), whole);
      return true;
    }
    searched = size;
    if (size > max_line_) {
      BeginLongLine(out, {out->storage.get(), std::min(size, excerpt_)});
      offset_ += size;
      if (absl::Status s = SkipLongLine(out); !s.ok() && !IsMoreToCome(s)) pending_ = s;
      return true;
    }
    room = MoreRoom(size);
    Reserve(out, size, room);
  }
}

void BlockReader::BeginLongLine(Block* out, std::string_view excerpt) {
  ++blocks_;
  out->offset = offset_;
  out->long_line = !json_;
  out->json = out->beginning = json_;
  out->unwrapped = container_ != Container::kText;
  out->text = excerpt;
  TakeOrigins(out, json_ ? 0 : 1);
}

// Passes over the rest of a line that is too long, of which `out` may hold an excerpt.
absl::Status BlockReader::SkipLongLine(Block* out) {
  in_long_line_ = true;
  Reserve(out, 0, 2 * excerpt_);  // for what goes on in another block than it began in
  char* scratch = out->storage.get() + excerpt_;
  const size_t room = std::min(block_bytes_, out->capacity - excerpt_);
  while (true) {
    absl::StatusOr<size_t> n = Read(scratch, room);
    if (!n.ok()) return n.status();
    if (*n == 0) {
      at_end_ = true;
      in_long_line_ = false;
      return absl::OkStatus();
    }
    const void* end = std::memchr(scratch, '\n', *n);
    if (end != nullptr) {
      const size_t used = static_cast<size_t>(static_cast<const char*>(end) - scratch) + 1;
      offset_ += used;
      carry_.assign(scratch + used, *n - used);
      in_long_line_ = false;
      return absl::OkStatus();
    }
    offset_ += *n;
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
