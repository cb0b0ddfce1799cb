// Accumulators: computations over records that are composed at compile time, and the concept of your own ones.
//
// An accumulator is any default-constructible type with
//   void Update(const RecordView&);    takes one record
//   void Merge(const Self&);           takes another's state; order and grouping must not matter
//   Value() const;                     the result so far
//
// Example:
//   struct LargestGap {                                      // one of your own
//     int64_t gap = 0;
//     void Update(const vpcflow::RecordView& r) {
//       if (r.start() && r.end()) gap = std::max(gap, *r.end() - *r.start());
//     }
//     void Merge(const LargestGap& o) { gap = std::max(gap, o.gap); }
//     int64_t Value() const { return gap; }
//   };
//   vpcflow::Aggregate<vpcflow::Count, vpcflow::Sum<vpcflow::f::Bytes>, LargestGap> all;
//   all.Update(rec);
//   all.Value<1>().ToString();
//
// Null and malformed values are left out by all of them; Count counts records.
//
// All but your own can be saved (ToBytes and FromBytes in vpcflow/state/saved.h); so can yours with
//   static std::string Name();         tells states of different types apart
//   void Write(StateWriter*) const;    the same bytes for the same value
//   void Read(StateReader*);           into a new one; bytes come from anywhere, see vpcflow/state/bytes.h
#ifndef VPCFLOW_AGGREGATE_ACCUMULATOR_H_
#define VPCFLOW_AGGREGATE_ACCUMULATOR_H_

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "vpcflow/aggregate/cell.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

template <class A>
concept Accumulator = std::default_initializable<A> && requires(A a, const A& other, const RecordView& record) {
  a.Update(record);
  a.Merge(other);
  other.Value();
};

// Fields that can be summed: integers and times, neither texts nor addresses nor enumerations.
template <class F>
concept NumericField = std::is_integral_v<typename F::value_type>;

// Returns the fields that an accumulator reads, if it says so in `static constexpr std::array kFields`. A Scan checks
// them first, so that a record with a malformed value is a reject and never half counted.
template <class A>
constexpr auto FieldsOf() {
  if constexpr (requires { A::kFields; }) {
    return A::kFields;
  } else {
    return std::array<Field, 0>();
  }
}

namespace internal {

// Returns "sum(bytes)"
template <class F>
std::string NameOf(const char* function) {
  return function + ("(" + std::string(Info(F::kField).name)) + ")";
}

// The type in which a value is kept: text that a record lends is copied.
template <class T>
using Owned = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;

struct ValueHash {
  size_t operator()(const Ip& ip) const {
    return std::hash<uint64_t>()(ip.hi * 0x9E3779B97F4A7C15ull ^ ip.lo * 0xC2B2AE3D27D4EB4Full);
  }
  size_t operator()(const std::string& text) const { return std::hash<std::string>()(text); }
  template <class T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) size_t operator()(T value) const {
    return std::hash<uint64_t>()(static_cast<uint64_t>(value));
  }
};

inline When WhenOf(const RecordView& record) { return {record.start().value_or(0), record.position()}; }

}  // namespace internal

// Counts records.
class Count {
 public:
  void Update(const RecordView&) { cell_.Add(); }
  void Merge(const Count& other) { cell_.Merge(other.cell_); }
  uint64_t Value() const { return cell_.n; }
  static std::string Name() { return "count()"; }
  void Write(StateWriter* out) const { cell_.Write(out); }
  void Read(StateReader* in) { cell_.Read(in); }

 private:
  CountCell cell_;
};

// Sums a numeric field.
template <NumericField F>
class Sum {
 public:
  static constexpr std::array kFields = {F::kField};
  void Update(const RecordView& record) {
    if (const auto value = record.get<F>()) cell_.Add(static_cast<uint64_t>(*value));
  }
  void Merge(const Sum& other) { cell_.Merge(other.cell_); }
  Total Value() const { return cell_.total; }
  static std::string Name() { return internal::NameOf<F>("sum"); }
  void Write(StateWriter* out) const { cell_.Write(out); }
  void Read(StateReader* in) { cell_.Read(in); }

 private:
  SumCell cell_;
};

// Computes the arithmetic mean of a numeric field; empty without values.
template <NumericField F>
class Mean {
 public:
  static constexpr std::array kFields = {F::kField};
  void Update(const RecordView& record) {
    if (const auto value = record.get<F>()) cell_.Add(static_cast<uint64_t>(*value));
  }
  void Merge(const Mean& other) { cell_.Merge(other.cell_); }
  std::optional<double> Value() const { return cell_.Value(); }
  static std::string Name() { return internal::NameOf<F>("mean"); }
  void Write(StateWriter* out) const { cell_.Write(out); }
  void Read(StateReader* in) { cell_.Read(in); }

 private:
  MeanCell cell_;
};

// Keep the smallest and the largest value of a numeric, time or address field; empty without values.
template <class F, template <class> class Cell>
class Extreme {
 public:
  static constexpr std::array kFields = {F::kField};
  void Update(const RecordView& record) {
    if (const auto value = record.get<F>()) cell_.Add(*value);
  }
  void Merge(const Extreme& other) { cell_.Merge(other.cell_); }
  std::optional<typename F::value_type> Value() const { return cell_.value; }
  static std::string Name() { return internal::NameOf<F>(std::is_same_v<Cell<int>, MinCell<int>> ? "min" : "max"); }
  void Write(StateWriter* out) const { cell_.Write(out); }
  void Read(StateReader* in) { cell_.Read(in); }

 private:
  static_assert(!std::is_same_v<typename F::value_type, std::string_view>,
                "Min and Max take numbers, times, addresses");
  Cell<typename F::value_type> cell_;
};
template <class F>
using Min = Extreme<F, MinCell>;
template <class F>
using Max = Extreme<F, MaxCell>;

// Keep the field's value in the earliest and in the latest record that has one (by start, then by place in the input).
template <class F, template <class> class Cell>
class Pick {
 public:
  static constexpr std::array kFields = {F::kField, Field::kStart};
  void Update(const RecordView& record) {
    if (const auto value = record.get<F>()) cell_.Add(internal::WhenOf(record), Value_(*value));
  }
  void Merge(const Pick& other) { cell_.Merge(other.cell_); }
  const std::optional<internal::Owned<typename F::value_type>>& Value() const& { return cell_.value; }
  std::optional<internal::Owned<typename F::value_type>> Value() const&& { return cell_.value; }  // a temporary's copy
  static std::string Name() {
    return internal::NameOf<F>(std::is_same_v<Cell<int>, FirstCell<int>> ? "first" : "last");
  }
  void Write(StateWriter* out) const { cell_.Write(out); }
  void Read(StateReader* in) { cell_.Read(in); }

 private:
  using Value_ = internal::Owned<typename F::value_type>;
  Cell<Value_> cell_;
};
template <class F>
using First = Pick<F, FirstCell>;
template <class F>
using Last = Pick<F, LastCell>;

// Counts different values exactly. Memory grows with their number.
template <class F>
class Distinct {
 public:
  static constexpr std::array kFields = {F::kField};
  void Update(const RecordView& record) {
    if (const auto value = record.get<F>()) values_.emplace(*value);
  }
  void Merge(const Distinct& other) { values_.insert(other.values_.begin(), other.values_.end()); }
  uint64_t Value() const { return values_.size(); }
  static std::string Name() { return internal::NameOf<F>("n_unique"); }
  void Write(StateWriter* out) const {
    std::vector<Value_> sorted(values_.begin(), values_.end());
    std::sort(sorted.begin(), sorted.end());
    out->Number(sorted.size());
    for (const Value_& value : sorted) WriteValue(value, out);
  }
  void Read(StateReader* in) {
    for (uint64_t n = in->Count(1); n > 0 && in->ok(); --n) {
      if (!values_.insert(ReadValue<Value_>(in)).second) in->Fail();
    }
  }

 private:
  using Value_ = internal::Owned<typename F::value_type>;
  std::unordered_set<Value_, internal::ValueHash> values_;
};

// Computes the sum of a numeric field per second, between the first start and the last end; empty without records that
// have both.
template <NumericField F>
class Rate {
 public:
  static constexpr std::array kFields = {F::kField, Field::kStart, Field::kEnd};
  void Update(const RecordView& record) {
    if (const auto value = record.get<F>()) cell_.Add(static_cast<uint64_t>(*value), record.start(), record.end());
  }
  void Merge(const Rate& other) { cell_.Merge(other.cell_); }
  std::optional<double> Value() const { return cell_.PerSecond(); }
  static std::string Name() { return internal::NameOf<F>("rate"); }
  void Write(StateWriter* out) const { cell_.Write(out); }
  void Read(StateReader* in) { cell_.Read(in); }

 private:
  RateCell cell_;
};

namespace internal {

template <size_t... N>
constexpr auto Joined(const std::array<Field, N>&... parts) {
  std::array<Field, (0 + ... + N)> all{};
  size_t at = 0;
  const auto add = [&](const auto& part) {
    for (Field field : part) all[at++] = field;
  };
  (add(parts), ...);
  return all;
}

}  // namespace internal

// Runs several accumulators side by side. It is an accumulator itself.
template <Accumulator... As>
class Aggregate {
 public:
  static constexpr auto kFields = internal::Joined(FieldsOf<As>()...);
  void Update(const RecordView& record) {
    std::apply([&](As&... a) { (a.Update(record), ...); }, parts_);
  }
  void Merge(const Aggregate& other) { MergeAll(other, std::index_sequence_for<As...>()); }
  // Returns the value of the I-th accumulator; without an index, those of all.
  template <size_t I>
  decltype(auto) Value() const& {
    return std::get<I>(parts_).Value();
  }
  template <size_t I>
  auto Value() const&& {  // a temporary's copy
    return std::get<I>(parts_).Value();
  }
  auto Value() const {
    return std::apply([](const As&... a) { return std::make_tuple(a.Value()...); }, parts_);
  }
  static std::string Name() { return (std::string() + ... + (As::Name() + " ")); }
  void Write(StateWriter* out) const {
    std::apply([&](const As&... a) { (a.Write(out), ...); }, parts_);
  }
  void Read(StateReader* in) {
    std::apply([&](As&... a) { (a.Read(in), ...); }, parts_);
  }

 private:
  template <size_t... I>
  void MergeAll(const Aggregate& other, std::index_sequence<I...>) {
    (std::get<I>(parts_).Merge(std::get<I>(other.parts_)), ...);
  }
  std::tuple<As...> parts_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_AGGREGATE_ACCUMULATOR_H_
