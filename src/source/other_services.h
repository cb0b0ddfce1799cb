// Objects of other services: logs that lie beside flow logs in the same bucket, told by AWS's paths and names.
#ifndef VPCFLOW_SRC_SOURCE_OTHER_SERVICES_H_
#define VPCFLOW_SRC_SOURCE_OTHER_SERVICES_H_

#include <cstddef>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The service, as AWS names it in paths ("CloudTrail", "elasticloadbalancing"), whose object a path is; empty for flow
// logs and for what the path does not tell. Folders before `from` were named by the user: they count only where they
// stand as AWS has them, behind an account.
std::string_view OtherService(std::string_view path, size_t from);

// Whether texts are the same in letters of either case.
bool IsSameWord(std::string_view a, std::string_view b);

// Whether a file's name is one that AWS and its tools give to what accompanies data: manifests, checksums, markers.
bool IsManifestName(std::string_view name);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_OTHER_SERVICES_H_
