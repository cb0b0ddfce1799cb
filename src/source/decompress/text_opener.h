// TextOpener: OpenText in steps, for streams whose bytes are still to come.
#ifndef VPCFLOW_SRC_SOURCE_DECOMPRESS_TEXT_OPENER_H_
#define VPCFLOW_SRC_SOURCE_DECOMPRESS_TEXT_OPENER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class TextOpener {
 public:
  // As OpenText.
  TextOpener(Source source, Source::Cancelled cancelled, std::atomic<uint64_t>* stored_bytes,
             std::unique_ptr<ByteStream> opened, uint64_t max_output_bytes)
      : source_(std::move(source)),
        cancelled_(std::move(cancelled)),
        stored_bytes_(stored_bytes),
        max_output_bytes_(max_output_bytes),
        opened_(std::move(opened)) {}

  // The unpacked stream, once. At MoreToCome call it again.
  absl::StatusOr<std::unique_ptr<ByteStream>> Open();
  // Whether anything was packed, so far.
  bool packed() const { return layer_ > 0; }

 private:
  const Source source_;
  const Source::Cancelled cancelled_;
  std::atomic<uint64_t>* const stored_bytes_;
  const uint64_t max_output_bytes_;
  std::unique_ptr<ByteStream> opened_;  // of the layer in hand
  std::string begin_;                   // of it, read to look at it
  int layer_ = 0;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_DECOMPRESS_TEXT_OPENER_H_
