#include "src/export/arrow_stream.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

ArrowReader::ArrowReader(ArrowArrayStream* stream) { std::swap(stream_.value, *stream); }

// What pyarrow adds to the message of a Python exception is left out.
absl::Status ArrowReader::StreamError() {
  ArrowArrayStream& stream = stream_.value;
  const char* message = stream.get_last_error == nullptr ? nullptr : stream.get_last_error(&stream);
  std::string text = message == nullptr ? "no reason given" : message;
  text.resize(std::min(text.size(), text.find(". Detail: Python exception")));
  return absl::UnavailableError(absl::StrCat("the Arrow stream failed: ", text));
}

absl::Status ArrowReader::Open() {
  ArrowArrayStream& stream = stream_.value;
  if (stream.release == nullptr) return absl::UnavailableError("this Arrow stream was already consumed");
  if (stream.get_schema == nullptr || stream.get_next == nullptr)
    return absl::DataLossError("damaged Arrow data: a stream without its functions");
  if (stream.get_schema(&stream, &schema_.value) == 0) return absl::OkStatus();
  schema_.value.release = nullptr;  // of a failed call nothing is ours
  return StreamError();
}

absl::StatusOr<bool> ArrowReader::Next() {
  batch_.Reset();
  if (stream_.value.get_next(&stream_.value, &batch_.value) == 0) return batch_.value.release != nullptr;
  batch_.value.release = nullptr;
  return StreamError();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
