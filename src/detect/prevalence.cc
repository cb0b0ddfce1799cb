#include "src/detect/prevalence.h"

#include <algorithm>
#include <span>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

Prevalence::Prevalence(const Sessions& sessions) : callers_(sessions.address_count()) {
  for (uint32_t client = 0; client < sessions.address_count(); ++client) {
    const bool inside = sessions.Is(client, kInside);
    ForEachRun(sessions.of(client), ByServer, [&](std::span<const SessionRow> rows) {
      const uint32_t server = rows[0].server;
      const auto began = [](const SessionRow& row) { return row.Is(kBegan); };
      if (inside && sessions.IsOutside(server)) {
        callers_[server] += std::any_of(rows.begin(), rows.end(), began) ? 1 : 0;
        return;
      }
      if (!sessions.Is(server, kInside) || (!inside && !sessions.IsOutside(client))) return;
      ForEachRun(rows, ByConversation, [&](std::span<const SessionRow> own) {
        const auto answered = [](const SessionRow& row) { return row.Is(kAnswered); };
        if (std::none_of(own.begin(), own.end(), answered)) return;
        Clients& of = clients_[ServiceOf(own[0])];
        ++(inside ? of.users : of.strangers);
      });
    });
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
