// Cells: the state of one accumulator for one group. The compile-time accumulators (accumulator.h) and the run-time
// plan (plan/plan.h) keep the same cells, so both compute the same thing.
//
// Example:
//   vpcflow::SumCell monday, tuesday;
//   monday.Add(40);
//   tuesday.Add(2);
//   monday.Merge(tuesday);
//   Print(monday.total.value());                                 // 42
//
// Every cell has Merge(other), and merging in any order and grouping gives the same value. Write and Read save it:
// never less than an eighth of the memory that the cell takes.
#ifndef VPCFLOW_AGGREGATE_CELL_H_
#define VPCFLOW_AGGREGATE_CELL_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "vpcflow/aggregate/total.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/state/value.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

inline void WriteTotal(const Total& total, StateWriter* out) {
  out->Number(static_cast<uint64_t>(total.value()));
  out->Number(static_cast<uint64_t>(total.value() >> 64));
}
inline Total ReadTotal(StateReader* in) {
  const uint64_t low = in->Number(), high = in->Number();
  return Total(static_cast<uint128>(high) << 64 | low);
}

struct CountCell {
  uint64_t n = 0;
  void Add() { ++n; }
  void Merge(const CountCell& other) { n += other.n; }
  void Write(StateWriter* out) const { out->Number(n); }
  void Read(StateReader* in) { n = in->Number(); }
};

struct SumCell {
  Total total;
  void Add(uint64_t value) { total += value; }
  void Merge(const SumCell& other) { total += other.total; }
  void Write(StateWriter* out) const { WriteTotal(total, out); }
  void Read(StateReader* in) { total = ReadTotal(in); }
};

// Computes the mean of the values; empty without values.
struct MeanCell {
  Total total;
  uint64_t n = 0;
  void Add(uint64_t value) {
    total += value;
    ++n;
  }
  void Merge(const MeanCell& other) {
    total += other.total;
    n += other.n;
  }
  void Write(StateWriter* out) const {
    WriteTotal(total, out);
    out->Word(n);
  }
  void Read(StateReader* in) {
    total = ReadTotal(in);
    n = in->Word();
  }
  std::optional<double> Value() const {
    if (n == 0) return std::nullopt;
    return total.as_double() / static_cast<double>(n);
  }
};

template <class T>
struct MinCell {
  std::optional<T> value;
  void Add(const T& v) {
    if (!value || v < *value) value = v;
  }
  void Merge(const MinCell& other) {
    if (other.value) Add(*other.value);
  }
  void Write(StateWriter* out) const { WriteOptional(value, out); }
  void Read(StateReader* in) { ReadOptional(in, &value); }
};

template <class T>
struct MaxCell {
  std::optional<T> value;
  void Add(const T& v) {
    if (!value || *value < v) value = v;
  }
  void Merge(const MaxCell& other) {
    if (other.value) Add(*other.value);
  }
  void Write(StateWriter* out) const { WriteOptional(value, out); }
  void Read(StateReader* in) { ReadOptional(in, &value); }
};

// When a record was, for "first" and "last": its start time, and among equals its place in the input.
struct When {
  int64_t start = 0;
  Position position;
  friend auto operator<=>(const When&, const When&) = default;
};

template <class T>
void WritePicked(const When& when, const std::optional<T>& value, StateWriter* out) {
  out->Byte(value.has_value());
  out->Signed(value ? when.start : 0);
  out->Word(value ? when.position.source : 0);
  out->Word(value ? when.position.offset : 0);
  WriteValue(value.value_or(T{}), out);
}
template <class T>
void ReadPicked(StateReader* in, When* when, std::optional<T>* value) {
  const bool there = in->Byte() != 0;
  const int64_t start = in->Signed();
  const auto source = static_cast<decltype(Position::source)>(in->Word());
  const uint64_t offset = in->Word();
  T read = ReadValue<T>(in);
  if (!there || !in->ok()) return;
  *when = {start, {source, offset}};
  *value = std::move(read);
}

template <class T>
struct FirstCell {
  When when{std::numeric_limits<int64_t>::max(), {}};
  std::optional<T> value;
  void Add(const When& at, const T& v) {
    if (!value || at < when) {
      when = at;
      value = v;
    }
  }
  void Merge(const FirstCell& other) {
    if (other.value) Add(other.when, *other.value);
  }
  void Write(StateWriter* out) const { WritePicked(when, value, out); }
  void Read(StateReader* in) { ReadPicked(in, &when, &value); }
};

template <class T>
struct LastCell {
  When when;
  std::optional<T> value;
  void Add(const When& at, const T& v) {
    if (!value || when < at) {
      when = at;
      value = v;
    }
  }
  void Merge(const LastCell& other) {
    if (other.value) Add(other.when, *other.value);
  }
  void Write(StateWriter* out) const { WritePicked(when, value, out); }
  void Read(StateReader* in) { ReadPicked(in, &when, &value); }
};

// A total per second: over the length of the time bin, or else from the first start to the last end (1 s at least).
struct RateCell {
  Total total;
  int64_t first = std::numeric_limits<int64_t>::max();
  int64_t last = std::numeric_limits<int64_t>::min();
  void Add(uint64_t value, std::optional<int64_t> start, std::optional<int64_t> end) {
    total += value;
    if (start) first = std::min(first, *start);
    if (end) last = std::max(last, *end);
  }
  void Merge(const RateCell& other) {
    total += other.total;
    first = std::min(first, other.first);
    last = std::max(last, other.last);
  }
  void Write(StateWriter* out) const {
    WriteTotal(total, out);
    out->Signed(first);
    out->Signed(last);
  }
  void Read(StateReader* in) {
    total = ReadTotal(in);
    first = in->Signed();
    last = in->Signed();
  }
  std::optional<double> PerSecond() const {
    if (first > last) return std::nullopt;
    return total.as_double() / static_cast<double>(std::max<int64_t>(1, last - first));
  }
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_AGGREGATE_CELL_H_
