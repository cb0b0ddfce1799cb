#include "src/session/directions.h"

#include "absl/strings/str_cat.h"
#include "src/session/totals.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr uint64_t kLeastUnheard = 3;  // sessions without the answer they must have had, that are no accident

}  // namespace

void DirectionCounts::Add(const SessionStore& store, const Interner& names, const EndpointPair& pair,
                          const Session& session) {
  if (session.two_way()) {
    ++two_way;
    return;
  }
  ++one_way;
  if (pair.protocol != kTcp) return;
  SessionTotals totals;
  AddUpViews(store, session, names, Vantage::kMost, 0, &totals);
  const size_t sender = session.seen(0) ? 0 : 1;
  if (totals.passage[sender] != Passage::kPassed) return;
  ++tcp;
  const uint64_t packets = totals.most_packets[sender];
  const bool closed = packets >= 3 && (session.flags[sender] & kFin) != 0;  // nobody sends FIN to who did not answer
  if (closed || !IsTry(packets, totals.most_bytes[sender], kTcp, pair.v6())) ++unheard;
}

void DirectionCounts::Merge(const DirectionCounts& other) {
  two_way += other.two_way;
  one_way += other.one_way;
  tcp += other.tcp;
  unheard += other.unheard;
}

bool IsOneDirection(const DirectionCounts& c, FlowBits flows) {
  return c.unheard >= kLeastUnheard && c.unheard * 20 >= c.tcp && (flows.one() || c.two_way * 100 <= c.unheard);
}

std::string OneDirectionWarning(const DirectionCounts& c, FlowBits flows, bool filtered) {
  return absl::StrCat(
      filtered ? "what the filter leaves of the logs holds" : "the logs hold", " one direction only: ",
      flows.one() ? absl::StrCat("every accepted record is ", flows.ingress_only() ? "ingress" : "egress")
                  : absl::StrCat(c.two_way, " of ", c.two_way + c.one_way, " sessions have records of both ends"),
      "; answers cannot be seen, so no session is unanswered");
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
