// ContainerOpener: the unpacked text of a source, and what it is wrapped in.
#ifndef VPCFLOW_SRC_CONTAINER_OPEN_H_
#define VPCFLOW_SRC_CONTAINER_OPEN_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/source/decompress/text_opener.h"
#include "vpcflow/container/container.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct OpenedContainer {
  std::unique_ptr<ByteStream> stream;  // the text as it is, for all but kText without its byte order mark
  Container container = Container::kText;
  bool packed = false;
  size_t begin = 0;  // of the stream in the unpacked text: behind a byte order mark
};

// OpenRecords in steps, for streams whose bytes are still to come, and without unwrapping.
class ContainerOpener {
 public:
  // As OpenRecords.
  ContainerOpener(const Source& source, Container wanted, Source::Cancelled cancelled,
                  std::atomic<uint64_t>* stored_bytes, uint64_t max_output_bytes, std::unique_ptr<ByteStream> opened)
      : name_(source.name()),
        wanted_(wanted),
        text_(source, std::move(cancelled), stored_bytes, std::move(opened), max_output_bytes) {}

  // The container, once. At MoreToCome call it again.
  absl::StatusOr<OpenedContainer> Open();

 private:
  const std::string name_;
  const Container wanted_;
  TextOpener text_;
  std::unique_ptr<ByteStream> stream_;  // unpacked
  std::string head_;                    // of it
};

// Unwraps what ContainerOpener opened; `name` is for errors.
OpenedRecords UnwrapOpened(OpenedContainer opened, const std::string& name, uint64_t max_output_bytes);

// Whether the text of JSON is documents that end where their line ends. Looks at its beginning, up to its second line,
// and puts that back in front of *stream.
bool IsJsonOfLines(std::unique_ptr<ByteStream>* stream);

// The error of a source whose JSON ends within a document.
absl::Status JsonIsCut(const std::string& name);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_OPEN_H_
