// The registry of wrappings: how the beginning of a text tells each, and how its records become text.
#ifndef VPCFLOW_SRC_CONTAINER_CONTAINERS_H_
#define VPCFLOW_SRC_CONTAINER_CONTAINERS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "src/container/unwrap_stream.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct Wrapping {
  // Tells whether a text is of this kind by its beginning, behind a byte order mark and blanks; it is not empty.
  bool (*detect)(std::string_view head);
  // Opens the record text of a stream; `name` is for errors.
  std::unique_ptr<UnwrapStream> (*unwrap)(std::string name, std::unique_ptr<ByteStream> stream);
};

// Makes the `unwrap` of a stream class.
template <class Stream>
std::unique_ptr<UnwrapStream> UnwrapAs(std::string name, std::unique_ptr<ByteStream> stream) {
  return std::make_unique<Stream>(std::move(name), std::move(stream));
}

// One row a wrapping, defined by its file.
#define VPCFLOW_X(id, name, meaning) extern const Wrapping id##Wrapping;
VPCFLOW_WRAPPINGS(VPCFLOW_X)
#undef VPCFLOW_X

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
