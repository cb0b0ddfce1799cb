// Addresses in saved states.
#ifndef VPCFLOW_SRC_SESSION_SAVED_IP_H_
#define VPCFLOW_SRC_SESSION_SAVED_IP_H_

#include "vpcflow/base/ip.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline void WriteIp(const Ip& ip, StateWriter* out) {
  out->Word(ip.hi);
  out->Word(ip.lo);
}
inline Ip ReadIp(StateReader* in) {
  const uint64_t hi = in->Word();
  return {hi, in->Word()};
}

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_SAVED_IP_H_
