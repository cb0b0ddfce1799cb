// Evaluation of single tests, for those who have values of their own.
#ifndef VPCFLOW_SRC_FILTER_EVALUATE_H_
#define VPCFLOW_SRC_FILTER_EVALUATE_H_

#include <string_view>

#include "src/filter/node.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

constexpr Tri ToTri(bool b) { return b ? Tri::kTrue : Tri::kFalse; }
constexpr Tri Not(Tri t) { return static_cast<Tri>(2 - static_cast<int>(t)); }

template <class T>
bool Holds(Compare compare, const T& a, const T& b) {
  switch (compare) {
    case Compare::kEq: return a == b;
    case Compare::kNe: return a != b;
    case Compare::kLt: return a < b;
    case Compare::kLe: return a <= b;
    case Compare::kGt: return a > b;
    case Compare::kGe: return a >= b;
  }
  return false;
}

// Tests a text (null without data), or an address that is there, by a node of Binder::BindTest.
Tri TestText(const FilterNode& node, std::string_view value);
Tri TestAddress(const FilterNode& node, const Ip& value);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_EVALUATE_H_
