#include "faults/failing_new.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace failing_new {
namespace {

std::atomic<long> until_failure{-1};
std::atomic<bool> failed{false};

bool FailNow() {
  long left = until_failure.load();
  while (left >= 0 && !until_failure.compare_exchange_weak(left, left - 1)) {
  }
  if (left == 0) failed = true;
  return left == 0;
}

}  // namespace

void AfterAllocations(long n) {
  failed = false;
  until_failure = n;
}
bool Disarm() {
  until_failure = -1;
  return failed;
}

}  // namespace failing_new

void* operator new(size_t size) {
  void* memory = failing_new::FailNow() ? nullptr : std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
// Sanitizers have one of their own for this (std::stable_sort's buffer), which would not go with the deletes below.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return failing_new::FailNow() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
