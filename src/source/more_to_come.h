// MoreToCome: what a read of fed bytes returns while there are none: it is no error, and the same read goes on later.
#ifndef VPCFLOW_SRC_SOURCE_MORE_TO_COME_H_
#define VPCFLOW_SRC_SOURCE_MORE_TO_COME_H_

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Layers over a stream keep what they have and return it as it is; they go on with the next call.
inline constexpr char kMoreToComeUrl[] = "vpcflow.dev/more-to-come";

inline const absl::Status& MoreToCome() {
  static const absl::Status status = [] {
    absl::Status made = absl::UnavailableError("there is more to come");
    made.SetPayload(kMoreToComeUrl, absl::Cord("1"));
    return made;
  }();
  return status;
}

inline bool IsMoreToCome(const absl::Status& status) {
  return absl::IsUnavailable(status) && status.GetPayload(kMoreToComeUrl).has_value();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_MORE_TO_COME_H_
