// What a filter says about the values of the records that pass.
#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "src/filter/node.h"
#include "vpcflow/source/arrow_table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using Op = FilterNode::Op;
using BoundsByField = std::map<int, FieldBounds>;  // by index into Filter::fields()

// No text that begins as another one does is greater than that one and this.
constexpr char kBehindAll = '\xFF';

// The bound that holds if both hold, and if any of two holds, which may be none.
template <class T>
std::optional<T> Tighter(std::optional<T> a, std::optional<T> b, bool greater) {
  if (!a || !b) return a ? std::move(a) : std::move(b);
  return greater ? std::max(*a, *b) : std::min(*a, *b);
}
template <class T>
std::optional<T> Wider(std::optional<T> a, std::optional<T> b, bool greater) {
  if (!a || !b) return std::nullopt;
  return greater ? std::max(*a, *b) : std::min(*a, *b);
}

FieldBounds BothHold(FieldBounds a, FieldBounds b) {
  return {"", Tighter(a.least, b.least, true), Tighter(a.most, b.most, false),
          Tighter(std::move(a.least_text), std::move(b.least_text), true),
          Tighter(std::move(a.most_text), std::move(b.most_text), false)};
}
FieldBounds AnyHolds(FieldBounds a, FieldBounds b) {
  return {"", Wider(a.least, b.least, false), Wider(a.most, b.most, true),
          Wider(std::move(a.least_text), std::move(b.least_text), false),
          Wider(std::move(a.most_text), std::move(b.most_text), true)};
}

FieldBounds OfInteger(const FilterNode& node) {
  FieldBounds out;
  if (node.mask != -1) return out;
  if (node.op != Op::kIntCompare) {
    if (node.numbers.empty()) return out;
    out.least = node.numbers.front();
    out.most = node.numbers.back();
    return out;
  }
  const Compare compare = node.compare;
  if (compare == Compare::kEq || compare == Compare::kGe) out.least = node.number;
  if (compare == Compare::kEq || compare == Compare::kLe) out.most = node.number;
  if (compare == Compare::kGt) out.least = node.number + (node.number < std::numeric_limits<int64_t>::max() ? 1 : 0);
  if (compare == Compare::kLt) out.most = node.number - (node.number > std::numeric_limits<int64_t>::min() ? 1 : 0);
  return out;
}

FieldBounds OfTexts(const FilterNode& node) {
  FieldBounds out;
  if (node.folded || node.texts.empty()) return out;
  out.least_text = node.texts.front();
  out.most_text = node.texts.back();
  return out;
}

// Texts of the addresses of IPv4 ranges begin with the numbers that the ends of the range share. IPv6 has several texts
// for an address.
FieldBounds OfAddresses(const FilterNode& node) {
  std::optional<FieldBounds> out;
  for (const Cidr& range : node.addresses.ranges()) {
    if (!range.first.is_v4() || !range.last.is_v4()) return {};
    std::string shared;
    int parts = 0;
    for (int shift = 24; shift >= 0; shift -= 8, ++parts) {
      const uint32_t first = range.first.v4() >> shift & 255, last = range.last.v4() >> shift & 255;
      if (first != last) break;
      shared += std::to_string(first) + (shift > 0 ? "." : "");
    }
    if (parts == 0) return {};
    FieldBounds one;
    one.least_text = shared;
    one.most_text = parts == 4 ? shared : shared + kBehindAll;
    out = out ? AnyHolds(*std::move(out), std::move(one)) : std::move(one);
  }
  return out.value_or(FieldBounds{});
}

BoundsByField BoundsOf(const FilterNode& node) {
  switch (node.op) {
    case Op::kIntCompare:
    case Op::kIntIn:
    case Op::kIntRange: return {{node.field, OfInteger(node)}};
    case Op::kTextIn: return {{node.field, OfTexts(node)}};
    case Op::kAddressIn: return {{node.field, OfAddresses(node)}};
    case Op::kAnd: {
      BoundsByField all;
      for (const auto& child : node.children) {
        for (auto& [field, bounds] : BoundsOf(*child)) all[field] = BothHold(std::move(all[field]), std::move(bounds));
      }
      return all;
    }
    case Op::kOr: {
      BoundsByField all = node.children.empty() ? BoundsByField() : BoundsOf(*node.children[0]);
      for (size_t i = 1; i < node.children.size(); ++i) {
        BoundsByField other = BoundsOf(*node.children[i]);
        for (auto& [field, bounds] : all) bounds = AnyHolds(std::move(bounds), std::move(other[field]));
      }
      return all;
    }
    default: return {};
  }
}

}  // namespace
}  // namespace internal

std::vector<FieldBounds> Filter::Bounds() const {
  std::vector<FieldBounds> out;
  for (auto& [index, bounds] : internal::BoundsOf(*root_)) {
    const FieldRef& field = fields_[static_cast<size_t>(index)];
    if (field.lookup != nullptr || bounds == FieldBounds{}) continue;  // labels are not in the log
    out.push_back(std::move(bounds));
    out.back().field = field.name;
  }
  return out;
}

VPCFLOW_NAMESPACE_END
