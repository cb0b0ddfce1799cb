// ArrowReader: the batches of an Arrow stream that somebody else made.
#ifndef VPCFLOW_SRC_SCAN_ARROW_STREAM_H_
#define VPCFLOW_SRC_SCAN_ARROW_STREAM_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Owns the stream, and shares its schema and the batch in hand; each is released once, however it is left.
class ArrowReader {
 public:
  // Takes the stream, which is released for its owner then.
  explicit ArrowReader(ArrowArrayStream* stream) { std::swap(stream_, *stream); }
  ~ArrowReader() {
    if (stream_.release != nullptr) stream_.release(&stream_);
  }
  ArrowReader(const ArrowReader&) = delete;
  ArrowReader& operator=(const ArrowReader&) = delete;

  // Fetches the schema, unchecked.
  absl::Status Open();
  const ArrowSchema& schema() const { return *schema_; }
  std::shared_ptr<const ArrowSchema> shared_schema() const { return schema_; }
  // Steps to the next batch, unchecked, and leaves the one before; false at the end.
  absl::StatusOr<bool> Next();
  const ArrowArray& batch() const { return *batch_; }
  // The batch in hand, for longer than the next step.
  std::shared_ptr<const ArrowArray> shared_batch() { return std::exchange(batch_, nullptr); }

 private:
  absl::Status StreamError();

  ArrowArrayStream stream_{};
  std::shared_ptr<const ArrowSchema> schema_;
  std::shared_ptr<const ArrowArray> batch_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_ARROW_STREAM_H_
