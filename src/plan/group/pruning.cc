// Groups in bounded memory: the heavier ones of each value of the keys that `per` names.
//
// A summary in the manner of Misra and Gries, pruned by the pass instead of by the record: what is dropped is noted as
// a bound, by what `per` names. A group dropped with weight c came in again with 0 at the earliest after that, so with
// each pass a group loses at most the heaviest weight that the pass drops; the sum of those bounds every group's loss.
// J. Misra, D. Gries, Finding repeated elements (Science of Computer Programming 2, 1982); merging, where the bounds
// add up: P. Agarwal et al., Mergeable summaries (PODS 2012).
#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "src/plan/group/state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

std::unique_ptr<GroupState> GroupState::Pruned() const {
  const Member& member = members_[0];
  const Accumulators& weights = *member.accumulators[0];
  GroupTable parts(layout_.words(), 64);
  std::vector<uint32_t> part(table_.size()), order(table_.size());
  for (uint32_t g = 0; g < part.size(); ++g) part[g] = parts.Find(bounds_.PartOf(table_.key(g)).data());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (part[a] != part[b]) return part[a] < part[b];
    const int by_weight = weights.Compare(a, b);
    return by_weight != 0 ? by_weight > 0 : a < b;
  });
  std::vector<uint8_t> keep(table_.size(), 0);
  std::vector<uint32_t> heaviest_dropped;
  uint64_t taken = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || part[order[i]] != part[order[i - 1]]) taken = 0;
    keep[order[i]] = taken < plan_.counters() ? 1 : 0;
    if (taken++ == plan_.counters()) heaviest_dropped.push_back(order[i]);
  }
  std::unique_ptr<GroupState> out(new GroupState(plan_, slots_));
  // Only the IPv6 addresses and texts of groups that stay.
  Interner& to = out->encoder_.interner();
  std::vector<uint32_t> v6(interner().v6_size(), 0), texts(interner().text_size(), 0);
  for (uint32_t g = 0; g < keep.size(); ++g) {
    for (size_t p = 0; keep[g] != 0 && p < layout_.places().size(); ++p) {
      const uint64_t code = Code(g, layout_.places()[p]);
      const Kind kind = layout_.places()[p].field.kind();
      if (kind == Kind::kText && code > 0) texts[code - 1] = to.Text(interner().text(static_cast<uint32_t>(code - 1)));
      if (kind == Kind::kAddress && code >= kCodeV6)
        v6[static_cast<uint32_t>(code)] = to.V6(interner().v6(static_cast<uint32_t>(code)));
    }
  }
  const CodeMap codes(v6, texts);
  out->MergeGroups(*this, codes, keep);
  out->bin_shares_.AddUnspread(unspread());
  TableColumn dropped;
  weights.Emit(heaviest_dropped, interner(), &dropped);
  for (size_t i = 0; i < heaviest_dropped.size(); ++i) {
    const uint128 weight = dropped.type == ColumnType::kInt128 ? dropped.i128[i] : static_cast<uint128>(dropped.i64[i]);
    std::vector<uint64_t> own(layout_.words(), 0);
    layout_.Translate(bounds_.PartOf(table_.key(heaviest_dropped[i])).data(), codes, own.data());
    out->bounds_.Add(std::move(own),
                     static_cast<uint64_t>(std::min<uint128>(weight, std::numeric_limits<uint64_t>::max())));
  }
  out->most_groups_ = std::max(out->most_groups_, 2 * out->table_.size());
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
