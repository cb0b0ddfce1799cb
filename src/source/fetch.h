// Fetch: one object of a deferred source, for one scan.
#ifndef VPCFLOW_SRC_SOURCE_FETCH_H_
#define VPCFLOW_SRC_SOURCE_FETCH_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "vpcflow/source/deferred.h"
#include "vpcflow/source/source_interface.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Whoever waits for the object holds it; when it goes, the delivery is no longer wanted. Any thread.
class Fetch {
 public:
  // Begins to fetch. `wake`, if given, is called when the object is there, by the thread that delivers it.
  static std::shared_ptr<Fetch> Begin(const std::string& name, const FetchFunction& fetch, std::function<void()> wake);
  ~Fetch();
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  // Tells whether the object, or an error, is there.
  bool ready() const;
  // Waits for it, and gives it; kCancelled if `cancelled` says so. Once.
  absl::StatusOr<OwnedBytes> Take(const Cancelled& cancelled);

 private:
  struct State;
  explicit Fetch(std::shared_ptr<State> state) : state_(std::move(state)) {}
  const std::shared_ptr<State> state_;
  friend class vpcflow::Delivery;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_FETCH_H_
