#include "src/container/blob.h"

#include <cstddef>
#include <memory>

#include "absl/strings/escaping.h"
#include "src/container/json_splitter.h"
#include "vpcflow/source/gzip.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kMaxBlobBytes = size_t{64} << 20;

}  // namespace

std::string UnpackBlob(std::string_view base64) {
  std::string raw, text;
  if (!absl::Base64Unescape(absl::string_view(base64.data(), base64.size()), &raw)) return "";
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenText(Source::Bytes("blob", std::string_view(raw)), nullptr);
  if (!stream.ok()) return "";
  constexpr size_t kStep = size_t{64} << 10;
  while (true) {
    const size_t have = text.size();
    if (have > kMaxBlobBytes) return "";
    text.resize(have + kStep);
    absl::StatusOr<size_t> n = (*stream)->Read(text.data() + have, kStep);
    if (!n.ok()) return "";
    text.resize(have + *n);
    if (*n == 0) break;
  }
  JsonSplitter::Pad(&text);
  return text;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
