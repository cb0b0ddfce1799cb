// Derived columns and conditions in saved states. What version 0.1.0 could say is written as it wrote it: a / b and
// a - b by operator and names, a comparison of a column with a number by its three parts. Others are texts, which that
// version refuses.
#ifndef VPCFLOW_SRC_PLAN_RUN_SAVED_EXPR_H_
#define VPCFLOW_SRC_PLAN_RUN_SAVED_EXPR_H_

#include <string>

#include "src/expr/expr.h"
#include "vpcflow/state/bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

void WriteDerived(const std::string& text, const Expr& tree, StateWriter* out);
void WriteHaving(const std::string& text, const Expr& tree, StateWriter* out);

// Return the text of an expression. What is none fails when the plan is made.
std::string ReadDerived(StateReader* in);
std::string ReadHaving(StateReader* in);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_RUN_SAVED_EXPR_H_
