// HoldsRecords: whether a file whose name does not tell is a log, by its beginning.
#ifndef VPCFLOW_SRC_SCAN_HOLDS_RECORDS_H_
#define VPCFLOW_SRC_SCAN_HOLDS_RECORDS_H_

#include <string_view>

#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Reads and unpacks the first 4 KiB. False for what cannot be read.
bool HoldsRecords(const Source& source);

// The same of a beginning, unpacked.
bool BeginsWithRecords(std::string_view head);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_HOLDS_RECORDS_H_
