// Zstandard as a layer over a byte stream: any number of frames, checksums verified where frames have one.
#ifndef VPCFLOW_SRC_SOURCE_DECOMPRESS_ZSTD_H_
#define VPCFLOW_SRC_SOURCE_DECOMPRESS_ZSTD_H_

#include <memory>
#include <string>

#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Errors as of gzip: damage and a cut frame are kDataLoss, after the bytes before it.
std::unique_ptr<ByteStream> UnpackZstd(std::string name, std::unique_ptr<ByteStream> packed);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_DECOMPRESS_ZSTD_H_
