// Blobs: what streams and events carry as base64.
#ifndef VPCFLOW_SRC_CONTAINER_BLOB_H_
#define VPCFLOW_SRC_CONTAINER_BLOB_H_

#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The text behind a blob, padded as JsonSplitter::Pad does: JSON or lines, behind base64 (also that of URLs), gzip,
// zstd, zlib or deflate, one in the other up to eight deep. Empty if it is no text in the end, or larger than 64 MiB in
// between.
std::string UnpackBlob(std::string_view blob);

// Whether a text is the beginning of a blob, or all of one, that holds JSON, or lines as flow logs have them.
bool IsBlob(std::string_view text);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_BLOB_H_
