// ParseHeaderLine: the header lines of text, in AWS's names or those of other tools.
#ifndef VPCFLOW_SRC_SCAN_HEADER_LINE_H_
#define VPCFLOW_SRC_SCAN_HEADER_LINE_H_

#include <cstddef>
#include <string_view>

#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Only this many lines of a source may be headers whose first name is not AWS's own.
inline constexpr size_t kFirstLines = 8;

// Whether a line is a header; `out` gets its format. It begins with a field by AWS's name in any case, or with the
// first name of `current`, which may be null; with `first`, with anything. Then half of its names are AWS's, or two
// thirds mean a field as the names of CSV and JSON do (SrcAddr, Account_ID, StartTime): the others are text columns.
bool ParseHeaderLine(std::string_view line, const Format* current, bool first, Format* out);

// The same of a line that was made of a container: one of AWS's names suffices.
bool ParseUnwrappedHeader(std::string_view line, const Format* current, Format* out);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_HEADER_LINE_H_
