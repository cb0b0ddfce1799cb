// Gzip members one after the other, through the build's inflater.
#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/source/capped_stream.h"
#include "src/source/decompress/deflate.h"
#include "src/source/decompress/inflater.h"
#include "src/source/decompress/text_opener.h"
#include "src/source/decompress/zstd.h"
#include "src/source/more_to_come.h"
#include "src/source/prefixed_stream.h"
#include "vpcflow/error/error.h"
#include "vpcflow/source/decompress.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr size_t kInputBytes = size_t{64} * 1024;
constexpr size_t kMostKept = size_t{32} << 20;

// A member's header (RFC 1952, 2.3) and the flags of what it holds besides ten bytes.
constexpr size_t kFlagsAt = 3, kFixedBytes = 10;
constexpr unsigned char kHeaderChecksum = 2, kExtra = 4, kName = 8, kComment = 16;

// Whether all of a header is there, its checksum apart.
bool HasWholeHeader(std::string_view text) {
  if (text.size() < kFixedBytes) return false;
  const auto byte = [text](size_t at) { return size_t{static_cast<unsigned char>(text[at])}; };
  const size_t flags = byte(kFlagsAt);
  size_t at = kFixedBytes;
  if ((flags & kExtra) != 0) {
    if (text.size() < at + 2) return false;
    at += 2 + byte(at) + (byte(at + 1) << 8);
  }
  for (const unsigned char named : {kName, kComment}) {
    if ((flags & named) == 0) continue;
    const size_t end = at < text.size() ? text.find('\0', at) : text.npos;
    if (end == text.npos) return false;
    at = end + 1;
  }
  return at <= text.size();
}

class GzipStream final : public ByteStream {
 public:
  // `source` is what `packed` reads, from its beginning.
  GzipStream(Source source, Source::Cancelled cancelled, std::unique_ptr<ByteStream> packed)
      : source_(std::move(source)),
        cancelled_(std::move(cancelled)),
        packed_(std::move(packed)),
        input_(new char[kLookBack + kInputBytes]),
        next_(input_.get() + kLookBack),
        keeps_(!source_.in_memory() && (!source_.is_file() || source_.size() == 0)) {
    std::memset(input_.get(), 0, kLookBack);
  }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (!error_.ok()) return error_;
    size_t written = 0;
    while (written == 0 && !done_) {
      absl::StatusOr<size_t> n = Inflate(buffer, size);
      if (!n.ok()) {
        if (!internal::IsMoreToCome(n.status())) error_ = n.status();
        return n;
      }
      written = *n;
    }
    return written;
  }

 private:
  static constexpr size_t kLookBack = internal::Inflater::kLookBack;

  // Reads on when all input is consumed; the end of it stays in front of what is read. False at the end.
  absl::StatusOr<bool> Refill() {
    char* begin = input_.get() + kLookBack;
    std::memmove(input_.get(), next_ - kLookBack, kLookBack);
    next_ = begin;
    absl::StatusOr<size_t> n = packed_->Read(begin, kInputBytes);
    if (!n.ok()) return n.status();
    available_ = *n;
    Keep({begin, *n});
    return *n > 0;
  }

  // Keeps what a member was unpacked from, if its source cannot be read again: all of it, or nothing beyond kMostKept.
  void Keep(std::string_view read) {
    if (!keeps_ || kept_too_much_) return;
    kept_too_much_ = kept_.size() + read.size() > kMostKept;
    if (kept_too_much_) {
      kept_ = {};
    } else {
      kept_ += read;
    }
  }

  // The decoder for the member that begins: the build's, but zlib for a header with a checksum and for one that is
  // longer than the input's buffer or cut. ISA-L (2.30) forgets a header's flags where its input ends in it.
  absl::Status ChooseInflater() {
    bool whole = false;
    while (!(whole = HasWholeHeader({next_, available_})) && available_ < kInputBytes) {
      const size_t kept = available_;
      std::memmove(input_.get(), next_ - kLookBack, kLookBack + kept);
      next_ = input_.get() + kLookBack;
      absl::StatusOr<size_t> n = packed_->Read(input_.get() + kLookBack + kept, kInputBytes - kept);
      if (!n.ok()) return n.status();
      if (*n == 0) break;
      Keep({next_ + kept, *n});
      available_ = kept + *n;
    }
    const bool usual = whole && (static_cast<unsigned char>(next_[kFlagsAt]) & kHeaderChecksum) == 0;
    std::unique_ptr<internal::Inflater>& chosen = usual ? usual_ : zlib_;
    if (chosen == nullptr) chosen = usual ? internal::Inflater::Make() : internal::MakeZlibInflater();
    inflater_ = chosen.get();
    return absl::OkStatus();
  }

  // One step: refills the input, or inflates some of it.
  absl::StatusOr<size_t> Inflate(char* buffer, size_t size) {
    // A decoder whose output was full may hold more of it without any further input.
    if (available_ == 0 && !(in_member_ && was_full_)) {
      absl::StatusOr<bool> more = Refill();
      if (!more.ok()) return more.status();
      if (!*more) {
        if (in_member_) return Inexact(Damage("ends in the middle of a gzip member"));
        done_ = true;
        return 0;
      }
    }
    if (!in_member_) {
      if (members_ > 0) {  // behind a member: zero padding, or the next one, after a line end
        while (available_ > 0 && (*next_ == 0 || *next_ == '\n' || *next_ == '\r')) {
          padded_ |= *next_ == 0;
          Advance(1);
        }
        if (available_ == 0) return 0;
        if (*next_ != 0x1F || padded_) return Damage("has bytes behind its last gzip member that are not gzip");
      }
      kept_too_much_ = false;
      kept_.clear();
      Keep({next_, available_});
      if (absl::Status s = ChooseInflater(); !s.ok()) return s;
      if (!inflater_->Begin()) return absl::ResourceExhaustedError(absl::StrCat(name(), ": no memory to unpack gzip"));
      in_member_ = true;
      member_at_ = position_;
      member_bytes_ = 0;
    }
    const internal::Inflater::Step step = inflater_->Run(next_, available_, buffer, size);
    if (!step.exact) return Inexact(Damage(absl::StrCat("is damaged gzip (", step.problem, ")")));
    Advance(step.consumed);
    member_bytes_ += step.written;
    was_full_ = step.written == size;
    if (step.state == internal::Inflater::State::kMemberEnd) {
      in_member_ = false;
      ++members_;
    } else if (step.state == internal::Inflater::State::kDamaged) {
      const absl::Status damage = Damage(absl::StrCat("is damaged gzip (", step.problem, ")"));
      if (step.written <= repeated_) return damage;
      error_ = damage;  // what was unpacked before the damage is still good
    }
    const size_t known = std::min<uint64_t>(repeated_, step.written);
    if (known > 0) std::memmove(buffer, buffer + known, step.written - known);
    repeated_ -= known;
    return step.written - known;
  }

  // The usual decoder found damage, but not where, or holds the last bytes back: zlib unpacks the member once more, up
  // to the damage. What can be read only once, and is longer than kMostKept, ends before the step that found it.
  absl::StatusOr<size_t> Inexact(const absl::Status& damage) {
    if (inflater_ == zlib_.get() || kept_too_much_) return damage;
    available_ = 0;
    next_ = input_.get() + kLookBack;
    if (keeps_) {
      packed_ = std::make_unique<internal::PrefixedStream>(std::exchange(kept_, {}), std::move(packed_));
    } else {
      absl::StatusOr<std::unique_ptr<ByteStream>> again = source_.Open(cancelled_);
      if (!again.ok()) return damage;
      packed_ = *std::move(again);
      for (position_ = 0; position_ < member_at_;) {
        absl::StatusOr<bool> more = Refill();
        if (!more.ok() || !*more) return damage;
        Advance(static_cast<ptrdiff_t>(std::min<uint64_t>(available_, member_at_ - position_)));
      }
    }
    if (zlib_ == nullptr) zlib_ = internal::MakeZlibInflater();
    inflater_ = zlib_.get();
    if (!inflater_->Begin()) return absl::ResourceExhaustedError(absl::StrCat(name(), ": no memory to unpack gzip"));
    was_full_ = false;
    repeated_ = std::exchange(member_bytes_, 0);
    return 0;
  }

  void Advance(ptrdiff_t n) {
    next_ += n;
    available_ -= static_cast<size_t>(n);
    position_ += static_cast<uint64_t>(n);
  }

  absl::Status Damage(const std::string& what) const {
    return absl::DataLossError(
        absl::StrCat(name(), ": ", what, "; member ", members_ + 1, ", after ", member_bytes_, " bytes of it"));
  }

  const std::string& name() const { return source_.name(); }

  Source source_;
  Source::Cancelled cancelled_;
  std::unique_ptr<ByteStream> packed_;
  std::unique_ptr<internal::Inflater> usual_, zlib_;
  internal::Inflater* inflater_ = nullptr;  // of the member in hand
  std::unique_ptr<char[]> input_;           // kLookBack bytes consumed before, then what was read last
  const char* next_;                        // of the input, available_ bytes
  size_t available_ = 0;
  const bool keeps_;
  std::string kept_;  // of the member in hand, from its beginning to what was read last
  bool kept_too_much_ = false;
  bool in_member_ = false;
  bool was_full_ = false;
  bool padded_ = false;
  bool done_ = false;
  size_t members_ = 0;
  uint64_t position_ = 0;      // of next_ in the source
  uint64_t member_at_ = 0;     // where the member begins
  uint64_t member_bytes_ = 0;  // unpacked
  uint64_t repeated_ = 0;      // of the member's text, still to be unpacked once more
  absl::Status error_;
};

constexpr int kMaxLayers = 4;

enum class Packing { kNone, kGzip, kZstd, kZlib };

// Enough of a beginning to tell.
constexpr size_t kMostToTell = 16;
constexpr size_t kBeginning = 4096;

bool IsPrintable(char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; }

// What a source begins with, or nothing if more of it, up to kMostToTell bytes, would tell.
std::optional<Packing> PackingOf(std::string_view begin) {
  constexpr std::string_view kGzip = "\x1F\x8B", kZstd = "\x28\xB5\x2F\xFD", kSkippable = "\x2A\x4D\x18";
  constexpr std::string_view kZlib = "\x01\x9C\xDA", kZlibOrText = "\x5E";  // flags of the largest window, behind 'x'
  if (begin.starts_with(kGzip)) return Packing::kGzip;
  if (begin.starts_with(kZstd)) return Packing::kZstd;
  if (begin.empty()) return std::nullopt;
  const std::string_view behind = begin.substr(1);
  if (begin[0] == 'x' && !behind.empty()) {
    if (kZlib.find(behind[0]) != std::string_view::npos) return Packing::kZlib;
    if (behind.starts_with(kZlibOrText)) {
      const std::string_view enough = begin.substr(0, kMostToTell);
      if (!std::all_of(enough.begin(), enough.end(), IsPrintable)) return Packing::kZlib;
      if (begin.size() < kMostToTell) return std::nullopt;
    }
  }
  const bool skippable = begin[0] >= '\x50' && begin[0] <= '\x5F';  // a frame of zstd that holds no data
  if (skippable && behind.starts_with(kSkippable)) return Packing::kZstd;
  if (begin.size() < kGzip.size() || kZstd.starts_with(begin) || (skippable && kSkippable.starts_with(behind)))
    return std::nullopt;
  return Packing::kNone;
}

// Waits for no more than it takes to tell, but takes what is there up to kBeginning, for whoever asks next what it is.
// An error is that of the stream behind the bytes; after MoreToCome it goes on with the next call.
Packing Peek(ByteStream* stream, std::string* begin, absl::Status* error) {
  while (true) {
    if (const std::optional<Packing> packing = PackingOf(*begin)) return *packing;
    const size_t have = begin->size();
    begin->resize(kBeginning);
    absl::StatusOr<size_t> n = stream->Read(begin->data() + have, kBeginning - have);
    begin->resize(have + (n.ok() ? *n : 0));
    if (!n.ok()) *error = n.status();
    if (!n.ok() || *n == 0) return Packing::kNone;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteStream>> internal::TextOpener::Open() {
  if (opened_ == nullptr) {
    absl::StatusOr<std::unique_ptr<ByteStream>> raw = source_.Open(cancelled_);
    if (!raw.ok()) return raw.status();
    opened_ = *std::move(raw);
  }
  for (;; ++layer_) {
    absl::Status error;
    const Packing packing = Peek(opened_.get(), &begin_, &error);
    if (IsMoreToCome(error) || (layer_ == 0 && !error.ok())) return error;
    std::atomic<uint64_t>* const count = layer_ == 0 ? stored_bytes_ : nullptr;
    if (count != nullptr) *count += begin_.size();
    opened_ = std::make_unique<PrefixedStream>(std::exchange(begin_, {}), std::move(opened_), count, std::move(error));
    if (packing == Packing::kNone) return std::move(opened_);
    if (layer_ == kMaxLayers)
      return MakeError(ErrorKind::kFormat,
                       absl::StrCat(source_.name(), ": is packed more than ", kMaxLayers, " times; unpack it first"));
    if (packing == Packing::kZstd) {
      opened_ = UnpackZstd(source_.name(), std::move(opened_));
    } else if (packing == Packing::kZlib) {
      opened_ = UnpackDeflate(source_.name(), std::move(opened_), /*raw=*/false);
    } else {
      // What is unpacked can be read only once.
      const Source of = layer_ == 0 ? source_ : Source::Stream(source_.name(), [](char*, size_t) { return size_t{0}; });
      opened_ = std::make_unique<GzipStream>(of, cancelled_, std::move(opened_));
    }
    if (max_output_bytes_ > 0)
      opened_ = std::make_unique<CappedStream>(source_.name(), std::move(opened_), max_output_bytes_);
  }
}

absl::StatusOr<std::unique_ptr<ByteStream>> OpenText(const Source& source, Source::Cancelled cancelled, bool* packed,
                                                     std::atomic<uint64_t>* stored_bytes,
                                                     std::unique_ptr<ByteStream> opened, uint64_t max_output_bytes) {
  internal::TextOpener opener(source, std::move(cancelled), stored_bytes, std::move(opened), max_output_bytes);
  absl::StatusOr<std::unique_ptr<ByteStream>> text = opener.Open();
  if (packed != nullptr) *packed = opener.packed();
  return text;
}

std::string_view GzipLibrary() { return internal::Inflater::Name(); }

VPCFLOW_NAMESPACE_END
