// What a text is wrapped in, by its beginning.
#include "src/container/open.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/container/binary.h"
#include "src/container/containers.h"
#include "src/source/prefixed_stream.h"
#include "vpcflow/error/error.h"
#include "vpcflow/format/field.h"
#include "vpcflow/source/decompress.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr size_t kHeadBytes = 4096;

// The beginning of a stream up to its first line that is not blank, which tells what it is, and more if that is no
// text. `error` is that of the stream behind it.
std::string ReadHead(ByteStream* stream, absl::Status* error) {
  constexpr size_t kLongestMagic = 16;
  std::string head(kHeadBytes, '\0');
  size_t have = 0;
  const auto tells = [&] {
    const std::string_view text(head.data(), have);
    const size_t end = internal::Begun(text).find('\n');
    return have >= kLongestMagic && end != std::string_view::npos &&
           internal::IsText(internal::Begun(text).substr(0, end));
  };
  while (have < head.size() && !tells()) {
    absl::StatusOr<size_t> n = stream->Read(head.data() + have, head.size() - have);
    if (!n.ok()) *error = n.status();
    if (!n.ok() || *n == 0) break;
    have += *n;
  }
  head.resize(have);
  return head;
}

// AWS's own header line, which most files have: text without a further look.
bool BeginsWithHeader(std::string_view head) {
  constexpr size_t kLongestName = 64;
  const size_t end = head.substr(0, kLongestName).find(' ');
  return end != std::string_view::npos && FindField(head.substr(0, end));
}

}  // namespace

namespace internal {

absl::StatusOr<OpenedContainer> OpenContainer(const Source& source, Container wanted, Source::Cancelled cancelled,
                                              std::atomic<uint64_t>* stored_bytes, uint64_t max_output_bytes,
                                              std::unique_ptr<ByteStream> opened) {
  OpenedContainer out;
  absl::StatusOr<std::unique_ptr<ByteStream>> text =
      OpenText(source, std::move(cancelled), &out.packed, stored_bytes, std::move(opened), max_output_bytes);
  if (!text.ok()) return text.status();
  out.stream = *std::move(text);
  absl::Status error;
  std::string head = ReadHead(out.stream.get(), &error);
  const bool plain = BeginsWithHeader(head);
  if (const std::string what = plain ? "" : SeemsToBeBinary(head, source.name()); !what.empty())
    return MakeError(ErrorKind::kFormat,
                     absl::StrCat(source.name(), out.packed ? ": what is packed in it is " : ": this is ", what));
  out.container = wanted != Container::kAuto ? wanted : plain ? Container::kText : DetectContainer(head);
  if (out.container != Container::kText && head.starts_with(kByteOrderMark)) {
    head.erase(0, kByteOrderMark.size());
    out.begin = kByteOrderMark.size();
  }
  out.stream = std::make_unique<PrefixedStream>(std::move(head), std::move(out.stream), nullptr, std::move(error));
  return out;
}

OpenedRecords UnwrapOpened(OpenedContainer opened, const std::string& name, uint64_t max_output_bytes) {
  OpenedRecords out{std::move(opened.stream), opened.container, opened.packed};
  if (out.container != Container::kText) {
    std::unique_ptr<UnwrapStream> unwrapped = Unwrap(out.container, name, std::move(out.stream));
    unwrapped->LimitUnpacked(max_output_bytes);
    out.origins = unwrapped.get();
    out.stream = std::move(unwrapped);
  }
  return out;
}

}  // namespace internal

absl::StatusOr<OpenedRecords> OpenRecords(const Source& source, Container wanted, Source::Cancelled cancelled,
                                          std::atomic<uint64_t>* stored_bytes, uint64_t max_output_bytes,
                                          std::unique_ptr<ByteStream> opened) {
  absl::StatusOr<internal::OpenedContainer> text =
      internal::OpenContainer(source, wanted, std::move(cancelled), stored_bytes, max_output_bytes, std::move(opened));
  if (!text.ok()) return text.status();
  return internal::UnwrapOpened(*std::move(text), source.name(), max_output_bytes);
}

VPCFLOW_NAMESPACE_END
