// Literals of filters: read by the type of the field they are compared with, and checked against what it can hold.
#ifndef VPCFLOW_SRC_FILTER_LITERALS_H_
#define VPCFLOW_SRC_FILTER_LITERALS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "src/filter/complaints.h"
#include "src/filter/node.h"
#include "src/filter/words.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class Literals {
 public:
  Literals(const FilterOptions& options, Complaints* complaints) : options_(options), complaints_(complaints) {}

  // Reads a whole number, a time or a protocol's name. A value that the field cannot have is refused if it is `ranged`,
  // as of equalities, and not the end of a range. False for an error.
  bool Integer(const FieldRef& ref, const Expr& literal, bool ranged, int64_t* out);
  // Refuses a comparison of `node`, whose number is bound, that no value passes, or each.
  bool CheckBounds(const FieldRef& ref, const Expr& literal, const FilterNode& node);
  // Adds an address or prefix to those of a node.
  bool AddAddress(const FieldRef& ref, const Expr& literal, FilterNode* node);
  // Adds a text; known words without case.
  bool AddText(const FieldRef& ref, const Expr& literal, FilterNode* node);
  // Binds a pattern of `like` or a regular expression.
  bool Pattern(const FieldRef& ref, const Expr& literal, bool like, FilterNode* node);

 private:
  bool Text(const FieldRef& ref, const Expr& literal);
  KnownWords WordsOf(const FieldRef& ref) const;
  bool FailPattern(const FieldRef& ref, const Expr& literal);

  const FilterOptions& options_;
  Complaints* complaints_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_LITERALS_H_
