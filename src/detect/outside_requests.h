// OutsideRequests: what inside hosts sent to outside ones that asked for it. Uploads and tunnels count it as sent.
#ifndef VPCFLOW_SRC_DETECT_OUTSIDE_REQUESTS_H_
#define VPCFLOW_SRC_DETECT_OUTSIDE_REQUESTS_H_

#include <algorithm>
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

// The sessions that outside hosts began and in which inside ones sent something, but at services that everybody may
// use: web servers', and those that are open.
class OutsideRequests {
 public:
  explicit OutsideRequests(const DetectorContext& context) {
    for (const SessionRow& row : context.sessions.rows()) {
      if (IsOutsiders(context, row) && !context.open(row)) rows_.push_back(row);
    }
  }
  std::span<const SessionRow> rows() const { return rows_; }

 private:
  static bool IsOutsiders(const DetectorContext& context, const SessionRow& row) {
    return row.received > 0 && context.inside(row.server) && context.outside(row.client) &&
           !IsOneOf(kWebPorts, row.port);
  }

  std::vector<SessionRow> rows_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_OUTSIDE_REQUESTS_H_
