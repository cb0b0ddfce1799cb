// Memory of large arrays: huge pages that grow without copying, and storage that is used again.
#ifndef VPCFLOW_INTERNAL_STORAGE_H_
#define VPCFLOW_INTERNAL_STORAGE_H_

#include <cstddef>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Memory for arrays. Grows `data` (null for none) from `old_bytes` to at least `bytes`, rounded up in place; the
// first old_bytes stay. Throws std::bad_alloc.
void* GrowStorage(void* data, size_t old_bytes, size_t* bytes);
void FreeStorage(void* data, size_t bytes);

// Memory that was in use, for another array: what the system has cleared once need not be cleared again, which for
// large arrays costs more than filling them.
class SpareStorage {
 public:
  SpareStorage() = default;
  SpareStorage(const SpareStorage&) = delete;
  SpareStorage& operator=(const SpareStorage&) = delete;
  ~SpareStorage() { FreeStorage(data_, bytes_); }
  // Takes storage of `capacity` bytes, of which the first `used` were written, to the end of what is here.
  void Add(void* data, size_t used, size_t capacity);
  // Storage of at least `bytes`, which is rounded up, or null if there is none.
  void* Take(size_t* bytes);

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;  // all of it was written
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_INTERNAL_STORAGE_H_
