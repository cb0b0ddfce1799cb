// What callbacks of the caller read, as sources.
#ifndef VPCFLOW_SRC_SOURCE_STREAM_SOURCE_H_
#define VPCFLOW_SRC_SOURCE_STREAM_SOURCE_H_

#include <memory>
#include <string>

#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Makes a source that `open` opens; `once` for one that can be read only once.
std::shared_ptr<const SourceInterface> MakeStreamSource(std::string name, Source::OpenFunction open, bool once);

// Makes a stream of what a callback reads: never more than was asked for, and nothing behind its first end or error.
std::unique_ptr<ByteStream> MakeCallbackStream(std::string name, Source::WaitingReadFunction read, Cancelled cancelled);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_STREAM_SOURCE_H_
