#include "src/plan/group/error_bounds.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

ErrorBounds::ErrorBounds(const PlanImpl& plan, const KeyLayout& layout)
    : plan_(plan), layout_(layout), mask_(layout.words(), 0) {
  if (!plan.spec.top) return;
  const std::vector<std::string>& per = plan.spec.top->per;
  for (const KeyLayout::Place& place : layout.places()) {
    const std::string name = CanonicalName(ColumnName(place.field));
    if (std::any_of(per.begin(), per.end(), [&](const std::string& p) { return CanonicalName(p) == name; }))
      mask_[place.word] |= place.mask << place.shift;
  }
}

std::vector<uint64_t> ErrorBounds::PartOf(const uint64_t* key) const {
  std::vector<uint64_t> part = mask_;
  for (size_t w = 0; w < part.size(); ++w) part[w] &= key[w];
  return part;
}

void ErrorBounds::Add(std::vector<uint64_t> part, uint64_t weight) {
  uint64_t& bound = bounds_[std::move(part)];
  bound += std::min(weight, std::numeric_limits<uint64_t>::max() - bound);
}

std::vector<uint64_t> ErrorBounds::Translated(const std::vector<uint64_t>& part, const CodeMap& codes) const {
  std::vector<uint64_t> out(layout_.words(), 0);
  layout_.Translate(part.data(), codes, out.data());
  return out;
}

void ErrorBounds::Merge(const ErrorBounds& other, const CodeMap& codes) {
  for (const auto& [part, bound] : other.bounds_) Add(Translated(part, codes), bound);
}

void ErrorBounds::Emit(const std::vector<uint32_t>& groups, const GroupTable& table, Table* out) const {
  TableColumn errors;
  errors.name = plan_.spec.top->by + "_error";
  errors.type = ColumnType::kInt64;
  for (const uint32_t g : groups) {
    const auto bound = bounds_.find(PartOf(table.key(g)));
    constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
    errors.i64.push_back(bound == bounds_.end() ? 0 : static_cast<int64_t>(std::min(bound->second, kMost)));
  }
  out->columns.push_back(std::move(errors));
}

void ErrorBounds::Write(const CodeMap& codes, StateWriter* out) const {
  std::map<std::vector<uint64_t>, uint64_t> sorted;
  for (const auto& [part, bound] : bounds_) sorted.emplace(Translated(part, codes), bound);
  out->Number(sorted.size());
  for (const auto& [part, bound] : sorted) {
    for (const uint64_t word : part) out->Word(word);
    out->Number(bound);
  }
}

bool ErrorBounds::Read(const Interner& interner, StateReader* in) {
  for (uint64_t n = in->Count(layout_.words() * sizeof(uint64_t) + 1); n > 0 && in->ok(); --n) {
    std::vector<uint64_t> part(layout_.words());
    for (uint64_t& word : part) word = in->Word();
    if (!layout_.IsKey(part.data(), interner) || PartOf(part.data()) != part ||
        !bounds_.emplace(std::move(part), in->Number()).second)
      return false;
  }
  return in->ok();
}

size_t ErrorBounds::bytes() const {
  constexpr size_t kEntry = 64;  // of a map, about
  return bounds_.size() * (kEntry + layout_.words() * sizeof(uint64_t));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
