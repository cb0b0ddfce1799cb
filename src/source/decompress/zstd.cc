#include "src/source/decompress/zstd.h"

#include <zstd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/source/more_to_come.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// A frame may ask for a window of up to 2 GiB; 128 MiB is what the zstd program takes without being told to.
constexpr int kMaxWindowLog = 27;

class ZstdStream final : public ByteStream {
 public:
  ZstdStream(std::string name, std::unique_ptr<ByteStream> packed)
      : name_(std::move(name)), packed_(std::move(packed)), context_(ZSTD_createDCtx()), input_(ZSTD_DStreamInSize()) {
    if (context_ != nullptr) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (!error_.ok()) return error_;
    if (context_ == nullptr) return absl::ResourceExhaustedError(absl::StrCat(name_, ": no memory to unpack zstd"));
    ZSTD_outBuffer out{buffer, size, 0};
    while (out.pos < size) {
      if (in_.pos == in_.size && !full_) {
        if (out.pos > 0) break;
        absl::StatusOr<size_t> n = packed_->Read(input_.data(), input_.size());
        if (IsMoreToCome(n.status())) return n;
        if (!n.ok()) return error_ = n.status();
        if (*n == 0) {
          if (in_frame_)
            return error_ = absl::DataLossError(absl::StrCat(name_, ": ends in the middle of a zstd frame"));
          return size_t{0};
        }
        in_ = {input_.data(), *n, 0};
      }
      const size_t result = Step(&out);
      if (ZSTD_isError(result)) {
        error_ = absl::DataLossError(absl::StrCat(name_, ": is damaged zstd (", ZSTD_getErrorName(result), ")"));
        if (out.pos == 0) return error_;
        break;
      }
      in_frame_ = result != 0;
      wanted_ = result;
      full_ = in_frame_ && out.pos == size;  // there may be more of the frame without any further input
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  // Unpacks one block at most, as the decoder forgets the text of a call that finds damage: the input ends where the
  // block or the header in hand does, and is none while text of the block before waits for room.
  size_t Step(ZSTD_outBuffer* out) {
    constexpr size_t kBlockHeader = 3;  // that the decoder asks for in advance
    const size_t part = full_ ? 0 : wanted_ > kBlockHeader ? wanted_ - kBlockHeader : std::max<size_t>(wanted_, 1);
    ZSTD_inBuffer in{in_.src, std::min(in_.size, in_.pos + part), in_.pos};
    const size_t result = ZSTD_decompressStream(context_.get(), out, &in);
    in_.pos = in.pos;
    return result;
  }

  std::string name_;
  std::unique_ptr<ByteStream> packed_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  std::vector<char> input_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  size_t wanted_ = 0;  // what the decoder asks for
  bool in_frame_ = false;
  bool full_ = false;
  absl::Status error_;
};

}  // namespace

std::unique_ptr<ByteStream> UnpackZstd(std::string name, std::unique_ptr<ByteStream> packed) {
  return std::make_unique<ZstdStream>(std::move(name), std::move(packed));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
