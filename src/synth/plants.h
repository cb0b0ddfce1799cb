// Plants: what can be planted in each world.
#ifndef VPCFLOW_SRC_SYNTH_PLANTS_H_
#define VPCFLOW_SRC_SYNTH_PLANTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "src/synth/world.h"
#include "vpcflow/synth/synth.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct Planted {
  std::vector<SynthRecord> records;
  std::vector<std::string> labels;  // JSON objects
};

// The plants of a world, in the order of "all".
std::vector<PlantInfo> TamePlants();
std::vector<PlantInfo> OfficePlants();

// Plants names of TamePlants(), out of one stream of random numbers.
Planted PlantTame(const World& world, const std::vector<std::string>& names, uint64_t seed);
// Plants names of OfficePlants(), each out of random numbers of its own: what one plant makes does not depend on others.
Planted PlantOffice(const World& world, const std::vector<std::string>& names, uint64_t seed);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SYNTH_PLANTS_H_
