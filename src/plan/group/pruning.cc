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

#include "src/plan/bind/plan_impl.h"
#include "src/plan/group/state.h"
#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

std::vector<uint64_t> GroupState::PartPer(const uint64_t* key) const {
  std::vector<uint64_t> part(words_, 0);
  for (const Place& place : places_) {
    const std::string name = CanonicalName(ColumnName(place.field));
    const std::vector<std::string>& per = plan_.spec.top->per;
    if (std::any_of(per.begin(), per.end(), [&](const std::string& p) { return CanonicalName(p) == name; }))
      part[place.word] |= key[place.word] & place.mask << place.shift;
  }
  return part;
}

void GroupState::Lose(std::vector<uint64_t> part, uint64_t weight) {
  uint64_t& lost = lost_[std::move(part)];
  lost += std::min(weight, std::numeric_limits<uint64_t>::max() - lost);
}

std::unique_ptr<GroupState> GroupState::Pruned() const {
  const Member& member = members_[0];
  const Accumulators& weights = *member.accumulators[0];
  GroupTable parts(words_, 64);
  std::vector<uint32_t> part(table_.size()), order(table_.size());
  for (uint32_t g = 0; g < part.size(); ++g) part[g] = parts.Find(PartPer(table_.key(g)).data());
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
    for (size_t p = 0; keep[g] != 0 && p < places_.size(); ++p) {
      const uint64_t code = Code(g, places_[p]);
      const Kind kind = places_[p].field.kind();
      if (kind == Kind::kText && code > 0) texts[code - 1] = to.Text(interner().text(static_cast<uint32_t>(code - 1)));
      if (kind == Kind::kAddress && code >= kCodeV6)
        v6[static_cast<uint32_t>(code)] = to.V6(interner().v6(static_cast<uint32_t>(code)));
    }
  }
  const CodeMap codes(v6, texts);
  out->MergeGroups(*this, codes, keep);
  out->unspread_ = unspread_;
  TableColumn dropped;
  weights.Emit(heaviest_dropped, interner(), &dropped);
  for (size_t i = 0; i < heaviest_dropped.size(); ++i) {
    const uint128 weight = dropped.type == ColumnType::kInt128 ? dropped.i128[i] : static_cast<uint128>(dropped.i64[i]);
    std::vector<uint64_t> own(words_, 0);
    const std::vector<uint64_t> from = PartPer(table_.key(heaviest_dropped[i]));
    for (const Place& place : places_)
      own[place.word] |= codes(from[place.word] >> place.shift & place.mask, place.field.kind()) << place.shift;
    out->Lose(std::move(own), static_cast<uint64_t>(std::min<uint128>(weight, std::numeric_limits<uint64_t>::max())));
  }
  out->most_groups_ = std::max(out->most_groups_, 2 * out->table_.size());
  return out;
}

void GroupState::EmitErrors(const std::vector<uint32_t>& groups, Table* table) const {
  TableColumn errors;
  errors.name = plan_.spec.top->by + "_error";
  errors.type = ColumnType::kInt64;
  for (const uint32_t g : groups) {
    const auto lost = lost_.find(PartPer(table_.key(g)));
    constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
    errors.i64.push_back(lost == lost_.end() ? 0 : static_cast<int64_t>(std::min(lost->second, kMost)));
  }
  table->columns.push_back(std::move(errors));
}

void GroupState::WriteLost(const CodeMap& codes, StateWriter* out) const {
  std::map<std::vector<uint64_t>, uint64_t> sorted;
  for (const auto& [part, weight] : lost_) {
    std::vector<uint64_t> key(words_, 0);
    for (const Place& place : places_)
      key[place.word] |= codes(part[place.word] >> place.shift & place.mask, place.field.kind()) << place.shift;
    sorted.emplace(std::move(key), weight);
  }
  out->Number(sorted.size());
  for (const auto& [key, weight] : sorted) {
    for (const uint64_t word : key) out->Word(word);
    out->Number(weight);
  }
}

bool GroupState::ReadLost(StateReader* in) {
  for (uint64_t n = in->Count(words_ * sizeof(uint64_t) + 1); n > 0 && in->ok(); --n) {
    std::vector<uint64_t> key(words_);
    for (uint64_t& word : key) word = in->Word();
    for (const Place& place : places_) {
      if (!IsCode(key[place.word] >> place.shift & place.mask, place.field, interner())) return false;
    }
    if (PartPer(key.data()) != key || !lost_.emplace(std::move(key), in->Number()).second) return false;
  }
  return in->ok();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
