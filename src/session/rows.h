// Sessions as rows of a table. What the columns mean: vpcflow/session/sessions.h.
#ifndef VPCFLOW_SRC_SESSION_ROWS_H_
#define VPCFLOW_SRC_SESSION_ROWS_H_

#include <functional>
#include <span>
#include <string_view>

#include "src/session/roles.h"
#include "src/session/second_legs.h"
#include "src/session/store.h"
#include "vpcflow/result/table.h"
#include "vpcflow/session/sessions.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The columns of sessions, without rows.
Table SessionTable();
// The values of their column `state`.
std::span<const std::string_view> SessionStates();

// One row for each session that is `wanted`, all if that is empty; sorted if the specification says so.
Table SessionRows(const SessionSpec& spec, const SessionStore& store, const Interner& names, const SessionRoles& roles,
                  const SecondLegs& second_legs, const std::function<bool(const Session&)>& wanted);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_ROWS_H_
