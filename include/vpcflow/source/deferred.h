// Deferred sources: a fetcher of yours hands over whole objects, and scans take them as they come.
//
// Example:
//   vpcflow::Source object = vpcflow::Source::Deferred("s3://b/k", /*size=*/1 << 20, [](vpcflow::Delivery delivery) {
//     std::thread([delivery] { delivery.Deliver(vpcflow::OwnedBytes::Of("what was fetched")); }).detach();
//   });
//
// A scan begins to fetch the next 32 objects, or 256 MiB, ahead of its threads. They read what has come, in any order,
// with the same result; none waits for an object while another source can be read. The bytes of an object are freed
// when it has been read.
#ifndef VPCFLOW_SOURCE_DEFERRED_H_
#define VPCFLOW_SOURCE_DEFERRED_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
class Fetch;
}  // namespace internal

// Bytes, and what keeps them in memory.
struct OwnedBytes {
  std::shared_ptr<const void> owner{};
  std::string_view bytes{};

  // Takes over a text.
  static OwnedBytes Of(std::string text) {
    auto kept = std::make_shared<const std::string>(std::move(text));
    return {kept, *kept};
  }
};

// Receives one object. Copies stand for the same one; any thread may use them.
class Delivery {
 public:
  // Hands over the object, or why there is none. The first call counts. A scan passes over an object that is kNotFound,
  // as one deleted since it was listed, with a warning; every other status is an error of its source.
  void Deliver(absl::StatusOr<OwnedBytes> object) const;
  // Tells whether the scan still waits for it: false once it has ended or was cancelled.
  bool wanted() const;

 private:
  friend class internal::Fetch;
  class Promise;
  explicit Delivery(std::shared_ptr<const Promise> promise) : promise_(std::move(promise)) {}
  std::shared_ptr<const Promise> promise_;
};

// Begins to fetch an object and returns without waiting; the delivery may be called before or after that, from any
// thread. If its last copy goes without a call, the object is kUnavailable. Called once for each scan or look.
using FetchFunction = std::function<void(Delivery delivery)>;

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_DEFERRED_H_
