// Starts of sessions, counted at the interfaces where they were seen: what the rules of an interface judge.
#ifndef VPCFLOW_SRC_SESSION_STARTS_H_
#define VPCFLOW_SRC_SESSION_STARTS_H_

#include <cstdint>
#include <vector>

#include "src/session/roles.h"
#include "src/session/store.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A row for all sessions that are the same in the columns before `sessions`: vpcflow/plan/aggregation.h has them.
// `cuts` ascend. O(sessions + rows log rows).
Table SessionStarts(const SessionStore& store, const Interner& names, const SessionRoles& roles,
                    const std::vector<int64_t>& cuts);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_STARTS_H_
