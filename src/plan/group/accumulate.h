// Run-time accumulators: one column of cells per aggregate, indexed by group, updated a batch at a time.
#ifndef VPCFLOW_SRC_PLAN_GROUP_ACCUMULATE_H_
#define VPCFLOW_SRC_PLAN_GROUP_ACCUMULATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/keys/codes.h"
#include "src/keys/column_builder.h"
#include "src/plan/bind/plan_impl.h"
#include "src/plan/group/group_table.h"
#include "vpcflow/plan/plan.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/result/table.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A part of a record that falls into another time bin than its start: the shares (to - from) / length of its sums.
struct BinShare {
  uint32_t row;
  uint32_t group;
  int64_t from;
  int64_t to;
  int64_t length;
};

// What an update sees: the rows' groups, and how the sums of some rows are spread over several groups.
struct GroupedRows {
  const Batch& batch;
  std::span<const uint32_t> group;  // by row: the group of the record's start
  std::span<const uint8_t> spread;  // by row: 1 if its sums are in shares
  std::span<const BinShare> shares;
  const Column* start;  // of the batch, or null
  const Column* end;
};

class Accumulators {
 public:
  virtual ~Accumulators() = default;
  virtual void Grow(size_t groups) = 0;
  // `codes` are those of the aggregate's field, filled if needs_codes().
  virtual void Update(const GroupedRows& rows, std::span<const uint64_t> codes) = 0;
  // Adds another's cells: its group g to group[g] here, or nowhere for kNoGroup. Codes are translated by `codes`.
  virtual void Merge(const Accumulators& other, std::span<const uint32_t> group, const CodeMap& codes) = 0;
  // Merge for results: afterwards only Emit and Compare are right. What can be done by several threads may be.
  virtual void MergeFinal(const Accumulators& other, std::span<const uint32_t> group, const CodeMap& codes,
                          size_t threads) {
    (void)threads;
    Merge(other, group, codes);
  }
  // The values of some groups as a column.
  virtual void Emit(std::span<const uint32_t> groups, const Interner& interner, TableColumn* out) const = 0;
  // Order of two groups by value; null is smallest.
  virtual int Compare(uint32_t a, uint32_t b) const = 0;
  virtual bool needs_codes() const { return false; }
  // Saving. Marks the codes that the cells hold: mark(code).
  virtual void MarkCodes(const std::function<void(uint64_t)>& mark) const { (void)mark; }
  // Writes the cells of some groups, with translated codes: the same bytes for the same values.
  virtual void Write(std::span<const uint32_t> groups, const CodeMap& codes, StateWriter* out) const = 0;
  // Reads the cells of groups 0 to n, into an empty one. Codes must be valid(code), or reading fails.
  virtual void Read(size_t n, const std::function<bool(uint64_t)>& valid, StateReader* in) = 0;
  // Memory of the cells.
  virtual size_t bytes() const = 0;
};

// `slot` is the field's column in the batch (-1 for count); `bin_seconds` is 0 without time bins.
std::unique_ptr<Accumulators> MakeAccumulators(const PlannedAggregate& agg, int slot, int64_t bin_seconds);
// Those whose cells are sketches, or all the values; null for other kinds.
std::unique_ptr<Accumulators> MakeSketchAccumulators(const PlannedAggregate& agg, int slot);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_ACCUMULATE_H_
