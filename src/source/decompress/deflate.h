// Deflate as a layer over a byte stream: zlib's streams (RFC 1950), whose checksums are verified, or bare (RFC 1951).
#ifndef VPCFLOW_SRC_SOURCE_DECOMPRESS_DEFLATE_H_
#define VPCFLOW_SRC_SOURCE_DECOMPRESS_DEFLATE_H_

#include <memory>
#include <string>

#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Any number of zlib's streams, or with `raw` one without header. Errors as of gzip: damage and a cut stream are
// kDataLoss, after the bytes before it.
std::unique_ptr<ByteStream> UnpackDeflate(std::string name, std::unique_ptr<ByteStream> packed, bool raw);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_DECOMPRESS_DEFLATE_H_
