// ArrowReader: the batches of an Arrow stream that somebody else made.
#ifndef VPCFLOW_SRC_EXPORT_ARROW_STREAM_H_
#define VPCFLOW_SRC_EXPORT_ARROW_STREAM_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/export/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Owns the stream, its schema and the batch in hand, and releases each of them once, however it is left.
class ArrowReader {
 public:
  // Takes the stream, which is released for its owner then.
  explicit ArrowReader(ArrowArrayStream* stream);

  // Fetches the schema, unchecked.
  absl::Status Open();
  const ArrowSchema& schema() const { return schema_.value; }
  // Steps to the next batch, unchecked, and releases the one before; false at the end.
  absl::StatusOr<bool> Next();
  const ArrowArray& batch() const { return batch_.value; }

 private:
  template <class T>
  struct Released {
    T value{};
    Released() = default;
    Released(const Released&) = delete;
    ~Released() { Reset(); }
    void Reset() {
      if (value.release != nullptr) value.release(&value);
      value = {};
    }
  };
  absl::Status StreamError();

  Released<ArrowArrayStream> stream_;
  Released<ArrowSchema> schema_;
  Released<ArrowArray> batch_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_ARROW_STREAM_H_
