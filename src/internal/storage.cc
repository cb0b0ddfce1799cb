#include "vpcflow/internal/storage.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
#if defined(__linux__)
constexpr size_t kMapped = size_t{1} << 20;      // from this size on, memory is mapped
constexpr size_t kMinMapped = size_t{16} << 20;  // address space; what is not written takes no memory

// Address space for `bytes` from a huge page's boundary on, without memory behind it.
void* ReserveAligned(size_t bytes) {
  void* raw = mmap(nullptr, bytes + kHugePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) throw std::bad_alloc();
  const auto begin = reinterpret_cast<uintptr_t>(raw);
  const uintptr_t aligned = (begin + kHugePage - 1) & ~(kHugePage - 1);
  if (aligned > begin) munmap(raw, aligned - begin);
  const uintptr_t end = begin + bytes + kHugePage;
  if (end > aligned + bytes) munmap(reinterpret_cast<void*>(aligned + bytes), end - aligned - bytes);
  return reinterpret_cast<void*>(aligned);
}

// Pages move to the new place; nothing is copied. Huge pages stay whole, as both places are aligned to them.
void* GrowMapped(void* data, size_t old_bytes, size_t bytes) {
  void* to = ReserveAligned(bytes);
  void* mapped = old_bytes >= kMapped
                     ? mremap(data, old_bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to)
                     : mmap(to, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (mapped == MAP_FAILED) {
    munmap(to, bytes);
    throw std::bad_alloc();
  }
  madvise(mapped, bytes, MADV_HUGEPAGE);  // advice: no matter if it fails
  if (old_bytes < kMapped && old_bytes > 0) {
    std::memcpy(mapped, data, old_bytes);
    std::free(data);
  }
  return mapped;
}
#else
constexpr size_t kMapped = SIZE_MAX, kMinMapped = 0;
void* GrowMapped(void*, size_t, size_t) { throw std::bad_alloc(); }
#endif

}  // namespace

void* GrowStorage(void* data, size_t old_bytes, size_t* bytes) {
  if (*bytes >= kMapped) {
    *bytes = std::max((*bytes + kHugePage - 1) & ~(kHugePage - 1), kMinMapped);
    return GrowMapped(data, old_bytes, *bytes);
  }
  void* larger = std::realloc(data, *bytes);
  if (larger == nullptr) throw std::bad_alloc();
  return larger;
}

void FreeStorage(void* data, size_t bytes) {
#if defined(__linux__)
  if (bytes >= kMapped) {
    munmap(data, bytes);
    return;
  }
#endif
  (void)bytes;
  std::free(data);
}

void SpareStorage::Add(void* data, size_t used, size_t capacity) {
#if defined(__linux__)
  // Whole huge pages are moved behind each other; the rest of the address space goes.
  const size_t kept = (used + kHugePage - 1) & ~(kHugePage - 1);
  if (capacity >= kMapped && kept <= capacity && kept > 0) {
    void* to = ReserveAligned(bytes_ + kept);
    const auto move = [](void* from, size_t size, void* place) {
      if (size > 0 && mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED)
        throw std::bad_alloc();  // what was not moved stays its owner's; the address space is lost
    };
    move(data_, bytes_, to);
    data_ = to;
    move(data, kept, static_cast<char*>(to) + bytes_);
    if (capacity > kept) munmap(static_cast<char*>(data) + kept, capacity - kept);
    bytes_ += kept;
    return;
  }
#else
  (void)used;
#endif
  FreeStorage(data, capacity);
}

void* SpareStorage::Take(size_t* bytes) {
#if defined(__linux__)
  const size_t wanted = (*bytes + kHugePage - 1) & ~(kHugePage - 1);
  if (*bytes < kMapped || wanted > bytes_) return nullptr;
  void* taken = data_;
  data_ = wanted < bytes_ ? static_cast<char*>(data_) + wanted : nullptr;
  bytes_ -= wanted;
  *bytes = wanted;
  return taken;
#else
  (void)bytes;
  return nullptr;
#endif
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
