// Evaluation of filters: one test of one value per leaf, applied to a record or to a whole column.
#include "src/filter/evaluate.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>

#include "src/filter/words.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

Tri TestText(const FilterNode& node, std::string_view value) {
  if (value.data() == nullptr) return Tri::kNull;
  if (node.op == FilterNode::Op::kNot) return Not(TestText(*node.children[0], value));
  if (node.op == FilterNode::Op::kTextIn && node.folded)
    return ToTri(std::binary_search(node.texts.begin(), node.texts.end(), Folded(value)));
  if (node.op == FilterNode::Op::kTextIn)
    return ToTri(std::binary_search(node.texts.begin(), node.texts.end(), value, std::less<>()));
  return ToTri(re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *node.pattern));
}

Tri TestAddress(const FilterNode& node, const Ip& value) {
  if (node.op == FilterNode::Op::kNot) return Not(TestAddress(*node.children[0], value));
  return ToTri(node.addresses.Contains(value));
}

}  // namespace internal
namespace {

using internal::Compare;
using internal::FilterNode;
using Op = FilterNode::Op;

using internal::Holds;
using internal::Not;
using internal::TestText;
using internal::ToTri;

Tri TestInt(const FilterNode& node, int64_t value) {
  if (value == kNullInt) return Tri::kNull;
  value &= node.mask;
  switch (node.op) {
    case Op::kIntCompare: return ToTri(Holds(node.compare, value, node.number));
    case Op::kIntRange: return ToTri(node.numbers[0] <= value && value <= node.numbers[1]);
    default: return ToTri(std::binary_search(node.numbers.begin(), node.numbers.end(), value));
  }
}

// The values of a batch column, seen row by row. A column that is not there is null in every row.
class BatchRow {
 public:
  BatchRow(const Batch& batch, std::span<const int> slots) : batch_(batch), slots_(slots) {}
  void Move(size_t row) { row_ = row; }

  int64_t Int(int field) const {
    const Column* c = column(field);
    return c == nullptr ? kNullInt : c->ints[row_];
  }
  bool Address(int field, Ip* out) const {
    const Column* c = column(field);
    if (c == nullptr || c->addresses[row_] == kNullAddress) return false;
    *out = batch_.address(c->addresses[row_]);
    return true;
  }
  std::string_view Text(int field) const {
    const Column* c = column(field);
    return c == nullptr ? std::string_view() : c->text(row_);
  }

 private:
  const Column* column(int field) const {
    const int slot = slots_[static_cast<size_t>(field)];
    return slot < 0 ? nullptr : &batch_.columns[static_cast<size_t>(slot)];
  }
  const Batch& batch_;
  std::span<const int> slots_;
  size_t row_ = 0;
};

// A field of a record as an integer, or null if it is none.
template <class F>
int64_t IntValue(const RecordView& record) {
  if constexpr (std::is_integral_v<typename F::value_type>) {
    if (const auto value = record.get<F>()) return static_cast<int64_t>(*value);
  }
  return kNullInt;
}

// A field of a record as an address, or nothing.
template <class F>
std::optional<Ip> AddressValue(const RecordView& record) {
  if constexpr (std::is_same_v<typename F::value_type, Ip>) {
    return record.get<F>();
  } else {
    return std::nullopt;
  }
}

#define VPCFLOW_X(Id, getter, name, version, set, field_type, unit, always, meaning) IntValue<f::Id>,
constexpr std::array<int64_t (*)(const RecordView&), kFieldCount> kIntValues = {{VPCFLOW_FIELDS(VPCFLOW_X)}};
#undef VPCFLOW_X
#define VPCFLOW_X(Id, getter, name, version, set, field_type, unit, always, meaning) AddressValue<f::Id>,
constexpr std::array<std::optional<Ip> (*)(const RecordView&), kFieldCount> kAddressValues = {
    {VPCFLOW_FIELDS(VPCFLOW_X)}};
#undef VPCFLOW_X

// The values of one record, parsed as they are asked for; malformed ones are null and noted in the record.
class ViewRow {
 public:
  ViewRow(const RecordView& record, const std::vector<FieldRef>& fields) : record_(record), fields_(fields) {}

  // Of a catalogue field; others are texts.
  int64_t Int(int field) const { return kIntValues[static_cast<size_t>(ref(field).field)](record_); }
  bool Address(int field, Ip* out) const {
    const std::optional<Ip> value = kAddressValues[static_cast<size_t>(ref(field).field)](record_);
    if (value) *out = *value;
    return value.has_value();
  }
  std::string_view Text(int field) const {
    const FieldRef& r = ref(field);
    const int column =
        r.field != Field::kUnknown ? record_.format().IndexOf(r.field) : record_.format().IndexOf(r.name);
    const std::string_view text = column < 0 ? std::string_view() : record_.text(static_cast<size_t>(column));
    return text == "-" ? std::string_view() : text;
  }

 private:
  const FieldRef& ref(int field) const { return fields_[static_cast<size_t>(field)]; }
  const RecordView& record_;
  const std::vector<FieldRef>& fields_;
};

template <class Row>
bool IsNull(const Row& row, int field, Kind kind) {
  Ip ip;
  switch (kind) {
    case Kind::kAddress: return !row.Address(field, &ip);
    case Kind::kText: return row.Text(field).data() == nullptr;
    default: return row.Int(field) == kNullInt;
  }
}

template <class Row>
Tri CompareFields(const FilterNode& node, const Row& row, Kind kind) {
  if (IsNull(row, node.field, kind) || IsNull(row, node.other_field, kind)) return Tri::kNull;
  if (kind == Kind::kAddress) {
    Ip a, b;
    row.Address(node.field, &a);
    row.Address(node.other_field, &b);
    return ToTri(Holds(node.compare, a, b));
  }
  if (kind == Kind::kText) return ToTri(Holds(node.compare, row.Text(node.field), row.Text(node.other_field)));
  return ToTri(Holds(node.compare, row.Int(node.field), row.Int(node.other_field)));
}

// A leaf of the expression on one row.
template <class Row>
Tri TestLeaf(const FilterNode& node, const std::vector<FieldRef>& fields, const Row& row) {
  const auto kind = [&] { return fields[static_cast<size_t>(node.field)].kind(); };
  Ip ip;
  switch (node.op) {
    case Op::kConstant: return node.constant;
    case Op::kIsNull: return ToTri(IsNull(row, node.field, kind()));
    case Op::kAddressIn: return row.Address(node.field, &ip) ? ToTri(node.addresses.Contains(ip)) : Tri::kNull;
    case Op::kTextIn:
    case Op::kTextMatches: return TestText(node, row.Text(node.field));
    case Op::kFieldCompare: return CompareFields(node, row, kind());
    default: return TestInt(node, row.Int(node.field));
  }
}

bool IsLeaf(Op op) { return op != Op::kAnd && op != Op::kOr && op != Op::kNot; }

Tri TestRecord(const FilterNode& node, const std::vector<FieldRef>& fields, const ViewRow& row) {
  if (IsLeaf(node.op)) return TestLeaf(node, fields, row);
  if (node.op == Op::kNot) return Not(TestRecord(*node.children[0], fields, row));
  const bool is_and = node.op == Op::kAnd;
  Tri result = is_and ? Tri::kTrue : Tri::kFalse;
  for (const auto& child : node.children) {
    const Tri t = TestRecord(*child, fields, row);
    result = is_and ? std::min(result, t) : std::max(result, t);
    if (result == (is_and ? Tri::kFalse : Tri::kTrue)) break;
  }
  return result;
}

// A test that is the same for each value of a column; the compiler makes it vectors.
template <class Test>
void TestEach(std::span<const int64_t> values, int64_t mask, std::span<Tri> out, Test test) {
  for (size_t i = 0; i < out.size(); ++i) out[i] = values[i] == kNullInt ? Tri::kNull : ToTri(test(values[i] & mask));
}

void TestInts(const FilterNode& node, std::span<const int64_t> values, std::span<Tri> out) {
  const int64_t n = node.number;
  const auto each = [&](auto test) { TestEach(values, node.mask, out, test); };
  if (node.op == Op::kIntRange)
    return each([first = node.numbers[0], last = node.numbers[1]](int64_t v) { return first <= v && v <= last; });
  if (node.op == Op::kIntIn) {
    if (node.numbers.size() > 16) {
      return each([&](int64_t v) { return std::binary_search(node.numbers.begin(), node.numbers.end(), v); });
    }
    return each([&](int64_t v) {
      bool in = false;
      for (const int64_t number : node.numbers) in |= v == number;
      return in;
    });
  }
  switch (node.compare) {
    case Compare::kEq: return each([n](int64_t v) { return v == n; });
    case Compare::kNe: return each([n](int64_t v) { return v != n; });
    case Compare::kLt: return each([n](int64_t v) { return v < n; });
    case Compare::kLe: return each([n](int64_t v) { return v <= n; });
    case Compare::kGt: return each([n](int64_t v) { return v > n; });
    case Compare::kGe: return each([n](int64_t v) { return v >= n; });
  }
}

void TestAddresses(const CidrSet& set, const Batch& batch, std::span<const AddressCode> codes, std::span<Tri> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    const AddressCode code = codes[i];
    out[i] = code == kNullAddress ? Tri::kNull
             : code < kCodeV6     ? ToTri(set.ContainsV4(static_cast<uint32_t>(code)))
                                  : ToTri(set.Contains(batch.address(code)));
  }
}

// Each different text is tested once.
void TestTexts(const FilterNode& node, const Column& column, std::span<Tri> out) {
  std::vector<int8_t> known(column.dictionary->size() + 1, -1);
  for (size_t i = 0; i < out.size(); ++i) {
    int8_t& result = known[column.texts[i]];
    if (result < 0) result = static_cast<int8_t>(TestText(node, column.text(i)));
    out[i] = static_cast<Tri>(result);
  }
}

// A leaf on a column that is there; false if it has no way of its own.
bool TestColumn(const FilterNode& node, const Batch& batch, const Column& column, std::span<Tri> out) {
  switch (node.op) {
    case Op::kIntCompare:
    case Op::kIntIn:
    case Op::kIntRange: TestInts(node, column.ints, out); return true;
    case Op::kAddressIn: TestAddresses(node.addresses, batch, column.addresses, out); return true;
    case Op::kTextIn:
    case Op::kTextMatches: TestTexts(node, column, out); return true;
    default: return false;
  }
}

void TestBatch(const FilterNode& node, const std::vector<FieldRef>& fields, const Batch& batch,
               std::span<const int> slots, std::span<Tri> out) {
  if (IsLeaf(node.op)) {
    const int slot = node.field < 0 ? -1 : slots[static_cast<size_t>(node.field)];
    if (slot >= 0 && TestColumn(node, batch, batch.columns[static_cast<size_t>(slot)], out)) return;
    BatchRow row(batch, slots);
    for (size_t i = 0; i < out.size(); ++i) {
      row.Move(i);
      out[i] = TestLeaf(node, fields, row);
    }
    return;
  }
  TestBatch(*node.children[0], fields, batch, slots, out);
  if (node.op == Op::kNot) {
    for (Tri& t : out) t = Not(t);
    return;
  }
  std::vector<Tri> other(out.size());
  for (size_t c = 1; c < node.children.size(); ++c) {
    TestBatch(*node.children[c], fields, batch, slots, other);
    if (node.op == Op::kAnd) {
      for (size_t i = 0; i < out.size(); ++i) out[i] = std::min(out[i], other[i]);
    } else {
      for (size_t i = 0; i < out.size(); ++i) out[i] = std::max(out[i], other[i]);
    }
  }
}

}  // namespace

bool Filter::Matches(const RecordView& record) const {
  return TestRecord(*root_, fields_, ViewRow(record, fields_)) == Tri::kTrue;
}

void Filter::Evaluate(const Batch& batch, std::span<const int> slots, std::span<Tri> out) const {
  TestBatch(*root_, fields_, batch, slots, out);
}

VPCFLOW_NAMESPACE_END
