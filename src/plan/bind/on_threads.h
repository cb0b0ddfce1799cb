// Work that several threads share, once the scan is over.
#ifndef VPCFLOW_SRC_PLAN_BIND_ON_THREADS_H_
#define VPCFLOW_SRC_PLAN_BIND_ON_THREADS_H_

#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Calls work(0) to work(n - 1), each on a thread, the first on the caller's, and waits for all. Throws what one threw.
template <class Work>
void OnThreads(size_t n, const Work& work) {
  std::vector<std::exception_ptr> thrown(n);
  const auto guarded = [&](size_t i) {
    try {
      work(i);
    } catch (...) {
      thrown[i] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(n);
  for (size_t i = 1; i < n; ++i) {
    try {
      threads.emplace_back(guarded, i);
    } catch (...) {  // no further thread to be had: it is done here
      guarded(i);
    }
  }
  guarded(0);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& e : thrown) {
    if (e != nullptr) std::rethrow_exception(e);
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_BIND_ON_THREADS_H_
