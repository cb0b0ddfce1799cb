#include "src/container/containers.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

struct Row {
  Container container;
  const Wrapping& wrapping;
};
constexpr Row kRows[] = {
#define VPCFLOW_X(id, name, meaning) {Container::id, id##Wrapping},
    VPCFLOW_WRAPPINGS(VPCFLOW_X)
#undef VPCFLOW_X
};

}  // namespace

std::string_view Begun(std::string_view head) {
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  return head.substr(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
}

std::unique_ptr<UnwrapStream> Unwrap(Container container, std::string name, std::unique_ptr<ByteStream> stream) {
  for (const Row& row : kRows) {
    if (row.container == container) return row.wrapping.unwrap(std::move(name), std::move(stream));
  }
  return nullptr;
}

}  // namespace internal

std::optional<Container> FindContainer(std::string_view name) {
  for (size_t i = 0; i < kContainers.size(); ++i) {
    if (kContainers[i].name == name) return static_cast<Container>(i);
  }
  return std::nullopt;
}

Container DetectContainer(std::string_view head) {
  head = internal::Begun(head);
  if (head.empty()) return Container::kText;
  for (const internal::Row& row : internal::kRows) {
    if (row.wrapping.detect(head)) return row.container;
  }
  return Container::kText;
}

VPCFLOW_NAMESPACE_END
