#include "src/filter/contradictions.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/filter/words.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using Op = FilterNode::Op;

constexpr size_t kMaxTests = 64;  // of one "and" or "or": each pair is looked at
constexpr size_t kMaxWarnings = 16;

// A test, turned round by an odd number of "not".
struct Test {
  const FilterNode* node;
  bool negated;
};

// Values from first to last; sorted, without overlaps.
using Ranges = std::vector<std::pair<int64_t, int64_t>>;

Ranges Without(const Ranges& ranges, int64_t top) {
  Ranges out;
  int64_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) out.emplace_back(next, first - 1);
    if (last >= top) return out;
    next = std::max(next, last + 1);
  }
  if (next <= top) out.emplace_back(next, top);
  return out;
}

// The numbers that pass.
Ranges NumbersOf(const Test& test, int64_t top) {
  const FilterNode& node = *test.node;
  const int64_t n = node.number;
  Ranges out;
  if (node.op == Op::kIntRange) {
    if (node.numbers[0] <= node.numbers[1]) out.emplace_back(node.numbers[0], node.numbers[1]);
  } else if (node.op == Op::kIntIn) {
    for (const int64_t number : node.numbers) {
      if (out.empty() || out.back().first != number) out.emplace_back(number, number);
    }
  } else {
    switch (node.compare) {
      case Compare::kEq: out.emplace_back(n, n); break;
      case Compare::kNe: out = Without({{n, n}}, top); break;
      case Compare::kLt:
        if (n > 0) out.emplace_back(0, n - 1);
        break;
      case Compare::kLe: out.emplace_back(0, n); break;
      case Compare::kGt:
        if (n < top) out.emplace_back(n + 1, top);
        break;
      case Compare::kGe: out.emplace_back(n, std::max(n, top)); break;
    }
  }
  return test.negated ? Without(out, top) : out;
}

bool Overlap(const Ranges& a, const Ranges& b) {
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (std::max(a[i].first, b[j].first) <= std::min(a[i].second, b[j].second)) return true;
    a[i].second < b[j].second ? ++i : ++j;
  }
  return false;
}

// Whether two sets, each perhaps turned into its complement, have nothing in common. `common(a, b)`: whether some value
// is in both; `inside(a, b)`: whether all of a is in b.
template <class Set, class Common, class Inside>
bool Apart(const Set& a, bool not_a, const Set& b, bool not_b, Common common, Inside inside) {
  if (not_a && not_b) return false;  // there are always others
  if (not_a) return inside(b, a);
  return not_b ? inside(a, b) : !common(a, b);
}

bool IsNumeric(const FilterNode& node) {
  return (node.op == Op::kIntCompare || node.op == Op::kIntIn || node.op == Op::kIntRange) && node.mask == -1;
}

// Whether no value passes both.
bool Exclude(const Test& a, const Test& b, const std::vector<FieldRef>& fields) {
  const FilterNode &x = *a.node, &y = *b.node;
  if (x.field != y.field || x.field < 0 || x.op == Op::kFieldCompare || y.op == Op::kFieldCompare) return false;
  const bool x_null = x.op == Op::kIsNull, y_null = y.op == Op::kIsNull;
  if (x_null && y_null) return a.negated != b.negated;
  if (x_null || y_null) return x_null ? !a.negated : !b.negated;
  if (IsNumeric(x) && IsNumeric(y)) {
    const int64_t top = LargestOf(fields[static_cast<size_t>(x.field)].field);
    return !Overlap(NumbersOf(a, top), NumbersOf(b, top));
  }
  if (x.op == Op::kTextIn && y.op == Op::kTextIn) {
    using Texts = std::vector<std::string>;
    const auto has = [](const Texts& all) {
      return [&all](const std::string& text) { return std::binary_search(all.begin(), all.end(), text); };
    };
    return Apart(
        x.texts, a.negated, y.texts, b.negated,
        [&](const Texts& s, const Texts& t) { return std::any_of(s.begin(), s.end(), has(t)); },
        [&](const Texts& s, const Texts& t) { return std::all_of(s.begin(), s.end(), has(t)); });
  }
  if (x.op != Op::kAddressIn || y.op != Op::kAddressIn) return false;
  const auto common = [](const CidrSet& s, const CidrSet& t) {
    const auto touches = [](const CidrSet& set) {
      return [&set](const Cidr& range) { return set.Contains(range.first) || set.Contains(range.last); };
    };
    return std::any_of(s.ranges().begin(), s.ranges().end(), touches(t)) ||
           std::any_of(t.ranges().begin(), t.ranges().end(), touches(s));
  };
  const auto inside = [](const CidrSet& s, const CidrSet& t) {
    return std::all_of(s.ranges().begin(), s.ranges().end(), [&](const Cidr& range) {
      return std::any_of(t.ranges().begin(), t.ranges().end(),
                         [&](const Cidr& around) { return around.first <= range.first && range.last <= around.last; });
    });
  };
  return Apart(x.addresses, a.negated, y.addresses, b.negated, common, inside);
}

class Finder {
 public:
  Finder(std::string_view text, const std::vector<FieldRef>& fields, std::vector<std::string>* warnings)
      : text_(text), fields_(fields), warnings_(warnings) {}

  void Visit(const FilterNode& node, bool negated) {
    if (node.op == Op::kNot) return Visit(*node.children[0], !negated);
    if (node.op == Op::kConstant && (node.constant == Tri::kTrue) == negated)
      NoteWarning("filter: 'false' holds of no record", warnings_);
    if (node.op != Op::kAnd && node.op != Op::kOr) return;
    std::vector<Test> tests;
    const bool all = (node.op == Op::kAnd) != negated;  // each of them must hold
    Gather(node, negated, all, &tests);
    for (size_t i = 0; i < tests.size(); ++i) {
      for (size_t j = 0; j < i; ++j) Compare(tests[j], tests[i], all);
    }
  }

 private:
  // The tests of nodes that are joined in the same way; the others are visited.
  void Gather(const FilterNode& node, bool negated, bool all, std::vector<Test>* tests) {
    if (node.op == Op::kNot) return Gather(*node.children[0], !negated, all, tests);
    if (node.op == Op::kAnd || node.op == Op::kOr) {
      if (((node.op == Op::kAnd) != negated) != all) return Visit(node, negated);
      for (const auto& child : node.children) Gather(*child, negated, all, tests);
    } else if (node.op == Op::kConstant) {
      if (all) Visit(node, negated);
    } else if (tests->size() < kMaxTests) {
      tests->push_back({&node, negated});
    }
  }

  void Compare(Test a, Test b, bool all) {
    if (!all) {  // one of two always holds if their opposites exclude each other
      if (a.node->op == Op::kIsNull || b.node->op == Op::kIsNull) return;
      a.negated = !a.negated;
      b.negated = !b.negated;
    }
    if (!Exclude(a, b, fields_)) return;
    if (!all) {
      a.negated = !a.negated;
      b.negated = !b.negated;
    }
    NoteWarning(absl::StrCat("filter: ", Shown(a), all ? " and " : " or ", Shown(b),
                             all ? ": no record passes both" : ": one of them always holds"),
                warnings_);
  }

  std::string Shown(const Test& test) const {
    const std::string_view text = text_.substr(test.node->begin, test.node->end - test.node->begin);
    return absl::StrCat(test.negated != test.node->turned ? "not " : "", Printable(text));
  }

  std::string_view text_;
  const std::vector<FieldRef>& fields_;
  std::vector<std::string>* warnings_;
};

}  // namespace

void NoteWarning(std::string text, std::vector<std::string>* warnings) {
  if (warnings->size() < kMaxWarnings && std::find(warnings->begin(), warnings->end(), text) == warnings->end())
    warnings->push_back(std::move(text));
}

void FindContradictions(const FilterNode& root, std::string_view text, const std::vector<FieldRef>& fields,
                        std::vector<std::string>* warnings) {
  Finder(text, fields, warnings).Visit(root, false);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
