// Short names of fields, which queries may use beside AWS's: src for srcaddr.
#ifndef VPCFLOW_SRC_EXPR_SHORT_NAMES_H_
#define VPCFLOW_SRC_EXPR_SHORT_NAMES_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr std::pair<std::string_view, Field> kShortNames[] = {
    {"src", Field::kSrcAddr},      {"dst", Field::kDstAddr},      {"src-addr", Field::kSrcAddr},
    {"dst-addr", Field::kDstAddr}, {"src-port", Field::kSrcPort}, {"dst-port", Field::kDstPort},
    {"sport", Field::kSrcPort},    {"dport", Field::kDstPort},    {"proto", Field::kProtocol}};

// Returns the field that a query means by a name: AWS's names first, then the names that the logs or labels add
// (`others`, canonical), which are no field of the catalogue, then short names.
inline std::optional<Field> FindQueryField(std::string_view name, const std::vector<std::string>& others) {
  if (const std::optional<Field> field = FindField(name)) return field;
  const std::string canonical = CanonicalName(name);
  for (const std::string& other : others) {
    if (other == canonical) return std::nullopt;
  }
  for (const auto& [known, field] : kShortNames) {
    if (known == canonical) return field;
  }
  return std::nullopt;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPR_SHORT_NAMES_H_
