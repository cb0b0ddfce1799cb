// ShownFields: which of the fields that sessions are made of had a value in some record, by source. A field that every
// record has as "-" shows no more than one that the format lacks.
#ifndef VPCFLOW_SRC_SESSION_SHOWN_FIELDS_H_
#define VPCFLOW_SRC_SESSION_SHOWN_FIELDS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "vpcflow/format/field.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/state/bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The fields that sessions are made of. The first kNeededSessionFields of them must be in some source.
inline constexpr std::array kSessionFields = {
    Field::kSrcAddr,       Field::kDstAddr,    Field::kStart,      Field::kEnd,
    Field::kSrcPort,       Field::kDstPort,    Field::kProtocol,   Field::kInterfaceId,
    Field::kPackets,       Field::kBytes,      Field::kAction,     Field::kTcpFlags,
    Field::kFlowDirection, Field::kPktSrcAddr, Field::kPktDstAddr, Field::kInterfaceType};
inline constexpr size_t kNeededSessionFields = 4;

// By kSessionFields: the column of a batch that has the field.
using SessionColumns = std::array<size_t, kSessionFields.size()>;

class ShownFields {
 public:
  using Bits = uint16_t;  // by kSessionFields
  static_assert(kSessionFields.size() <= 16);

  // Notes the records of a batch, whose format has the fields `named`. O(fields) once all of them had a value.
  void Add(const Batch& batch, const SessionColumns& columns, Bits named);
  // Takes in what another part of the same scan, or of others that have ended, noted.
  void Merge(const ShownFields& other);
  // Forgets the numbers of sources: those of the next scan are others.
  void EndScan();
  // Notes records of which nothing is known.
  void AddUnknown() { ++ended_[{}]; }
  // Returns the counts of sources, as Report::shown.
  std::map<std::string, uint64_t> Texts() const;
  // Saving: of all sources together, as one, so that the parts in which records came do not show.
  void Write(StateWriter* out) const;
  void Read(StateReader* in);

 private:
  struct Shown {
    Bits named = 0, valued = 0;  // of what is named
    friend auto operator<=>(const Shown&, const Shown&) = default;
  };
  std::map<std::pair<uint32_t, Bits>, Bits> scanned_;  // by source and what it names: what had a value
  std::map<Shown, uint64_t> ended_;                    // sources of scans that have ended
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_SHOWN_FIELDS_H_
