// DuplicateFinder: of sources that are opened one after the other, which have the bytes of an earlier one.
#ifndef VPCFLOW_SRC_SOURCE_DUPLICATE_FINDER_H_
#define VPCFLOW_SRC_SOURCE_DUPLICATE_FINDER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vpcflow/source/duplicates.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Equality is proven by comparison; digests only choose what is compared. One thread at a time. Memory: some 100 bytes
// a file.
class DuplicateFinder {
 public:
  // `sources` must stay. `cancelled` is asked while files are compared; true makes them different.
  explicit DuplicateFinder(const std::vector<Source>& sources, Source::Cancelled cancelled = nullptr)
      : sources_(sources), cancelled_(std::move(cancelled)) {}

  // Opens a source, if it is a file with anything in it, and sets *same_as to the one with the same bytes among those
  // that were opened before and had no other like them, else to kNoDuplicate. The stream gives all of the source; null
  // for what is no file or cannot be opened and read, which is no duplicate.
  std::unique_ptr<ByteStream> Open(size_t number, size_t* same_as);

  // Files read for a digest, and pairs compared byte by byte. Of n files at most n are read, and n pairs compared, but
  // for collisions of digests.
  size_t read() const { return read_; }
  size_t compared() const { return compared_; }

 private:
  size_t Find(size_t number, size_t size, std::string_view beginning);
  std::optional<size_t> Digest(size_t number);
  bool SameBytes(size_t a, size_t b) const;
  template <class Take>
  bool ForBytes(size_t number, Take take) const;

  const std::vector<Source>& sources_;
  Source::Cancelled cancelled_;
  std::unordered_map<size_t, size_t> first_;           // by a hash of size and beginning; kNoDuplicate behind the first
  std::unordered_multimap<size_t, size_t> by_digest_;  // of keys that came twice
  size_t read_ = 0;
  size_t compared_ = 0;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_DUPLICATE_FINDER_H_
