// Prevalence: how many hosts do the same. What many hosts do, or everybody may do, is no incident each time.
#ifndef VPCFLOW_SRC_DETECT_PREVALENCE_H_
#define VPCFLOW_SRC_DETECT_PREVALENCE_H_

#include <cstdint>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "src/detect/sessions.h"
#include "src/detect/settings.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr Setting<int64_t> kCommonCallers = {"common_callers", 3, "hosts",
                                                    "inside hosts that do the same with one outside host (call it as "
                                                    "often, send it much, keep sessions), from which on "
                                                    "it is common: agents, time servers, updates, backups"};
inline constexpr Setting<int64_t> kOpenStrangers = {
    "open_strangers", 10, "hosts", "outside hosts that a service answered, from which on it is open to everybody"};

using Service = std::tuple<uint32_t, int32_t, int32_t>;  // host, port, protocol
inline Service ServiceOf(const SessionRow& row) { return {row.server, row.port, row.protocol}; }

class Prevalence {
 public:
  // Counts hosts in one pass over sessions that are in order. Memory: an entry for each service inside.
  explicit Prevalence(const Sessions& sessions);

  // Returns how many outside hosts, and how many inside ones, got an answer of a service inside.
  int64_t strangers(const Service& service) const { return Of(service).strangers; }
  int64_t users(const Service& service) const { return Of(service).users; }

 private:
  struct Clients {
    int64_t strangers = 0, users = 0;
  };
  const Clients& Of(const Service& service) const {
    static constexpr Clients kNone;
    const auto found = clients_.find(service);
    return found == clients_.end() ? kNone : found->second;
  }

  absl::flat_hash_map<Service, Clients> clients_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_PREVALENCE_H_
