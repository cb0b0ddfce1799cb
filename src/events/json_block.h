// JsonBlock: 64 bytes of JSON as bits, one for each byte that tells of structure.
#ifndef VPCFLOW_SRC_EVENTS_JSON_BLOCK_H_
#define VPCFLOW_SRC_EVENTS_JSON_BLOCK_H_

#include <cstdint>

#include "src/container/json_bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct JsonBlock {
  uint64_t quotes = 0, backslashes = 0, brackets = 0, line_ends = 0;

  explicit JsonBlock(const char* p) {
    for (unsigned i = 0; i < 64; i += kJsonBytes) {
      const JsonBytes bytes(p + i);
      quotes |= uint64_t{bytes.Equal('"')} << i;
      backslashes |= uint64_t{bytes.Equal('\\')} << i;
      brackets |= uint64_t{bytes.Equal('{') | bytes.Equal('}') | bytes.Equal('[') | bytes.Equal(']')} << i;
      line_ends |= uint64_t{bytes.Equal('\n')} << i;
    }
  }
  void Keep(uint64_t bits) {
    quotes &= bits;
    backslashes &= bits;
    brackets &= bits;
    line_ends &= bits;
  }
};

// Strings of blocks that follow each other.
class JsonStrings {
 public:
  // The bytes of a block within strings: a bit for each, with the quote that begins a string, without the one that ends
  // it.
  uint64_t Within(const JsonBlock& block) {
    uint64_t bits = block.quotes & ~Escaped(block.backslashes);
    for (unsigned by = 1; by < 64; by *= 2) bits ^= bits << by;  // the parity of the quotes up to each byte
    bits ^= within_;
    within_ = 0 - (bits >> 63);
    return bits;
  }

 private:
  // The bytes behind an odd number of backslashes (G. Langdale, D. Lemire, "Parsing gigabytes of JSON per second").
  uint64_t Escaped(uint64_t backslashes) {
    constexpr uint64_t kOdd = 0xAAAAAAAAAAAAAAAA;
    if (backslashes == 0) {
      const uint64_t escaped = escapes_;
      escapes_ = 0;
      return escaped;
    }
    const uint64_t begin = backslashes & ~escapes_;
    const uint64_t codes = ((begin << 1 | kOdd) - begin) ^ kOdd;
    const uint64_t escaped = codes ^ (backslashes | escapes_);
    escapes_ = (codes & backslashes) >> 63;
    return escaped;
  }

  uint64_t within_ = 0;   // all bits, if the last block ended within a string
  uint64_t escapes_ = 0;  // 1, if it ended with a backslash that counts
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_JSON_BLOCK_H_
