// SessionTotals: what the interfaces of a session saw together.
#ifndef VPCFLOW_SRC_SESSION_TOTALS_H_
#define VPCFLOW_SRC_SESSION_TOTALS_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "src/session/kind.h"
#include "src/session/store.h"
#include "vpcflow/session/sessions.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What one end sent, as the vantage point has it.
struct SentTotals {
  uint64_t packets = 0, bytes = 0;
  uint64_t interface = 0;  // code
  std::string_view name;
};

struct SessionTotals {
  std::array<SentTotals, 2> sent{};                      // by end
  std::array<uint64_t, 2> most_packets{}, most_bytes{};  // of one interface, whatever the vantage point
  std::array<Passage, 2> passage{};
  uint64_t records = 0;
  std::vector<uint64_t> interfaces;  // codes
};

// Adds up the views of a session whose client is end `client`. `names` has the names of interfaces.
void AddUpViews(const SessionStore& store, const Session& session, const Interner& names, Vantage vantage,
                size_t client, SessionTotals* out);

// The facts by which a session is classified, if `client` is its client.
SessionFacts FactsOf(const EndpointPair& pair, const Session& session, size_t client, const SessionTotals& totals);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_TOTALS_H_
