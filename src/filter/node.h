// The parsed form of a filter, shared by its parser and its evaluation.
#ifndef VPCFLOW_SRC_FILTER_NODE_H_
#define VPCFLOW_SRC_FILTER_NODE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "re2/re2.h"
#include "src/expr/expr.h"
#include "vpcflow/filter/cidr_set.h"
#include "vpcflow/filter/filter.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct FilterNode {
  enum class Op : uint8_t {
    kConstant,  // constant
    kAnd,
    kOr,           // children
    kNot,          // children[0]
    kIsNull,       // field
    kIntCompare,   // (field & mask) compare number
    kIntIn,        // field & mask among numbers (sorted)
    kIntRange,     // numbers[0] <= field & mask <= numbers[1]
    kAddressIn,    // field in addresses
    kTextIn,       // field among texts
    kTextMatches,  // pattern found in field
    kFieldCompare  // field compare other_field
  };
  Op op = Op::kConstant;
  Tri constant = Tri::kTrue;
  std::vector<std::unique_ptr<FilterNode>> children;
  int field = -1;  // index into Filter::fields()
  int other_field = -1;
  Compare compare = Compare::kEq;
  int64_t mask = -1;
  int64_t number = 0;
  std::vector<int64_t> numbers;  // sorted
  CidrSet addresses;
  std::vector<std::string> texts;  // sorted
  bool folded = false;             // of kTextIn: `texts` are lower case, and are found whatever the value's case
  std::unique_ptr<re2::RE2> pattern;
  size_t begin = 0, end = 0;  // where a test stands in the text
  bool turned = false;        // the text is of its opposite, as of `!=`
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_NODE_H_
