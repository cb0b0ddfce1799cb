// Arrow tables as sources.
#ifndef VPCFLOW_SRC_SOURCE_ARROW_SOURCE_H_
#define VPCFLOW_SRC_SOURCE_ARROW_SOURCE_H_

#include <memory>
#include <string>

#include "vpcflow/source/arrow_table.h"
#include "vpcflow/source/source_interface.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Makes the source of a table; `stored`, if given, has the bytes that it is made from.
std::shared_ptr<const SourceInterface> MakeArrowSource(std::string name, std::shared_ptr<const ArrowTable> table,
                                                       std::shared_ptr<const SourceInterface> stored);

// Makes a table of a stream that is taken and can be read once, and of a function that opens it anew.
std::shared_ptr<const ArrowTable> MakeArrowTable(ArrowArrayStream* stream);
std::shared_ptr<const ArrowTable> MakeArrowTable(ArrowOpenFunction open);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_ARROW_SOURCE_H_
