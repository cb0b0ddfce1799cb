#include <algorithm>

#include "absl/strings/ascii.h"
#include "src/container/blob.h"
#include "src/container/containers.h"
#include "src/container/json_records.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Base64 of gzip, whose first bytes are 1F 8B 08.
bool IsBase64OfGzip(std::string_view line) {
  return line.starts_with("H4sI") && std::all_of(line.begin(), line.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/' || c == '=';
         });
}

class SubscriptionStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void TakeLine(std::string_view line) override {
    const std::string json = UnpackBlob(line);
    if (json.empty()) {
      lines_.NoRecord(line);
    } else {
      json_.Take(json);
    }
  }
  JsonRecords json_{&lines_};
};

}  // namespace

bool DetectSubscription(std::string_view head) { return IsBase64OfGzip(FirstLine(head)); }

std::unique_ptr<UnwrapStream> UnwrapSubscription(std::string name, std::unique_ptr<ByteStream> stream) {
  return std::make_unique<SubscriptionStream>(std::move(name), std::move(stream));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
