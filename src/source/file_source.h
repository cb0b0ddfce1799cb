// Files, pipes and standard input as sources.
#ifndef VPCFLOW_SRC_SOURCE_FILE_SOURCE_H_
#define VPCFLOW_SRC_SOURCE_FILE_SOURCE_H_

#include <memory>
#include <string>

#include "vpcflow/source/source_interface.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Makes the source of a path; "-" is standard input.
std::shared_ptr<const SourceInterface> MakeFileSource(std::string path);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_FILE_SOURCE_H_
