#include <zlib.h>

#include <algorithm>

#include "src/source/decompress/inflater.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class ZlibInflater final : public Inflater {
 public:
  ZlibInflater() = default;
  ZlibInflater(const ZlibInflater&) = delete;
  ZlibInflater& operator=(const ZlibInflater&) = delete;
  ~ZlibInflater() override {
    if (open_) inflateEnd(&zlib_);
  }

  bool Begin() override {
    // 15 + 16: gzip with the largest window.
    const int started = open_ ? inflateReset(&zlib_) : inflateInit2(&zlib_, 15 + 16);
    open_ |= started == Z_OK;
    return started == Z_OK;
  }

  Step Run(const char* in, size_t in_size, char* out, size_t out_size) override {
    zlib_.next_in = reinterpret_cast<z_const Bytef*>(const_cast<char*>(in));
    zlib_.avail_in = static_cast<uInt>(in_size);
    zlib_.next_out = reinterpret_cast<Bytef*>(out);
    zlib_.avail_out = static_cast<uInt>(std::min<size_t>(out_size, 1u << 30));
    const uInt room = zlib_.avail_out;
    const int result = inflate(&zlib_, Z_NO_FLUSH);
    Step step;
    step.consumed = static_cast<ptrdiff_t>(in_size - zlib_.avail_in);
    step.written = room - zlib_.avail_out;
    if (result == Z_STREAM_END) {
      step.state = State::kMemberEnd;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      step.state = State::kDamaged;
      step.problem = zlib_.msg != nullptr ? zlib_.msg : "bad data";
    }
    return step;
  }

 private:
  z_stream zlib_{};
  bool open_ = false;
};

}  // namespace

std::unique_ptr<Inflater> MakeZlibInflater() { return std::make_unique<ZlibInflater>(); }
#if !defined(VPCFLOW_ISAL)
std::unique_ptr<Inflater> Inflater::Make() { return MakeZlibInflater(); }
const char* Inflater::Name() { return "zlib"; }
#endif

}  // namespace internal
VPCFLOW_NAMESPACE_END
