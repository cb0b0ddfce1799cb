// Waits for other threads that take microseconds: to sleep and be woken takes longer than most of them.
//
// Of two threads that parse one file, each sleeping for that, one in five blocks had one sleep; without, parsing has
// 1.15 times the rate (docs/explanation/performance-measured.md).
#ifndef VPCFLOW_SRC_SCAN_SHORT_WAIT_H_
#define VPCFLOW_SRC_SCAN_SHORT_WAIT_H_

#include <mutex>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Asks until done() is true, for some 30 us at the most: a block of 128 KiB is read in 20. Returns what it said last.
template <class Done>
bool SpinUntil(Done done) {
  constexpr int kAsked = 100, kPauses = 16;
  for (int asked = 0; asked < kAsked; ++asked) {
    if (done()) return true;
    for (int i = 0; i < kPauses; ++i) {
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      asm volatile("isb");  // as others do, who found `yield` too short; not measured here
#endif
    }
  }
  return false;
}

// Locks a mutex that is mostly held for microseconds.
inline std::unique_lock<std::mutex> LockSoon(std::mutex& mutex) {
  if (SpinUntil([&] { return mutex.try_lock(); })) return {mutex, std::adopt_lock};
  return std::unique_lock(mutex);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_SHORT_WAIT_H_
