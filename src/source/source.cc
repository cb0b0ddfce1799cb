// The factories of the kinds of sources.
#include "vpcflow/source/source.h"

#include <utility>

#include "src/source/arrow_source.h"
#include "src/source/deferred_source.h"
#include "src/source/file_source.h"
#include "src/source/memory_source.h"
#include "src/source/stream_source.h"

VPCFLOW_NAMESPACE_BEGIN

Source Source::File(std::string path) {
  auto kind = internal::MakeFileSource(path);
  return {std::move(path), std::move(kind)};
}

Source Source::Bytes(std::string name, std::string_view data) {
  return {std::move(name), std::make_shared<const internal::MemorySource>(OwnedBytes{nullptr, data})};
}

Source Source::Bytes(std::string name, OwnedBytes data) {
  return {std::move(name), std::make_shared<const internal::MemorySource>(std::move(data))};
}

Source Source::Stream(std::string name, ReadFunction read) {
  return Stream(std::move(name), [read = std::move(read)](char* buffer, size_t size, const vpcflow::Cancelled&) {
    return read(buffer, size);
  });
}

Source Source::Stream(std::string name, WaitingReadFunction read) {
  const auto open = [name, read = std::move(read)](const vpcflow::Cancelled& cancelled) {
    return internal::MakeCallbackStream(name, read, cancelled);
  };
  auto kind = internal::MakeStreamSource(name, open, /*once=*/true);
  return {std::move(name), std::move(kind)};
}

Source Source::Reopened(std::string name, OpenFunction open) {
  auto kind = internal::MakeStreamSource(name, std::move(open), /*once=*/false);
  return {std::move(name), std::move(kind)};
}

Source Source::Deferred(std::string name, size_t size, FetchFunction fetch, std::string identity) {
  auto kind = internal::MakeDeferredSource(name, size, std::move(fetch), std::move(identity));
  return {std::move(name), std::move(kind)};
}

Source Source::Arrow(std::string name, ArrowArrayStream* stream) {
  return Arrow(std::move(name), internal::MakeArrowTable(stream));
}

Source Source::Arrow(std::string name, ArrowOpenFunction open) {
  return Arrow(std::move(name), internal::MakeArrowTable(std::move(open)));
}

Source Source::Arrow(std::string name, std::shared_ptr<const ArrowTable> table,
                     std::shared_ptr<const SourceInterface> stored) {
  auto kind = internal::MakeArrowSource(name, std::move(table), std::move(stored));
  return {std::move(name), std::move(kind)};
}

VPCFLOW_NAMESPACE_END
