// The formats that AWS and its console make when asked for everything, and which lines fit one.
#ifndef VPCFLOW_SRC_CONTAINER_KNOWN_FORMATS_H_
#define VPCFLOW_SRC_CONTAINER_KNOWN_FORMATS_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct KnownFormat {
  std::string name;
  std::shared_ptr<const Format> format;
};

// All VPC fields up to a version and the two defaults, each in AWS's order and in the console's alphabetical one.
const std::vector<KnownFormat>& KnownFormats();

// How many of the lines are records of the format whose every value is one that its field can have; no more are
// counted than `most`.
size_t CountFits(const std::shared_ptr<const Format>& format, std::span<const std::string_view> lines, size_t most);

// Whether a text is a record of one of the known formats.
bool IsKnownRecord(std::string_view text);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_KNOWN_FORMATS_H_
