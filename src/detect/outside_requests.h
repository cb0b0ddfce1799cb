// OutsideRequests: what inside hosts sent to outside ones that asked for it. Uploads and tunnels count it as sent.
#ifndef VPCFLOW_SRC_DETECT_OUTSIDE_REQUESTS_H_
#define VPCFLOW_SRC_DETECT_OUTSIDE_REQUESTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

using HostPair = std::pair<uint32_t, uint32_t>;
using Service = std::tuple<uint32_t, int32_t, int32_t>;  // host, port, protocol

// The sessions that outside hosts began and in which inside ones sent something, but at services that everybody may
// use: web servers', and those that answered kEverybody outside hosts.
class OutsideRequests {
 public:
  explicit OutsideRequests(const DetectorContext& context) {
    absl::flat_hash_map<Service, std::vector<uint32_t>> clients;
    for (const SessionRow& row : context.sessions.rows()) {
      if (!IsOutsiders(context, row)) continue;
      rows_.push_back(row);
      if (!row.Is(kAnswered)) continue;
      std::vector<uint32_t>& known = clients[ServiceOf(row)];
      if (known.size() < kEverybody && std::find(known.begin(), known.end(), row.client) == known.end())
        known.push_back(row.client);
    }
    const auto is_public = [&](const SessionRow& row) {
      const auto found = clients.find(ServiceOf(row));
      return found != clients.end() && found->second.size() == kEverybody;
    };
    rows_.erase(std::remove_if(rows_.begin(), rows_.end(), is_public), rows_.end());
  }
  std::span<const SessionRow> rows() const { return rows_; }

 private:
  static constexpr size_t kEverybody = 10;
  static constexpr std::array<int32_t, 2> kWebPorts = {80, 443};
  static Service ServiceOf(const SessionRow& row) { return {row.server, row.port, row.protocol}; }
  static bool IsOutsiders(const DetectorContext& context, const SessionRow& row) {
    return row.received > 0 && context.inside(row.server) && !context.inside(row.client) &&
           !IsOneOf(kWebPorts, row.port);
  }

  std::vector<SessionRow> rows_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_OUTSIDE_REQUESTS_H_
