#include <isa-l/igzip_lib.h>

#include <algorithm>

#include "src/source/decompress/inflater.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

const char* ProblemOf(int error) {
  switch (error) {
    case ISAL_INVALID_BLOCK: return "invalid block";
    case ISAL_INVALID_SYMBOL: return "invalid symbol";
    case ISAL_INVALID_LOOKBACK: return "invalid distance";
    case ISAL_INVALID_WRAPPER: return "incorrect header";
    case ISAL_UNSUPPORTED_METHOD: return "unknown compression method";
    case ISAL_INCORRECT_CHECKSUM: return "incorrect data check";
    default: return "bad data";
  }
}

class IsalInflater final : public Inflater {
 public:
  bool Begin() override {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    return true;
  }

  Step Run(const char* in, size_t in_size, char* out, size_t out_size) override {
    // ISA-L does not write through next_in; its interface only lacks the const.
    state_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(in));
    state_.avail_in = static_cast<uint32_t>(in_size);
    state_.next_out = reinterpret_cast<uint8_t*>(out);
    state_.avail_out = static_cast<uint32_t>(std::min<size_t>(out_size, 1u << 30));
    const uint32_t room = state_.avail_out;
    const int error = isal_inflate(&state_);
    Step step;
    step.consumed = reinterpret_cast<const char*>(state_.next_in) - in;
    step.written = room - state_.avail_out;
    if (state_.block_state == ISAL_BLOCK_FINISH && error == ISAL_DECOMP_OK) step.state = State::kMemberEnd;
    if (error < 0 || error == ISAL_NEED_DICT) {
      step.state = State::kDamaged;
      step.problem = ProblemOf(error);
      // Of damaged codes and distances it counts bytes that it never wrote: what happened to lie there.
      step.exact =
          error == ISAL_INCORRECT_CHECKSUM || error == ISAL_INVALID_WRAPPER || error == ISAL_UNSUPPORTED_METHOD;
    }
    return step;
  }

 private:
  inflate_state state_{};  // 86 KiB; damaged members read tables that Begin leaves as they are
};

}  // namespace

std::unique_ptr<Inflater> Inflater::Make() { return std::unique_ptr<Inflater>(new IsalInflater); }
const char* Inflater::Name() { return "isa-l"; }

}  // namespace internal
VPCFLOW_NAMESPACE_END
