// NamesAFlow: whether the names of an object, a header or a table are those of a flow log record.
//
// Example:
//   vpcflow::NamesAFlow(std::vector<std::string>{"srcaddr", "bytes"});        // true
//   vpcflow::NamesAFlow(std::vector<std::string>{"region", "account_id"});    // false: many documents have these
#ifndef VPCFLOW_FORMAT_FLOW_NAMES_H_
#define VPCFLOW_FORMAT_FLOW_NAMES_H_

#include <optional>
#include <string_view>

#include "vpcflow/format/field.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What one field says about the set that it is in; those of a set are OR-ed.
enum FlowEvidence : unsigned {
  kSaysNothing = 0,
  kSaysWho = 1,   // an address or the recording interface
  kSaysWhat = 2,  // a time of the window, what was counted, or what became of it
  kSaysSource = 4,
  kSaysDestination = 8
};

// Returns the evidence of a field's name. `own`: the name is AWS's own, not one of other tools.
constexpr unsigned EvidenceOf(Field field, bool own) {
  switch (field) {
    case Field::kSrcAddr: return own ? kSaysWho | kSaysSource : kSaysWho;
    case Field::kDstAddr: return own ? kSaysWho | kSaysDestination : kSaysWho;
    case Field::kPktSrcAddr:
    case Field::kPktDstAddr:
    case Field::kInterfaceId:
    case Field::kTgwId:
    case Field::kTgwAttachmentId:
    case Field::kTgwPairAttachmentId:
    case Field::kTgwSrcEni:
    case Field::kTgwDstEni: return kSaysWho;
    case Field::kStart:
    case Field::kEnd:
    case Field::kPackets:
    case Field::kBytes:
    case Field::kAction:
    case Field::kLogStatus: return kSaysWhat;
    default: return kSaysNothing;
  }
}

constexpr bool IsFlow(unsigned evidence) {
  constexpr unsigned kBoth = kSaysSource | kSaysDestination, kOneEach = kSaysWho | kSaysWhat;
  return (evidence & kOneEach) == kOneEach || (evidence & kBoth) == kBoth;
}

}  // namespace internal

// Returns whether names, of AWS or of other tools, make a flow log record together: an address or an interface, with a
// time, a count, an action or a log status; or both addresses by AWS's own names. O(names * fields).
template <class Names>
constexpr bool NamesAFlow(const Names& names) {
  unsigned evidence = internal::kSaysNothing;
  for (const auto& name : names) {
    const std::string_view text(name);
    if (const std::optional<Field> field = FindFieldOrAlias(text))
      evidence |= internal::EvidenceOf(*field, FindField(text).has_value());
  }
  return internal::IsFlow(evidence);
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_FLOW_NAMES_H_
