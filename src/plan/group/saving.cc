// Groups as bytes, and back.
#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "src/plan/group/state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

void GroupState::Write(StateWriter* out) {
  const size_t words = layout_.words();
  if (words == 0) table_.Find(nullptr);  // as Finish has it
  // The IPv6 addresses and texts that are in use, in order.
  const Interner& own = interner();
  std::vector<uint8_t> v6_used(own.v6_size(), 0), texts_used(own.text_size(), 0);
  const auto marker = [&](Kind kind) {
    return [&, kind](uint64_t code) {
      if (kind == Kind::kText && code > 0) texts_used[code - 1] = 1;
      if (kind == Kind::kAddress && code >= kCodeV6) v6_used[static_cast<uint32_t>(code)] = 1;
    };
  };
  for (const Place& place : layout_.places()) {
    const auto mark = marker(place.field.kind());
    for (uint32_t g = 0; g < table_.size(); ++g) mark(Code(g, place));
  }
  Member& member = members_[0];
  for (size_t a = 0; a < member.accumulators.size(); ++a) {
    member.accumulators[a]->Grow(table_.size());
    member.accumulators[a]->MarkCodes(marker(member.plan->aggs[a].field.kind()));
  }
  const auto ranked = [](const std::vector<uint8_t>& used, auto less) {
    std::vector<uint32_t> order, rank(used.size(), 0);
    for (uint32_t id = 0; id < used.size(); ++id) {
      if (used[id] != 0) order.push_back(id);
    }
    std::sort(order.begin(), order.end(), less);
    for (uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
    return std::pair(std::move(order), std::move(rank));
  };
  const auto [v6, v6_rank] = ranked(v6_used, [&](uint32_t a, uint32_t b) { return own.v6(a) < own.v6(b); });
  const auto [texts, text_rank] = ranked(texts_used, [&](uint32_t a, uint32_t b) { return own.text(a) < own.text(b); });
  const CodeMap codes(v6_rank, text_rank);

  out->Number(v6.size());
  for (const uint32_t id : v6) {
    out->Word(own.v6(id).hi);
    out->Word(own.v6(id).lo);
  }
  out->Number(texts.size());
  for (const uint32_t id : texts) {
    out->Fixed32(static_cast<uint32_t>(own.text(id).size()));
    out->Raw(own.text(id));
  }
  std::vector<uint64_t> keys(table_.size() * words, 0);
  for (uint32_t g = 0; g < table_.size(); ++g) layout_.Translate(table_.key(g), codes, keys.data() + g * words);
  std::vector<uint32_t> groups(table_.size());
  std::iota(groups.begin(), groups.end(), 0u);
  const auto key = [&](uint32_t g) { return keys.begin() + static_cast<ptrdiff_t>(g * words); };
  std::sort(groups.begin(), groups.end(), [&](uint32_t a, uint32_t b) {
    return std::lexicographical_compare(key(a), key(a + 1), key(b), key(b + 1));
  });
  out->Number(groups.size());
  for (const uint32_t g : groups) std::for_each(key(g), key(g + 1), [&](uint64_t word) { out->Word(word); });
  for (const auto& accumulator : member.accumulators) accumulator->Write(groups, codes, out);
  out->Number(unspread());
  if (plan_.counters() > 0) bounds_.Write(codes, out);
}

bool GroupState::Read(StateReader* in) {
  const size_t words = layout_.words();
  std::vector<Ip> v6(in->Count(2 * sizeof(uint64_t)));
  for (size_t i = 0; i < v6.size(); ++i) {
    v6[i].hi = in->Word();
    v6[i].lo = in->Word();
    if (v6[i].is_v4() || (i > 0 && !(v6[i - 1] < v6[i]))) in->Fail();
  }
  std::deque<std::string> texts;
  for (uint64_t n = in->Count(sizeof(uint32_t)); n > 0 && in->ok(); --n) {
    const std::string_view text = in->Raw(in->Fixed32());
    if (text.empty() || (!texts.empty() && !(texts.back() < text))) in->Fail();
    if (in->ok()) texts.emplace_back(text);
  }
  encoder_.interner().Load(std::move(v6), std::move(texts));
  const uint64_t n = words == 0 ? in->Number() : in->Count(words * sizeof(uint64_t));
  if (!in->ok() || (words == 0 && n != 1) || n >= kNoGroup) return false;
  std::vector<uint64_t> keys(n * words);
  for (uint64_t& word : keys) word = in->Word();
  for (size_t g = 1; g < n && words > 0; ++g) {
    const auto key = keys.begin() + static_cast<ptrdiff_t>(g * words), before = key - static_cast<ptrdiff_t>(words);
    if (!std::lexicographical_compare(before, key, key, key + static_cast<ptrdiff_t>(words))) return false;
  }
  table_.Load(std::move(keys), n);
  for (uint32_t g = 0; g < n; ++g) {
    if (!layout_.IsKey(table_.key(g), interner())) return false;
  }
  Member& member = members_[0];
  for (size_t a = 0; a < member.accumulators.size(); ++a) {
    const FieldRef& field = member.plan->aggs[a].field;
    member.accumulators[a]->Read(
        n, [&](uint64_t code) { return IsCode(code, field, interner()); }, in);
  }
  bin_shares_.AddUnspread(in->Number());
  if (plan_.counters() > 0 && !bounds_.Read(interner(), in)) return false;
  return in->ok();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
