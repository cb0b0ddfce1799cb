// AnsweredSessions: counts of the sessions that came about.
#ifndef VPCFLOW_SRC_DETECT_ANSWERED_SESSIONS_H_
#define VPCFLOW_SRC_DETECT_ANSWERED_SESSIONS_H_

#include <cstdint>
#include <span>

#include "src/detect/context.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct AnsweredSessions {
  uint64_t sessions = 0;
  uint128 sent = 0, received = 0;  // bytes of the client and of the server
  Span span;
};

// Counts those of `rows` that were answered.
inline AnsweredSessions AnsweredSessionsOf(std::span<const SessionRow> rows) {
  AnsweredSessions out;
  for (const SessionRow& row : rows) {
    if (!row.Is(kAnswered)) continue;
    ++out.sessions;
    out.sent += row.sent;
    out.received += row.received;
    out.span.Add(row);
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_ANSWERED_SESSIONS_H_
