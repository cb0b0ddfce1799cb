#include "src/source/decompress/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/source/more_to_come.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kInputBytes = size_t{64} << 10;
constexpr int kLargestWindow = 15;

class DeflateStream final : public ByteStream {
 public:
  DeflateStream(std::string name, std::unique_ptr<ByteStream> packed, bool raw)
      : name_(std::move(name)), packed_(std::move(packed)), input_(kInputBytes), raw_(raw) {
    open_ = inflateInit2(&zlib_, raw ? -kLargestWindow : kLargestWindow) == Z_OK;
  }
  DeflateStream(const DeflateStream&) = delete;
  DeflateStream& operator=(const DeflateStream&) = delete;
  ~DeflateStream() override {
    if (open_) inflateEnd(&zlib_);
  }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (!error_.ok()) return error_;
    if (!open_) return absl::ResourceExhaustedError(absl::StrCat(name_, ": no memory to unpack zlib"));
    const size_t room = std::min<size_t>(size, 1u << 30);
    zlib_.next_out = reinterpret_cast<Bytef*>(buffer);
    zlib_.avail_out = static_cast<uInt>(room);
    while (zlib_.avail_out == room) {
      if (zlib_.avail_in == 0 && !full_) {
        absl::StatusOr<size_t> n = packed_->Read(input_.data(), input_.size());
        if (IsMoreToCome(n.status())) return n;
        if (!n.ok()) return error_ = n.status();
        if (*n == 0) {
          if (in_stream_) return error_ = Damage("ends in the middle of a zlib stream");
          return size_t{0};
        }
        zlib_.next_in = reinterpret_cast<Bytef*>(input_.data());
        zlib_.avail_in = static_cast<uInt>(*n);
      }
      if (!in_stream_ && !Begin()) return error_ = Damage("has bytes behind its last zlib stream that are not zlib");
      if (!in_stream_) continue;
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      full_ = zlib_.avail_out == 0;
      if (result == Z_STREAM_END) {
        in_stream_ = full_ = false;
        ++streams_;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        error_ = Damage(absl::StrCat("is damaged zlib (", zlib_.msg != nullptr ? zlib_.msg : "bad data", ")"));
        if (zlib_.avail_out == room) return error_;
        break;
      }
    }
    return room - zlib_.avail_out;
  }

 private:
  // Begins a stream if one follows; line ends are passed over. False if something else does.
  bool Begin() {
    constexpr Bytef kFirst = 'x';
    if (streams_ > 0) {
      while (zlib_.avail_in > 0 && (*zlib_.next_in == '\n' || *zlib_.next_in == '\r')) {
        ++zlib_.next_in;
        --zlib_.avail_in;
      }
      if (zlib_.avail_in == 0) return true;
      if (raw_ || *zlib_.next_in != kFirst || inflateReset(&zlib_) != Z_OK) return false;
    }
    in_stream_ = true;
    return true;
  }

  absl::Status Damage(const std::string& what) const { return absl::DataLossError(absl::StrCat(name_, ": ", what)); }

  std::string name_;
  std::unique_ptr<ByteStream> packed_;
  std::vector<char> input_;
  z_stream zlib_{};
  bool raw_;
  bool open_ = false;
  bool in_stream_ = false;
  bool full_ = false;  // there may be more of the output without any further input
  size_t streams_ = 0;
  absl::Status error_;
};

}  // namespace

std::unique_ptr<ByteStream> UnpackDeflate(std::string name, std::unique_ptr<ByteStream> packed, bool raw) {
  return std::make_unique<DeflateStream>(std::move(name), std::move(packed), raw);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
