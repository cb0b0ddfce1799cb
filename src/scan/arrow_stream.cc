#include "src/scan/arrow_stream.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

template <class T>
std::shared_ptr<T> Released() {
  return {new T{}, [](T* value) {
            if (value->release != nullptr) value->release(value);
            delete value;
          }};
}

}  // namespace

// What pyarrow adds to the message of a Python exception is left out.
absl::Status ArrowReader::StreamError() {
  ArrowArrayStream& stream = stream_;
  const char* message = stream.get_last_error == nullptr ? nullptr : stream.get_last_error(&stream);
  std::string text = message == nullptr ? "no reason given" : message;
  text.resize(std::min(text.size(), text.find(". Detail: Python exception")));
  return absl::UnavailableError(absl::StrCat("the Arrow stream failed: ", text));
}

absl::Status ArrowReader::Open() {
  ArrowArrayStream& stream = stream_;
  if (stream.release == nullptr) return absl::UnavailableError("this Arrow stream was already consumed");
  if (stream.get_schema == nullptr || stream.get_next == nullptr)
    return absl::DataLossError("damaged Arrow data: a stream without its functions");
  const std::shared_ptr<ArrowSchema> schema = Released<ArrowSchema>();
  schema_ = schema;
  if (stream.get_schema(&stream, schema.get()) == 0) return absl::OkStatus();
  schema->release = nullptr;  // of a failed call nothing is ours
  return StreamError();
}

absl::StatusOr<bool> ArrowReader::Next() {
  batch_ = nullptr;
  const std::shared_ptr<ArrowArray> batch = Released<ArrowArray>();
  batch_ = batch;
  if (stream_.get_next(&stream_, batch.get()) == 0) return batch->release != nullptr;
  batch->release = nullptr;
  return StreamError();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
