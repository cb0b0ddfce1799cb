// ErrorBounds: what the groups of a top-k within bounded memory may have lost when lighter groups were dropped.
#ifndef VPCFLOW_SRC_PLAN_GROUP_ERROR_BOUNDS_H_
#define VPCFLOW_SRC_PLAN_GROUP_ERROR_BOUNDS_H_

#include <cstdint>
#include <map>
#include <vector>

#include "src/plan/group/group_table.h"
#include "src/plan/group/key_layout.h"
#include "vpcflow/result/table.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class ErrorBounds {
 public:
  // `layout` must outlive it.
  ErrorBounds(const PlanImpl& plan, const KeyLayout& layout);

  // The part of a key that the plan's top-k is made for each of: the key with all other codes 0.
  std::vector<uint64_t> PartOf(const uint64_t* key) const;
  // Raises the bound of all groups with this part.
  void Add(std::vector<uint64_t> part, uint64_t weight);
  // Adds another's bounds, with codes translated.
  void Merge(const ErrorBounds& other, const CodeMap& codes);
  // Appends the bound of each group as a column.
  void Emit(const std::vector<uint32_t>& groups, const GroupTable& table, Table* out) const;
  void Write(const CodeMap& codes, StateWriter* out) const;
  bool Read(const Interner& interner, StateReader* in);
  // Memory, about.
  size_t bytes() const;

 private:
  std::vector<uint64_t> Translated(const std::vector<uint64_t>& part, const CodeMap& codes) const;

  const PlanImpl& plan_;
  const KeyLayout& layout_;
  std::vector<uint64_t> mask_;                        // of the words of a key: the part
  std::map<std::vector<uint64_t>, uint64_t> bounds_;  // by part
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_ERROR_BOUNDS_H_
