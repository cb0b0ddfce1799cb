// ColumnNames: what a container means by the names of an object, a header or a table.
//
//   NamedColumns columns = NameColumns({"srcAddr", "start", "start_time", "team"});
//   columns.columns[1].name;       // "start"
//   columns.columns[2].name;       // "start-time": AWS's own name wins, the other column is kept as text
//   IsFlow(columns.evidence);      // true
#ifndef VPCFLOW_SRC_CONTAINER_COLUMN_NAMES_H_
#define VPCFLOW_SRC_CONTAINER_COLUMN_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/format/flow_names.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr size_t kMaxName = 128;  // of a column in a header line; longer ones are cut

// How near a name is to the field that it means: of two columns of one field the nearer one is taken.
enum class NameRank : uint8_t {
  kOwn,      // AWS's name; `-`, `_` and case aside
  kLetters,  // with other separators, or none
  kAlias,    // a name that other tools use for it
  kStandIn,  // what is taken if the field is not there
  kUnknown   // no field
};

struct NameMeaning {
  Field field = Field::kUnknown;
  NameRank rank = NameRank::kUnknown;
  bool depends = false;  // on the other names of its set
  unsigned evidence() const { return EvidenceOf(field, rank == NameRank::kOwn); }
};

// What a name means, but for the other names of its set.
NameMeaning MeaningOf(std::string_view name);
// The name in a header line of a column that is no field.
std::string HeaderName(std::string_view name);

struct NamedColumn {
  size_t position;  // of its name
  std::string name;
  Field field;  // or kUnknown
};

struct NamedColumns {
  std::vector<NamedColumn> columns;  // fields first, as a header line begins with one; each name once
  unsigned evidence = kSaysNothing;
  std::string clash;  // not empty if two columns are the same field by names of one rank: which they are
};

NamedColumns NameColumns(std::span<const std::string> names);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_COLUMN_NAMES_H_
