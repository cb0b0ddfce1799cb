// Gzip by zlib, which checks each member's CRC and length itself.
#include "vpcflow/source/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr size_t kInputBytes = 256 * 1024;

// A stream whose first bytes were already read to look at them. Counts what is read.
class PrefixedStream final : public ByteStream {
 public:
  PrefixedStream(std::string prefix, std::unique_ptr<ByteStream> rest, std::atomic<uint64_t>* count)
      : prefix_(std::move(prefix)), rest_(std::move(rest)), count_(count) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (at_ == prefix_.size()) {
      absl::StatusOr<size_t> read = rest_->Read(buffer, size);
      if (read.ok() && count_ != nullptr) *count_ += *read;
      return read;
    }
    const size_t n = std::min(size, prefix_.size() - at_);
    std::memcpy(buffer, prefix_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string prefix_;
  size_t at_ = 0;
  std::unique_ptr<ByteStream> rest_;
  std::atomic<uint64_t>* count_;
};

class GzipStream final : public ByteStream {
 public:
  GzipStream(std::string name, std::unique_ptr<ByteStream> packed)
      : name_(std::move(name)), packed_(std::move(packed)), input_(kInputBytes) {}
  ~GzipStream() override {
    if (open_) inflateEnd(&zlib_);
  }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (!error_.ok()) return error_;
    size_t written = 0;
    while (written == 0 && !done_) {
      absl::StatusOr<size_t> n = Inflate(buffer, size);
      if (!n.ok()) {
        error_ = n.status();
        return error_;
      }
      written = *n;
    }
    return written;
  }

 private:
  // One step: refills the input, or inflates some of it.
  absl::StatusOr<size_t> Inflate(char* buffer, size_t size) {
    if (zlib_.avail_in == 0) {
      absl::StatusOr<size_t> n = packed_->Read(input_.data(), input_.size());
      if (!n.ok()) return n.status();
      if (*n == 0) {
        if (in_member_) return Damage("ends in the middle of a gzip member");
        done_ = true;
        return 0;
      }
      zlib_.next_in = reinterpret_cast<Bytef*>(input_.data());
      zlib_.avail_in = static_cast<uInt>(*n);
    }
    if (!in_member_) {
      if (members_ > 0) {  // behind a member: zero padding, or the next one
        while (zlib_.avail_in > 0 && *zlib_.next_in == 0) {
          ++zlib_.next_in;
          --zlib_.avail_in;
          padded_ = true;
        }
        if (zlib_.avail_in == 0) return 0;
        if (*zlib_.next_in != 0x1F || padded_) return Damage("has bytes behind its last gzip member that are not gzip");
      }
      // 15 + 16: gzip with the largest window.
      const int started = open_ ? inflateReset(&zlib_) : inflateInit2(&zlib_, 15 + 16);
      if (started != Z_OK) return absl::ResourceExhaustedError(absl::StrCat(name_, ": no memory to unpack gzip"));
      open_ = in_member_ = true;
    }
    zlib_.next_out = reinterpret_cast<Bytef*>(buffer);
    zlib_.avail_out = static_cast<uInt>(std::min<size_t>(size, 1u << 30));
    const uInt room = zlib_.avail_out;
    const int result = inflate(&zlib_, Z_NO_FLUSH);
    const size_t written = room - zlib_.avail_out;
    if (result == Z_STREAM_END) {
      in_member_ = false;
      ++members_;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      const absl::Status damage =
          Damage(absl::StrCat("is damaged gzip (", zlib_.msg != nullptr ? zlib_.msg : "bad data", ")"));
      if (written == 0) return damage;
      error_ = damage;  // what was unpacked before the damage is still good
    }
    return written;
  }

  absl::Status Damage(const std::string& what) const {
    return absl::DataLossError(
        absl::StrCat(name_, ": ", what, "; member ", members_ + 1, ", after ", zlib_.total_out, " bytes of it"));
  }

  std::string name_;
  std::unique_ptr<ByteStream> packed_;
  std::vector<char> input_;
  z_stream zlib_{};
  bool open_ = false;
  bool in_member_ = false;
  bool padded_ = false;
  bool done_ = false;
  size_t members_ = 0;
  absl::Status error_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteStream>> OpenText(const Source& source, Source::Cancelled cancelled, bool* is_gzip,
                                                     std::atomic<uint64_t>* stored_bytes) {
  absl::StatusOr<std::unique_ptr<ByteStream>> raw = source.Open(std::move(cancelled));
  if (!raw.ok()) return raw.status();
  std::string magic(2, '\0');
  size_t have = 0;
  while (have < magic.size()) {
    absl::StatusOr<size_t> n = (*raw)->Read(magic.data() + have, magic.size() - have);
    if (!n.ok()) return n.status();
    if (*n == 0) break;
    have += *n;
  }
  magic.resize(have);
  const bool packed = magic == "\x1F\x8B";
  if (is_gzip != nullptr) *is_gzip = packed;
  std::unique_ptr<ByteStream> whole = std::make_unique<PrefixedStream>(std::move(magic), *std::move(raw), stored_bytes);
  if (!packed) return whole;
  return std::make_unique<GzipStream>(source.name(), std::move(whole));
}

VPCFLOW_NAMESPACE_END
