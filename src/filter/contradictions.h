// Tests of one field that exclude each other, or of which one always holds.
#ifndef VPCFLOW_SRC_FILTER_CONTRADICTIONS_H_
#define VPCFLOW_SRC_FILTER_CONTRADICTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "src/filter/node.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Notes a warning once; of many only the first ones.
void NoteWarning(std::string text, std::vector<std::string>* warnings);

// Warns of `dstport = 22 and dstport = 23`, which no record passes, of `dstport != 22 or dstport != 23`, which each
// passes, and of a filter that is false whatever the record. `text` is the filter's.
void FindContradictions(const FilterNode& root, std::string_view text, const std::vector<FieldRef>& fields,
                        std::vector<std::string>* warnings);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_CONTRADICTIONS_H_
