// RecentText: an entry of the direct-mapped cache through which texts of a column become numbers without hashing or
// comparing them byte by byte. Built-in types only: see text_indexer.h.
#ifndef VPCFLOW_INTERNAL_RECENT_TEXT_H_
#define VPCFLOW_INTERNAL_RECENT_TEXT_H_

#include <stddef.h>
#include <stdint.h>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr size_t kRecentBytes = 32;  // longer texts are not kept
inline constexpr size_t kRecentTexts = 4096;

struct alignas(64) RecentText {
  // The text in the last of 32 bytes, zero before it. Tokens have no zero bytes, so no two texts are the same here, and
  // none is what an entry of nothing has: zeros after a byte that is not.
  uint64_t words[4] = {0, 0, 0, 1};
  uint32_t code = 0;

  // Where a text is kept whose last eight bytes are these, zero before it if it is shorter.
  static size_t Slot(uint64_t last) { return last * 0xA0761D6478BD642Full >> 52; }
};
static_assert(kRecentTexts == size_t{1} << (64 - 52));

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_INTERNAL_RECENT_TEXT_H_
