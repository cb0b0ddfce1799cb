// Mended: JSON that simdjson refuses for a value that it cannot have.
#ifndef VPCFLOW_SRC_EVENTS_MENDED_H_
#define VPCFLOW_SRC_EVENTS_MENDED_H_

#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Returns the text with U+FFFD for bytes that are not UTF-8 and for halves of surrogates, and in quotes what
// is no number: NaN, Infinity, and what is too large for 64 bits or a double. O(size).
std::string Mended(std::string_view text);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_MENDED_H_
