// Unwrap: streams of record text out of streams of containers.
#ifndef VPCFLOW_SRC_CONTAINER_UNWRAP_H_
#define VPCFLOW_SRC_CONTAINER_UNWRAP_H_

#include <memory>
#include <string>

#include "vpcflow/container/container.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The record text of a container, and where its lines come from; of kText the stream itself. `name` is for errors.
std::unique_ptr<ByteStream> Unwrap(Container container, std::string name, std::unique_ptr<ByteStream> stream,
                                   LineOrigins** origins);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_UNWRAP_H_
