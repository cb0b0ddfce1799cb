// Gzip, zstd and zlib as layers over any byte stream: any number of members or frames, checksums and lengths verified.
//
// Example:
//   absl::StatusOr<std::unique_ptr<vpcflow::ByteStream>> text = vpcflow::OpenText(source, {});
//
// Damage (a wrong checksum, a cut member, garbage behind the last one) is kDataLoss, returned by the Read after the one
// that delivered the last good bytes: all that a decoder can tell of what stands before the damage, however much is
// read at a time. Two exceptions: of a gzip member of more than 32 MiB that can be read only once, up to a read's worth
// is lost; and ISA-L reads on behind damaged tables of codes that zlib refuses, until something else is wrong. Zero
// bytes behind the last member are padding and fine, as line ends between members are.
#ifndef VPCFLOW_SOURCE_DECOMPRESS_H_
#define VPCFLOW_SOURCE_DECOMPRESS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Opens a source and unpacks it if its first bytes are gzip's, zstd's or zlib's, layer by layer: four at most, more are
// kInvalidArgument. `packed`, if given, gets whether it was; `stored_bytes`, if given, grows by the bytes read before
// unpacking; `opened`, if given, is the source's stream, from its beginning. A layer that unpacks to more than
// `max_output_bytes`, if that is not 0, is kOutOfRange behind that many bytes. Memory of a layer: 160 KiB for gzip, of
// what can be read only once also the member as packed (32 MiB at most); the frame's window (128 MiB at most) for zstd.
absl::StatusOr<std::unique_ptr<ByteStream>> OpenText(const Source& source, Source::Cancelled cancelled,
                                                     bool* packed = nullptr,
                                                     std::atomic<uint64_t>* stored_bytes = nullptr,
                                                     std::unique_ptr<ByteStream> opened = nullptr,
                                                     uint64_t max_output_bytes = 0);

// Returns the library that unpacks gzip in this build: "isa-l" or "zlib".
std::string_view GzipLibrary();

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_DECOMPRESS_H_
