// What a text is wrapped in, by its beginning.
#include "src/container/open.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/container/binary.h"
#include "src/container/containers.h"
#include "src/source/more_to_come.h"
#include "src/source/prefixed_stream.h"
#include "vpcflow/error/error.h"
#include "vpcflow/format/field.h"
#include "vpcflow/source/decompress.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr size_t kHeadBytes = 4096;

// Reads the beginning of a stream up to its first line that is not blank, which tells what it is, and more if that is no
// text. Returns the error of the stream behind it; after MoreToCome it goes on with the next call.
absl::Status ReadHead(ByteStream* stream, std::string* head) {
  constexpr size_t kLongestMagic = 16;
  const auto tells = [head] {
    const std::string_view text = internal::Begun(*head);
    const size_t end = text.find('\n');
    return head->size() >= kLongestMagic && end != std::string_view::npos && internal::IsText(text.substr(0, end));
  };
  while (head->size() < kHeadBytes && !tells()) {
    const size_t have = head->size();
    head->resize(kHeadBytes);
    absl::StatusOr<size_t> n = stream->Read(head->data() + have, kHeadBytes - have);
    head->resize(have + (n.ok() ? *n : 0));
    if (!n.ok()) return n.status();
    if (*n == 0) break;
  }
  return absl::OkStatus();
}

// AWS's own header line, which most files have: text without a further look.
bool BeginsWithHeader(std::string_view head) {
  constexpr size_t kLongestName = 64;
  const size_t end = head.substr(0, kLongestName).find(' ');
  return end != std::string_view::npos && FindField(head.substr(0, end));
}

}  // namespace

namespace internal {

absl::StatusOr<OpenedContainer> ContainerOpener::Open() {
  if (stream_ == nullptr) {
    absl::StatusOr<std::unique_ptr<ByteStream>> text = text_.Open();
    if (!text.ok()) return text.status();
    stream_ = *std::move(text);
  }
  absl::Status error = ReadHead(stream_.get(), &head_);
  if (IsMoreToCome(error)) return error;
  OpenedContainer out;
  out.packed = text_.packed();
  const bool plain = BeginsWithHeader(head_);
  if (const std::string what = plain ? "" : SeemsToBeBinary(head_, name_); !what.empty())
    return MakeError(ErrorKind::kFormat,
                     absl::StrCat(name_, out.packed ? ": what is packed in it is " : ": this is ", what));
  out.container = wanted_ != Container::kAuto ? wanted_ : plain ? Container::kText : DetectContainer(head_);
  if (out.container != Container::kText && head_.starts_with(kByteOrderMark)) {
    head_.erase(0, kByteOrderMark.size());
    out.begin = kByteOrderMark.size();
  }
  out.stream = std::make_unique<PrefixedStream>(std::move(head_), std::move(stream_), nullptr, std::move(error));
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
      internal::ContainerOpener(source, wanted, std::move(cancelled), stored_bytes, max_output_bytes, std::move(opened))
          .Open();
  if (!text.ok()) return text.status();
  return internal::UnwrapOpened(*std::move(text), source.name(), max_output_bytes);
}

VPCFLOW_NAMESPACE_END
