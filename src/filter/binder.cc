#include "src/filter/binder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/expr/short_names.h"
#include "src/filter/contradictions.h"
#include "src/filter/words.h"
#include "vpcflow/format/iana.h"

VPCFLOW_NAMESPACE_BEGIN
static_assert(Filter::kMaxText == internal::kMaxExprText && Filter::kMaxDepth == internal::kMaxExprDepth);

namespace internal {
namespace {

using NodePtr = Binder::NodePtr;
using Op = FilterNode::Op;

NodePtr Negate(NodePtr node) {
  if (!node) return node;
  auto outer = std::make_unique<FilterNode>();
  outer->op = Op::kNot;
  outer->children.push_back(std::move(node));
  return outer;
}

bool IsArithmetic(const Expr& expr) {
  return expr.op == Expr::Op::kAdd || expr.op == Expr::Op::kSubtract || expr.op == Expr::Op::kMultiply ||
         expr.op == Expr::Op::kDivide;
}

}  // namespace

absl::StatusOr<Filter> Binder::Bind(std::string_view text, const Expr& tree,
                                    const std::vector<std::string>& extra_fields, const FilterOptions& options) {
  Filter filter;
  filter.text_ = std::string(text.substr(tree.begin, tree.end - tree.begin));
  Complaints complaints(kFilterUse, text, options.lenient, &filter.warnings_);
  NodePtr root = Binder(extra_fields, options, &filter.fields_, &complaints).Condition(tree);
  if (!complaints.ok()) return complaints.status();
  if (!options.lenient) FindContradictions(*root, text, filter.fields_, &filter.warnings_);
  filter.root_ = std::move(root);
  return filter;
}

NodePtr Binder::BindTest(const Expr& test, const FieldRef& column, const FilterOptions& options,
                         Complaints* complaints) {
  const std::vector<std::string> extra;
  std::vector<FieldRef> fields{column};
  auto node = std::make_unique<FilterNode>();
  node->field = 0;
  complaints->NextTest();
  return Binder(extra, options, &fields, complaints).Test(test, std::move(node));
}

NodePtr Binder::Fail(size_t at, std::string_view message, ErrorPlace place) {
  complaints_->Fail(at, message, std::move(place));
  return nullptr;
}

NodePtr Binder::Condition(const Expr& expr) {
  auto node = std::make_unique<FilterNode>();
  switch (expr.op) {
    case Expr::Op::kBool: node->constant = Folded(expr.text) == "true" ? Tri::kTrue : Tri::kFalse; return node;
    case Expr::Op::kNot: return Negate(Condition(*expr.children[0]));
    case Expr::Op::kAnd:
    case Expr::Op::kOr:
      node->op = expr.op == Expr::Op::kAnd ? Op::kAnd : Op::kOr;
      for (const ExprPtr& child : expr.children) {
        node->children.push_back(Condition(*child));
        if (!node->children.back()) return nullptr;
      }
      return node;
    default: return FieldTest(expr);
  }
}

NodePtr Binder::FieldTest(const Expr& test) {
  const Expr* name = test.children[0].get();
  const Expr* mask = nullptr;
  if (name->op == Expr::Op::kBits) {
    mask = name->children[1].get();
    name = name->children[0].get();
  }
  for (const Expr* part : {name, test.children.size() > 1 ? test.children[1].get() : name}) {
    if (IsArithmetic(*part))
      return Fail(part->at, "a filter compares fields and literals; arithmetic is for having and derived columns");
    if (part->op == Expr::Op::kCall)
      return Fail(part->begin, absl::StrCat("'", Printable(part->text), "(...)': a filter has no functions"));
  }
  if (name->op != Expr::Op::kName)
    return Fail(name->begin, absl::StrCat("expected a field name, found '", Printable(name->text), "'"));
  complaints_->NextTest();
  auto node = std::make_unique<FilterNode>();
  if (!ResolveField(*name, &node->field)) return nullptr;
  if (mask != nullptr) {
    const Kind kind = ref(*node).kind();
    if (kind != Kind::kInt32 && kind != Kind::kInt64)
      return Fail(name->begin, absl::StrCat("'&' needs an integer field; ", ref(*node).name, " is not one"));
    if (!literals_.Integer(ref(*node), *mask, /*ranged=*/false, &node->mask)) return nullptr;
  }
  node = Test(test, std::move(node));
  if (!node) return nullptr;
  FilterNode& inner = node->op == Op::kNot ? *node->children[0] : *node;
  inner.turned = node->op == Op::kNot;
  inner.begin = test.begin;
  inner.end = test.end;
  return node;
}

NodePtr Binder::Test(const Expr& test, NodePtr node) {
  switch (test.op) {
    case Expr::Op::kCompare: return CompareWith(test, std::move(node));
    case Expr::Op::kIsNull: node->op = Op::kIsNull; break;
    case Expr::Op::kIn: node = In(test, std::move(node)); break;
    case Expr::Op::kBetween: node = Between(test, std::move(node)); break;
    default:
      if (!literals_.Pattern(ref(*node), *test.children[1], test.op == Expr::Op::kLike, node.get())) return nullptr;
  }
  return test.negated ? Negate(std::move(node)) : std::move(node);
}

bool Binder::IsField(const std::string& name) const {
  return FindQueryField(name, extra_).has_value() ||
         std::find(extra_.begin(), extra_.end(), CanonicalName(name)) != extra_.end();
}

bool Binder::ResolveField(const Expr& name, int* out) {
  FieldRef field{Field::kUnknown, CanonicalName(name.text)};
  if (const std::optional<Field> known = FindQueryField(name.text, extra_)) {
    field = {*known, std::string(Info(*known).name)};
  } else if (!IsField(name.text)) {
    std::vector<std::string> names(extra_);
    for (const FieldInfo& info : kFields) names.emplace_back(info.name);
    const std::string nearest = Nearest(name.text, names);
    return complaints_->Fail(
        ErrorKind::kField, name.begin,
        absl::StrCat("unknown field '", Printable(name.text), "'",
                     nearest.empty() ? std::string("; `vpcflow fields` lists them, and texts need quotes")
                                     : absl::StrCat("; did you mean '", nearest, "'?")),
        {.field = name.text, .suggestion = nearest});
  }
  const auto found = std::find(fields_->begin(), fields_->end(), field);
  *out = static_cast<int>(found - fields_->begin());
  if (found == fields_->end()) fields_->push_back(std::move(field));
  return true;
}

// A literal of an `in` list or an equality.
bool Binder::AddMember(const Expr& literal, FilterNode* node) {
  const FieldRef& field = ref(*node);
  switch (field.kind()) {
    case Kind::kAddress: return literals_.AddAddress(field, literal, node);
    case Kind::kText: return literals_.AddText(field, literal, node);
    default:
      node->op = Op::kIntIn;
      return literals_.Integer(field, literal, /*ranged=*/true, &node->numbers.emplace_back());
  }
}

NodePtr Binder::In(const Expr& test, NodePtr node) {
  for (size_t i = 1; i < test.children.size(); ++i) {
    if (!AddMember(*test.children[i], node.get())) return nullptr;
  }
  std::sort(node->numbers.begin(), node->numbers.end());
  std::sort(node->texts.begin(), node->texts.end());
  node->addresses.Build();
  return node;
}

NodePtr Binder::CompareWith(const Expr& test, NodePtr node) {
  const Expr& other = *test.children[1];
  const FieldRef field = ref(*node);
  const Kind kind = field.kind();
  if (other.op == Expr::Op::kNull)
    return Fail(other.begin, absl::StrCat("null equals nothing; ", NullTests(field.name)), {.field = field.name});
  if (other.op == Expr::Op::kName) return CompareFields(test, std::move(node));
  const bool ordered = test.compare != Compare::kEq && test.compare != Compare::kNe;
  if (kind == Kind::kAddress || kind == Kind::kText) {
    if (ordered)
      return Fail(test.begin,
                  absl::StrCat(field.name, kind == Kind::kAddress ? " is an address: use =, != or in '10.0.0.0/8'"
                                                                  : " is text: use =, !=, in, like or matches"),
                  {.field = field.name});
    if (!AddMember(other, node.get())) return nullptr;
    node->addresses.Build();
    return test.compare == Compare::kNe ? Negate(std::move(node)) : std::move(node);
  }
  node->op = Op::kIntCompare;
  node->compare = test.compare;
  if (!literals_.Integer(field, other, !ordered && node->mask == -1, &node->number)) return nullptr;
  return literals_.CheckBounds(field, other, *node) ? std::move(node) : nullptr;
}

NodePtr Binder::CompareFields(const Expr& test, NodePtr node) {
  const Expr& name = *test.children[1];
  const FieldRef field = ref(*node);
  if (!IsField(name.text) &&
      (field.kind() == Kind::kText || (field.field == Field::kProtocol && FindProtocol(name.text))))
    return Fail(name.begin, absl::StrCat("texts need quotes: '", Printable(name.text), "'"), {.field = field.name});
  if (!ResolveField(name, &node->other_field)) return nullptr;
  const auto family = [](Kind k) { return k == Kind::kInt32 ? Kind::kInt64 : k; };
  const Kind other = (*fields_)[static_cast<size_t>(node->other_field)].kind();
  if (family(field.kind()) != family(other) || node->mask != -1)
    return Fail(name.begin, "the two fields cannot be compared");
  node->op = Op::kFieldCompare;
  node->compare = test.compare;
  return node;
}

NodePtr Binder::Between(const Expr& test, NodePtr node) {
  const FieldRef field = ref(*node);
  if (field.kind() == Kind::kAddress || field.kind() == Kind::kText)
    return Fail(test.begin, "'between' needs a number or a time", {.field = field.name});
  node->op = Op::kIntRange;
  node->numbers.resize(2);
  for (size_t i = 0; i < 2; ++i) {
    if (!literals_.Integer(field, *test.children[i + 1], /*ranged=*/false, &node->numbers[i])) return nullptr;
  }
  const int64_t first = node->numbers[0], last = node->numbers[1], largest = LargestOf(field.field);
  const size_t at = test.children[1]->begin;
  if (first > last) {
    complaints_->Refuse(at, absl::StrCat("no number is between ", first, " and ", last, "; write 'between ", last,
                                         " and ", first, "'"));
  } else if (first > largest) {
    complaints_->Refuse(at, absl::StrCat(field.name, " is at most ", largest));
  }
  return complaints_->ok() ? std::move(node) : nullptr;
}

}  // namespace internal

absl::StatusOr<Filter> Filter::Parse(std::string_view text, const std::vector<std::string>& extra_fields,
                                     const FilterOptions& options) {
  std::vector<std::string> extra;
  for (const std::string& name : extra_fields) extra.push_back(CanonicalName(name));
  internal::ExprUse use = internal::kFilterUse;
  use.names = extra_fields;
  const absl::StatusOr<internal::ExprPtr> tree = internal::ParseCondition(text, use);
  if (!tree.ok()) return tree.status();
  absl::StatusOr<Filter> filter = internal::Binder::Bind(text, **tree, extra, options);
  if (filter.ok()) filter->text_ = std::string(text);
  return filter;
}

VPCFLOW_NAMESPACE_END
