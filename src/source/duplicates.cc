#include "vpcflow/source/duplicates.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "absl/hash/hash.h"

VPCFLOW_NAMESPACE_BEGIN
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

// Calls take(bytes) for all of a source, `step` bytes at a time, until it returns false. False for an error.
template <class Take>
bool ForBytes(const Source& source, size_t step, Take take) {
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = source.Open(nullptr);
  if (!stream.ok()) return false;
  std::string bytes;
  while (true) {
    if (!ReadFull(stream->get(), step, &bytes)) return false;
    if (bytes.empty() || !take(bytes)) return true;
  }
}

size_t Digest(const Source& source) {
  size_t digest = 0;
  ForBytes(source, kStep, [&](std::string_view bytes) {
    digest = absl::HashOf(digest, absl::string_view(bytes.data(), bytes.size()));
    return true;
  });
  return digest;
}

bool SameBytes(const Source& a, const Source& b) {
  absl::StatusOr<std::unique_ptr<ByteStream>> other = b.Open(nullptr);
  if (!other.ok()) return false;
  bool same = true;
  std::string theirs;
  const bool read = ForBytes(a, kStep, [&](std::string_view bytes) {
    same = ReadFull(other->get(), bytes.size(), &theirs) && theirs == bytes;
    return same;
  });
  return read && same && ReadFull(other->get(), 1, &theirs) && theirs.empty();
}

// Splits groups of sources by a further property.
template <class Key, class Of>
void Refine(std::vector<std::vector<size_t>>* groups, Of of) {
  std::vector<std::vector<size_t>> finer;
  for (const std::vector<size_t>& group : *groups) {
    std::map<Key, std::vector<size_t>> parts;
    for (const size_t i : group) parts[of(i)].push_back(i);
    for (auto& [key, part] : parts) {
      if (part.size() > 1) finer.push_back(std::move(part));
    }
  }
  *groups = std::move(finer);
}

}  // namespace

std::vector<size_t> FindDuplicates(const std::vector<Source>& sources) {
  std::vector<size_t> same_as(sources.size(), kNoDuplicate);
  std::vector<std::vector<size_t>> groups(1);
  for (size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].is_file() && sources[i].size() > 0) groups[0].push_back(i);
  }
  if (groups[0].size() < 2) return same_as;
  Refine<size_t>(&groups, [&](size_t i) { return sources[i].size(); });
  Refine<std::string>(&groups, [&](size_t i) {
    std::string beginning;
    ForBytes(sources[i], kBeginning, [&](const std::string& bytes) {
      beginning = bytes;
      return false;
    });
    return beginning;
  });
  Refine<size_t>(&groups, [&](size_t i) { return Digest(sources[i]); });
  for (const std::vector<size_t>& group : groups) {
    for (size_t k = 1; k < group.size(); ++k) {
      for (size_t j = 0; j < k; ++j) {
        if (same_as[group[j]] == kNoDuplicate && SameBytes(sources[group[j]], sources[group[k]])) {
          same_as[group[k]] = group[j];
          break;
        }
      }
    }
  }
  return same_as;
}

VPCFLOW_NAMESPACE_END
