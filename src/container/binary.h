// Binary: what bytes that are no text are, by their beginning, and how they become text.
#ifndef VPCFLOW_SRC_CONTAINER_BINARY_H_
#define VPCFLOW_SRC_CONTAINER_BINARY_H_

#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What the beginning of a source says that it is, such as "a zip archive; unpack it first with unzip", if that is
// nothing that this library reads as text: archives, other compressions, binary tables, UTF-16, images, programs, web
// pages. Empty for text. `name` is the source's; its ending tells what has no magic bytes. O(head.size()); 512 bytes
// are enough for every format that is known by its bytes.
std::string SeemsToBeBinary(std::string_view head, std::string_view name);

// UTF-8 without control bytes; the last character may be cut.
bool IsText(std::string_view text);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_BINARY_H_
