// Binder: makes filters out of the trees of expressions: fields are looked up, literals read by their types, and tests
// that cannot hold refused.
#ifndef VPCFLOW_SRC_FILTER_BINDER_H_
#define VPCFLOW_SRC_FILTER_BINDER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/expr/expr.h"
#include "src/filter/complaints.h"
#include "src/filter/literals.h"
#include "src/filter/node.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What a filter is parsed for.
inline constexpr ExprUse kFilterUse{"filter", ErrorKind::kFilter, "a field name", {}, /*names_first=*/true};

class Binder {
 public:
  using NodePtr = std::unique_ptr<FilterNode>;

  // Binds the condition `tree` of `text`, which may have more around it. `extra_fields` are canonical names.
  static absl::StatusOr<Filter> Bind(std::string_view text, const Expr& tree,
                                     const std::vector<std::string>& extra_fields, const FilterOptions& options);

  // Binds one test of a column whose values are those of a field: a comparison with literals, `in`, `like` or
  // `matches`. Its node names the field 0. Null for an error, which `complaints` has.
  static NodePtr BindTest(const Expr& test, const FieldRef& column, const FilterOptions& options,
                          Complaints* complaints);

 private:
  Binder(const std::vector<std::string>& extra, const FilterOptions& options, std::vector<FieldRef>* fields,
         Complaints* complaints)
      : extra_(extra), fields_(fields), complaints_(complaints), literals_(options, complaints) {}

  NodePtr Condition(const Expr& expr);
  NodePtr FieldTest(const Expr& test);
  NodePtr Test(const Expr& test, NodePtr node);
  NodePtr CompareWith(const Expr& test, NodePtr node);
  NodePtr CompareFields(const Expr& test, NodePtr node);
  NodePtr In(const Expr& test, NodePtr node);
  NodePtr Between(const Expr& test, NodePtr node);
  bool AddMember(const Expr& literal, FilterNode* node);
  bool ResolveField(const Expr& name, int* out);
  bool IsField(const std::string& name) const;
  NodePtr Fail(size_t at, std::string_view message, ErrorPlace place = {});

  const FieldRef& ref(const FilterNode& node) const { return (*fields_)[static_cast<size_t>(node.field)]; }

  const std::vector<std::string>& extra_;
  std::vector<FieldRef>* fields_;
  Complaints* complaints_;
  Literals literals_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_BINDER_H_
