// BinShares: how the sums of records that span several time bins are spread over them.
#ifndef VPCFLOW_SRC_PLAN_GROUP_BIN_SHARES_H_
#define VPCFLOW_SRC_PLAN_GROUP_BIN_SHARES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "src/plan/group/accumulate.h"
#include "src/plan/group/group_table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class BinShares {
 public:
  // `every` is the length of a bin, in seconds.
  explicit BinShares(int64_t every) : every_(every) {}

  // Takes no record of a batch apart: none is spread.
  void Clear(size_t rows) {
    shares_.clear();
    spread_.assign(rows, 0);
  }
  // Cuts the records that span several bins. Time is continuous: a record covers [start, end). The first of the `words`
  // words of each key is that of the bin; the groups of further bins are added to the table.
  void Cut(const std::vector<int64_t>& starts, const std::vector<int64_t>& ends, const std::vector<uint64_t>& keys,
           size_t words, GroupTable* table);

  const std::vector<BinShare>& shares() const { return shares_; }
  // By row: 1 if its sums are in shares.
  const std::vector<uint8_t>& spread() const { return spread_; }
  // Records over more bins than are spread; their sums are in the bin of their start.
  uint64_t unspread() const { return unspread_; }
  void AddUnspread(uint64_t n) { unspread_ += n; }

 private:
  int64_t every_;
  std::vector<BinShare> shares_;
  std::vector<uint8_t> spread_;
  std::vector<uint64_t> key_;  // scratch
  uint64_t unspread_ = 0;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_BIN_SHARES_H_
