// PathIndex: the members of documents that paths name.
#ifndef VPCFLOW_SRC_EVENTS_PATH_INDEX_H_
#define VPCFLOW_SRC_EVENTS_PATH_INDEX_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Finds members in one pass over a document.
class PathIndex {
 public:
  // Returns the number of a path, for value().
  size_t Add(std::string_view path);
  void Find(const simdjson::dom::element& document);
  // The value at a path in the last document, or null.
  const simdjson::dom::element* value(size_t path) const {
    return nodes_[path].seen == seen_ ? &nodes_[path].value : nullptr;
  }

 private:
  struct Node {
    std::vector<std::pair<std::string, size_t>> members{};
    uint32_t sizes = 0;  // of their names, a bit each
    uint64_t seen = 0;
    simdjson::dom::element value{};
  };
  void Find(const simdjson::dom::object& object, size_t node);
  void Forget(size_t node);

  std::vector<Node> nodes_{1};
  uint64_t seen_ = 0;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_PATH_INDEX_H_
