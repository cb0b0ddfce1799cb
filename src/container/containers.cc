#include "src/container/containers.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// In the order in which they are asked.
struct Kind {
  Container container;
  bool (*detect)(std::string_view head);
  std::unique_ptr<UnwrapStream> (*unwrap)(std::string name, std::unique_ptr<ByteStream> stream);
};
constexpr Kind kKinds[] = {
    {Container::kExport, DetectExport, UnwrapExport},
    {Container::kJson, DetectJson, UnwrapJson},
    {Container::kSubscription, DetectSubscription, UnwrapSubscription},
    {Container::kCsv, DetectCsv, UnwrapCsv},
};

}  // namespace

std::string_view Begun(std::string_view head) {
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  return head.substr(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
}

std::unique_ptr<UnwrapStream> Unwrap(Container container, std::string name, std::unique_ptr<ByteStream> stream) {
  for (const Kind& kind : kKinds) {
    if (kind.container == container) return kind.unwrap(std::move(name), std::move(stream));
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
  for (const internal::Kind& kind : internal::kKinds) {
    if (kind.detect(head)) return kind.container;
  }
  return Container::kText;
}

VPCFLOW_NAMESPACE_END
