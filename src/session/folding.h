// Folding: tries of hosts that were seen once or twice become counts by target, port and minute. What is asked of them
// is how many there were (floods); of one host they are too few for anything else.
#ifndef VPCFLOW_SRC_SESSION_FOLDING_H_
#define VPCFLOW_SRC_SESSION_FOLDING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/session/packed_tries.h"
#include "src/session/roles.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// How often things were seen, up to three times, in some bytes for each: never too low, and too high of few that share
// their places with others (as counting Bloom filters). The same for the same things in any order.
class SeenCounts {
 public:
  explicit SeenCounts(size_t things);
  void Add(uint64_t hash, uint8_t times);
  uint8_t Of(uint64_t hash) const;

 private:
  static constexpr uint8_t kMost = 3;
  std::vector<uint8_t> counts_;
  uint64_t mask_;
};

// Appends to a table of sessions, with the columns of SessionTable and `sources`, the rows that stand for tries: those
// of a group of kLeastTries and more, and at last one without server for all.
inline constexpr size_t kLeastTries = 16;
void AppendFolded(const PackedTries& tries, const SessionRoles& roles, Table* table);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_FOLDING_H_
