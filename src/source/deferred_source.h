// Objects that a fetcher hands over, as sources.
#ifndef VPCFLOW_SRC_SOURCE_DEFERRED_SOURCE_H_
#define VPCFLOW_SRC_SOURCE_DEFERRED_SOURCE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "vpcflow/source/deferred.h"
#include "vpcflow/source/source_interface.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

std::shared_ptr<const SourceInterface> MakeDeferredSource(std::string name, size_t size, FetchFunction fetch,
                                                          std::string identity);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_DEFERRED_SOURCE_H_
