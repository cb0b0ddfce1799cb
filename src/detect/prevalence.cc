#include "src/detect/prevalence.h"

#include <algorithm>
#include <span>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

Prevalence::Prevalence(const Sessions& sessions) {
  const auto answered = [](const SessionRow& row) { return row.Is(kAnswered); };
  for (uint32_t client = 0; client < sessions.address_count(); ++client) {
    const bool inside = sessions.Is(client, kInside);
    if (!inside && !sessions.IsOutside(client)) continue;
    ForEachRun(sessions.of(client), ByConversation, [&](std::span<const SessionRow> rows) {
      if (!sessions.Is(rows[0].server, kInside) || std::none_of(rows.begin(), rows.end(), answered)) return;
      Clients& of = clients_[ServiceOf(rows[0])];
      ++(inside ? of.users : of.strangers);
    });
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
