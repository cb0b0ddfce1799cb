// ToBytes and FromBytes: accumulators, however nested, as bytes, to go on with elsewhere or later.
//
// Example:
//   using Talkers = vpcflow::GroupBy<vpcflow::Keys<vpcflow::f::SrcAddr>, vpcflow::Sum<vpcflow::f::Bytes>>;
//   Talkers talkers, back;
//   std::string bytes = vpcflow::ToBytes(talkers);                 // the same for the same records, in any order
//   if (vpcflow::FromBytes(bytes, &back) == vpcflow::StateError::kNone) back.Merge(talkers);
//
// FromBytes distinguishes damaged bytes, other bytes, and a state of another type (by the names of accumulators and
// fields; filters of Where have none). Any bytes are safe; `out` is unchanged unless all is well. O(size).
#ifndef VPCFLOW_STATE_SAVED_H_
#define VPCFLOW_STATE_SAVED_H_

#include <string>
#include <string_view>
#include <utility>

#include "vpcflow/state/bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

template <class A>
concept Savable = requires(A a, const A& other, StateWriter* out, StateReader* in) {
  std::string(A::Name());
  other.Write(out);
  a.Read(in);
};

template <Savable A>
std::string ToBytes(const A& accumulator) {
  StateWriter out;
  out.Text(A::Name());
  accumulator.Write(&out);
  return Seal(StateKind::kAccumulator, out.bytes());
}

template <Savable A>
StateError FromBytes(std::string_view bytes, A* out) {
  std::string_view payload;
  if (const StateError error = Unseal(StateKind::kAccumulator, bytes, &payload); error != StateError::kNone)
    return error;
  StateReader in(payload);
  if (in.Text() != A::Name()) return StateError::kOtherKind;
  A read;
  read.Read(&in);
  if (!in.ok() || !in.done()) return StateError::kContent;
  *out = std::move(read);
  return StateError::kNone;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_STATE_SAVED_H_
