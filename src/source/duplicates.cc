#include "vpcflow/source/duplicates.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/hash/hash.h"
#include "src/source/duplicate_finder.h"
#include "src/source/prefixed_stream.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kStep = size_t{256} << 10;
constexpr size_t kBeginning = 64;  // of gzip: it has the time of packing, and the first bytes of the text

// Reads until `size` bytes or the end; false for an error.
bool ReadFull(ByteStream* stream, size_t size, std::string* out) {
  out->resize(size);
  size_t have = 0;
  while (have < size) {
    const absl::StatusOr<size_t> n = stream->Read(out->data() + have, size - have);
    if (!n.ok()) return false;
    if (*n == 0) break;
    have += *n;
  }
  out->resize(have);
  return true;
}

}  // namespace

// Calls take(bytes) for all of a source, kStep bytes at a time, until it returns false. False for an error.
template <class Take>
bool DuplicateFinder::ForBytes(size_t number, Take take) const {
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = sources_[number].Open(nullptr);
  if (!stream.ok()) return false;
  std::string bytes;
  while (true) {
    if (cancelled_ && cancelled_()) return false;
    if (!ReadFull(stream->get(), kStep, &bytes)) return false;
    if (bytes.empty() || !take(bytes)) return true;
  }
}

// Of all bytes and their number; nothing if they cannot be read.
std::optional<size_t> DuplicateFinder::Digest(size_t number) {
  ++read_;
  size_t digest = 0;
  const bool whole = ForBytes(number, [&](std::string_view bytes) {
    digest = absl::HashOf(digest, absl::string_view(bytes.data(), bytes.size()));
    return true;
  });
  return whole ? std::optional(digest) : std::nullopt;
}

bool DuplicateFinder::SameBytes(size_t a, size_t b) const {
  absl::StatusOr<std::unique_ptr<ByteStream>> other = sources_[b].Open(nullptr);
  if (!other.ok()) return false;
  bool same = true;
  std::string theirs;
  const bool read = ForBytes(a, [&](std::string_view bytes) {
    same = ReadFull(other->get(), bytes.size(), &theirs) && theirs == bytes;
    return same;
  });
  return read && same && ReadFull(other->get(), 1, &theirs) && theirs.empty();
}

// Those that are kept differ from each other, so there is one at most.
size_t DuplicateFinder::Find(size_t number, size_t size, std::string_view beginning) {
  const size_t key = absl::HashOf(size, absl::string_view(beginning.data(), beginning.size()));
  const auto [first, is_new] = first_.try_emplace(key, number);
  if (is_new) return kNoDuplicate;
  if (first->second != kNoDuplicate) {  // the first of its key has a digest from now on, too
    const size_t other = std::exchange(first->second, kNoDuplicate);
    if (const std::optional<size_t> digest = Digest(other)) by_digest_.emplace(*digest, other);
  }
  const std::optional<size_t> digest = Digest(number);
  if (!digest) return kNoDuplicate;
  const auto [begin, end] = by_digest_.equal_range(*digest);
  for (auto it = begin; it != end; ++it) {
    ++compared_;
    if (SameBytes(it->second, number)) return it->second;
  }
  by_digest_.emplace(*digest, number);
  return kNoDuplicate;
}

std::unique_ptr<ByteStream> DuplicateFinder::Open(size_t number, size_t* same_as) {
  *same_as = kNoDuplicate;
  const Source& source = sources_[number];
  const size_t size = source.is_file() ? source.size() : 0;
  if (size == 0) return nullptr;
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = source.Open(cancelled_);
  std::string beginning;
  if (!stream.ok() || !ReadFull(stream->get(), kBeginning, &beginning)) return nullptr;
  *same_as = Find(number, size, beginning);
  return std::make_unique<PrefixedStream>(std::move(beginning), *std::move(stream));
}

}  // namespace internal

std::vector<size_t> FindDuplicates(const std::vector<Source>& sources) {
  std::vector<size_t> sizes, same_as(sources.size(), kNoDuplicate);
  std::unordered_map<size_t, size_t> files;  // by size
  for (const Source& source : sources) {
    sizes.push_back(source.is_file() ? source.size() : 0);
    ++files[sizes.back()];
  }
  internal::DuplicateFinder finder(sources);
  for (size_t i = 0; i < sources.size(); ++i) {
    if (files[sizes[i]] > 1) finder.Open(i, &same_as[i]);
  }
  return same_as;
}

VPCFLOW_NAMESPACE_END
