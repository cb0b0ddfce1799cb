// Blobs: what streams and events carry as base64.
#ifndef VPCFLOW_SRC_CONTAINER_BLOB_H_
#define VPCFLOW_SRC_CONTAINER_BLOB_H_

#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The JSON behind a blob of base64 of gzip (or of plain JSON), padded; empty if it is none or larger than 64 MiB.
std::string UnpackBlob(std::string_view base64);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_BLOB_H_
