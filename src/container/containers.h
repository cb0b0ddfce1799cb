// The containers, each in a file of its own: how its beginning tells it, and its record text.
#ifndef VPCFLOW_SRC_CONTAINER_CONTAINERS_H_
#define VPCFLOW_SRC_CONTAINER_CONTAINERS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "src/container/unwrap_stream.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// `head`, of all detections: the beginning of a text, behind a byte order mark and blanks; not empty.
bool DetectExport(std::string_view head);
bool DetectJson(std::string_view head);
bool DetectCsv(std::string_view head);
bool DetectSubscription(std::string_view head);

std::unique_ptr<UnwrapStream> UnwrapExport(std::string name, std::unique_ptr<ByteStream> stream);
std::unique_ptr<UnwrapStream> UnwrapJson(std::string name, std::unique_ptr<ByteStream> stream);
std::unique_ptr<UnwrapStream> UnwrapCsv(std::string name, std::unique_ptr<ByteStream> stream);
std::unique_ptr<UnwrapStream> UnwrapSubscription(std::string name, std::unique_ptr<ByteStream> stream);

// The record text of a container; null for kAuto and kText. `name` is for errors.
std::unique_ptr<UnwrapStream> Unwrap(Container container, std::string name, std::unique_ptr<ByteStream> stream);

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// What stands behind a byte order mark and blanks.
std::string_view Begun(std::string_view head);

// Without its line end.
inline std::string_view FirstLine(std::string_view head) {
  std::string_view line = head.substr(0, head.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_CONTAINERS_H_
