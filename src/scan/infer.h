// InferFormat: the format of a source that has no header line, from its lines.
#ifndef VPCFLOW_SRC_SCAN_INFER_H_
#define VPCFLOW_SRC_SCAN_INFER_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Lines beyond these are not looked at.
inline constexpr size_t kLinesToTry = 100;

struct InferredFormat {
  std::shared_ptr<const Format> format;
  std::string evidence;  // what speaks for it; empty for AWS's default
};

// AWS's default if one of the lines, which are not blank, is a record of it. Else the one format that fits them, of
// those that AWS makes when asked for all fields up to a version, in its order or the console's alphabetical one: every
// value must be one that its field can have. It must fit nine lines in ten, and no other more than one in ten.
// kInvalidArgument with the candidates, or what else the lines may be.
absl::StatusOr<InferredFormat> InferFormat(std::span<const std::string_view> lines, std::string_view source);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_INFER_H_
