// Duplicates: objects that are there twice, as S3's at-least-once events and copies of folders make them.
//
// Example:
//   std::vector<size_t> same_as = vpcflow::FindDuplicates(sources);
//   if (same_as[3] != vpcflow::kNoDuplicate) Print(sources[3].name(), " is ", sources[same_as[3]].name(), " again");
#ifndef VPCFLOW_SOURCE_DUPLICATES_H_
#define VPCFLOW_SOURCE_DUPLICATES_H_

#include <cstddef>
#include <vector>

#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN

inline constexpr size_t kNoDuplicate = static_cast<size_t>(-1);

// Returns for each source the number of the earlier one that has the same bytes, or kNoDuplicate. Only files are looked
// at, and only those of the same size and beginning are read: once each, for a digest, and those of the same digest
// again, byte by byte. A source that cannot be read is none.
std::vector<size_t> FindDuplicates(const std::vector<Source>& sources);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_DUPLICATES_H_
