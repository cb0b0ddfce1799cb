// Field: the run-time id of a catalogue field, its facts, and look-up by name.
//
// Example:
//   const vpcflow::FieldInfo& f = vpcflow::Info(vpcflow::Field::kDstPort);   // f.name == "dstport", f.version == 2
//   vpcflow::FindField("pkt_srcaddr");       // Field::kPktSrcAddr; `-` and `_` are the same
//   vpcflow::NearestField("dstprot");        // "dstport"
#ifndef VPCFLOW_FORMAT_FIELD_H_
#define VPCFLOW_FORMAT_FIELD_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/format/catalogue.h"
#include "vpcflow/format/field_type.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

enum class Field : uint8_t {
#define VPCFLOW_X(Id, getter, name, version, set, field_type, unit, always, meaning) k##Id,
  VPCFLOW_FIELDS(VPCFLOW_X)
#undef VPCFLOW_X
      kUnknown  // a field the catalogue does not have; kept as text
};
inline constexpr size_t kFieldCount = static_cast<size_t>(Field::kUnknown);

// Who delivers a field.
enum class LogKind : uint8_t { kVpc = 1, kTgw = 2, kBoth = 3 };

struct FieldInfo {
  std::string_view name;    // AWS's name, with hyphens
  std::string_view getter;  // the same with underscores: C++ getter, Python column
  int version;              // record version that brought it
  LogKind delivered_in;
  Kind kind;
  std::string_view type_name;  // "uint16", "address", ...
  uint64_t max;                // largest value of an integer field, else 0
  std::string_view unit;
  bool always_set;  // AWS promises a value
  std::string_view meaning;
};

inline constexpr std::array<FieldInfo, kFieldCount> kFields = {{
#define VPCFLOW_X(Id, getter, name, version, set, field_type, unit, always, meaning)                                  \
  {name, #getter, version, LogKind::k##set, type::field_type::kKind, type::field_type::kName, type::field_type::kMax, \
   unit, always,  meaning},
    VPCFLOW_FIELDS(VPCFLOW_X)
#undef VPCFLOW_X
}};

constexpr const FieldInfo& Info(Field field) { return kFields[static_cast<size_t>(field)]; }

// Field tags for compile-time aggregation: f::Bytes, f::SrcAddr, ...
namespace f {
#define VPCFLOW_X(Id, getter, field_name, version, set, field_type, unit, always, meaning) \
  struct Id {                                                                              \
    using type = vpcflow::type::field_type;                                                \
    using value_type = type::value_type;                                                   \
    static constexpr Field kField = Field::k##Id;                                          \
  };
VPCFLOW_FIELDS(VPCFLOW_X)
#undef VPCFLOW_X
}  // namespace f

namespace internal {
// Folds a letter: field names compare with `_` read as `-` and without case.
constexpr char FoldName(char c) { return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
}  // namespace internal

// Returns the canonical spelling: lower case, hyphens.
inline std::string CanonicalName(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = internal::FoldName(c);
  return out;
}

// Returns the field of that name, or nothing. O(number of fields).
constexpr std::optional<Field> FindField(std::string_view name) {
  for (size_t i = 0; i < kFieldCount; ++i) {
    const std::string_view candidate = kFields[i].name;
    if (candidate.size() != name.size()) continue;
    size_t j = 0;
    while (j < name.size() && internal::FoldName(name[j]) == candidate[j]) ++j;
    if (j == name.size()) return static_cast<Field>(i);
  }
  return std::nullopt;
}

namespace internal {
// Names that others use for fields: Athena's old table of flow logs, Security Lake's and Insights' words.
struct FieldAlias {
  std::string_view name;
  Field field;
};
inline constexpr FieldAlias kFieldAliases[] = {
    {"account", Field::kAccountId},  {"sourceaddress", Field::kSrcAddr},   {"destinationaddress", Field::kDstAddr},
    {"sourceport", Field::kSrcPort}, {"destinationport", Field::kDstPort}, {"numpackets", Field::kPackets},
    {"numbytes", Field::kBytes},     {"starttime", Field::kStart},         {"endtime", Field::kEnd},
};

// Returns whether two names differ in case and separators alone.
constexpr bool SameLetters(std::string_view a, std::string_view b) {
  size_t i = 0, j = 0;
  while (true) {
    while (i < a.size() && FoldName(a[i]) == '-') ++i;
    while (j < b.size() && FoldName(b[j]) == '-') ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (FoldName(a[i++]) != FoldName(b[j++])) return false;
  }
}
}  // namespace internal

// Returns the field meant by a name of another tool: AWS's name with other separators or none and in any case (srcAddr,
// pktsrcaddr), or an alias (sourceaddress). O(number of fields).
constexpr std::optional<Field> FindFieldOrAlias(std::string_view name) {
  if (const std::optional<Field> field = FindField(name)) return field;
  for (size_t i = 0; i < kFieldCount; ++i) {
    if (internal::SameLetters(kFields[i].name, name)) return static_cast<Field>(i);
  }
  for (const internal::FieldAlias& alias : internal::kFieldAliases) {
    if (internal::SameLetters(alias.name, name)) return alias.field;
  }
  return std::nullopt;
}

// Letters to insert, delete, replace or swap to turn one text into the other (optimal string alignment distance).
inline size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

// Returns the nearest of `candidates` that is near enough to have been meant (a third of its letters wrong at most), or
// "". Only the first 64 letters of `name` are looked at.
template <class Names>
std::string Nearest(std::string_view name, const Names& candidates) {
  const std::string wanted = CanonicalName(name.substr(0, 64));
  std::string best;
  size_t best_distance = 0;
  for (const auto& candidate : candidates) {
    const size_t size = std::string_view(candidate).size(), near = std::max<size_t>(1, size / 3);
    if (std::max(size, wanted.size()) - std::min(size, wanted.size()) > near) continue;  // no letter need be looked at
    const size_t distance = EditDistance(wanted, CanonicalName(candidate));
    if (distance <= near && (best.empty() || distance < best_distance)) {
      best = std::string(candidate);
      best_distance = distance;
    }
  }
  return best;
}

// Returns the catalogue name nearest to `name`, or "" if none is near.
inline std::string NearestField(std::string_view name) {
  std::array<std::string_view, kFieldCount> names;
  for (size_t i = 0; i < kFieldCount; ++i) names[i] = kFields[i].name;
  return Nearest(name, names);
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_FIELD_H_
