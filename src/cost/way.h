// The way of one record through a network.
#ifndef VPCFLOW_SRC_COST_WAY_H_
#define VPCFLOW_SRC_COST_WAY_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/cost/network.h"
#include "vpcflow/cost/path_class.h"
#include "vpcflow/enrich/labels.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A record, and what its interface is.
struct PathRow {
  std::optional<Ip> src, dst, pkt_src, pkt_dst;
  const OneInterface* self = nullptr;  // the interface that it is of, if it is known
  const OneInterface* hop = nullptr;   // the next one, if it is known
  bool has_interface = true;           // false: the record names none
  std::string_view action, direction, region, zone, vpc, subnet, src_service, dst_service, type;
  std::string_view hop_zone, hop_type;
  int64_t start = 0;
  int64_t path = -1;       // traffic-path
  bool hops_told = false;  // the log has fields of hops: null means that there is none
};

// Finds it. `ranges`: labels "SERVICE REGION" of published addresses.
PathAnswer FindWay(const Epoch& epoch, const Texts& regions, const Labels& ranges, const PathRow& row);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_COST_WAY_H_
