#include "absl/strings/ascii.h"
#include "src/container/containers.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// "2018-09-22T20:28:14.000Z 2 ...".
bool BeginsWithTime(std::string_view line) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (line.size() < kShape.size() + 2) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '0' ? !absl::ascii_isdigit(static_cast<unsigned char>(line[i])) : line[i] != kShape[i])
      return false;
  }
  const size_t blank = line.find(' ');
  return blank != std::string_view::npos && line[blank - 1] == 'Z';
}

// "2018-09-22T20:28:14.000Z 2 6331...": the time is CloudWatch's, of the event.
class ExportStream final : public UnwrapStream {
 public:
  using UnwrapStream::UnwrapStream;

 private:
  void TakeLine(std::string_view line) override {
    const size_t blank = line.find(' ');
    const bool stamped = blank != std::string_view::npos && blank >= 20 && line[4] == '-' && line[10] == 'T';
    lines_.Message(stamped ? line.substr(blank + 1) : line);
  }
};

}  // namespace

bool DetectExport(std::string_view head) { return BeginsWithTime(FirstLine(head)); }

std::unique_ptr<UnwrapStream> UnwrapExport(std::string name, std::unique_ptr<ByteStream> stream) {
  return std::make_unique<ExportStream>(std::move(name), std::move(stream));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
