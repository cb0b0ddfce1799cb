#include "src/events/path_index.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

size_t PathIndex::Add(std::string_view path) {
  size_t node = 0;
  while (true) {
    const size_t dot = std::min(path.find('.'), path.size());
    const std::string name(path.substr(0, dot));
    const auto& members = nodes_[node].members;
    const auto found = std::find_if(members.begin(), members.end(), [&](const auto& one) { return one.first == name; });
    if (found != members.end()) {
      node = found->second;
    } else {
      nodes_[node].sizes |= uint32_t{1} << name.size() % 32;
      nodes_[node].members.emplace_back(name, nodes_.size());
      node = nodes_.size();
      nodes_.emplace_back();
    }
    if (dot == path.size()) return node;
    path.remove_prefix(dot + 1);
  }
}

void PathIndex::Find(const simdjson::dom::element& document) {
  ++seen_;
  if (simdjson::dom::object object; document.get(object) == simdjson::SUCCESS) Find(object, 0);
}

void PathIndex::Find(const simdjson::dom::object& object, size_t node) {
  for (const auto& [key, value] : object) {
    if ((nodes_[node].sizes >> key.size() % 32 & 1) == 0) continue;
    for (const auto& [name, member] : nodes_[node].members) {
      if (name != key) continue;
      if (nodes_[member].seen == seen_) Forget(member);
      nodes_[member].seen = seen_;
      nodes_[member].value = value;
      if (simdjson::dom::object inner; !nodes_[member].members.empty() && value.get(inner) == simdjson::SUCCESS)
        Find(inner, member);
      break;
    }
  }
}

void PathIndex::Forget(size_t node) {
  nodes_[node].seen = 0;
  for (const auto& [name, member] : nodes_[node].members) Forget(member);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
