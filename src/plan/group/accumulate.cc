#include "src/plan/group/accumulate.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <utility>

#include "src/plan/bind/on_threads.h"
#include "vpcflow/aggregate/cell.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

template <class T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// What the accumulators with one cell per group share.
template <class Cell>
class Cells : public Accumulators {
 public:
  explicit Cells(int slot) : slot_(slot) {}
  void Grow(size_t groups) override { cells_.resize(std::max(cells_.size(), groups)); }
  size_t bytes() const override { return cells_.capacity() * sizeof(Cell); }
  void Merge(const Accumulators& other, std::span<const uint32_t> group, const CodeMap& codes) override {
    const auto& from = static_cast<const Cells&>(other).cells_;
    for (size_t g = 0; g < from.size() && g < group.size(); ++g) {
      if (group[g] != kNoGroup) cells_[group[g]].Merge(Translate(from[g], codes));
    }
  }
  void Write(std::span<const uint32_t> groups, const CodeMap& codes, StateWriter* out) const override {
    for (const uint32_t g : groups) Translate(cells_[g], codes).Write(out);
  }
  void Read(size_t n, const std::function<bool(uint64_t)>& valid, StateReader* in) override {
    cells_.reserve(std::min(n, in->left()));
    for (size_t g = 0; g < n && in->ok(); ++g) {
      cells_.emplace_back().Read(in);
      if (!Valid(cells_.back(), valid)) in->Fail();
    }
  }

 protected:
  virtual Cell Translate(const Cell& cell, const CodeMap&) const { return cell; }
  // Whether the values of a cell that was read can be.
  virtual bool Valid(const Cell&, const std::function<bool(uint64_t)>&) const { return true; }
  const Column& column(const GroupedRows& rows) const { return rows.batch.columns[static_cast<size_t>(slot_)]; }

  // Calls fn(cell, value) for every value that is not null.
  template <class Fn>
  void ForValues(const GroupedRows& rows, Fn fn) {
    const std::vector<int64_t>& values = column(rows).ints;
    for (size_t i = 0; i < rows.batch.rows; ++i) {
      Prefetch(rows.group, i);
      if (values[i] != kNullInt) fn(cells_[rows.group[i]], values[i], i);
    }
  }
  // The same, with the values of spread rows cut into shares.
  template <class Fn>
  void ForParts(const GroupedRows& rows, Fn fn) {
    if (rows.shares.empty()) return ForValues(rows, fn);
    ForValues(rows, [&](Cell& cell, int64_t value, size_t i) {
      if (rows.spread[i] == 0) fn(cell, value, i);
    });
    const std::vector<int64_t>& values = column(rows).ints;
    for (const BinShare& share : rows.shares) {
      if (values[share.row] == kNullInt) continue;
      // Cumulative shares are rounded down, so the parts add up to the whole.
      const auto value_until = [&](int64_t at) {
        return static_cast<int64_t>(static_cast<uint128>(values[share.row]) * static_cast<uint128>(at) /
                                    static_cast<uint128>(share.length));
      };
      fn(cells_[share.group], value_until(share.to) - value_until(share.from), share.row);
    }
  }

  // Has the cell of a row a little ahead fetched.
  void Prefetch(std::span<const uint32_t> group, size_t i) const {
    constexpr size_t kAhead = 12;
    __builtin_prefetch(&cells_[group[std::min(i + kAhead, group.size() - 1)]]);
  }

  int slot_;
  std::vector<Cell> cells_;
};

void EmitTotals(std::span<const uint32_t> groups, const auto& total_of, TableColumn* out) {
  out->type = ColumnType::kInt64;
  constexpr auto kMax = static_cast<uint128>(std::numeric_limits<int64_t>::max());
  for (uint32_t g : groups) {
    if (total_of(g) > kMax) out->type = ColumnType::kInt128;
  }
  for (uint32_t g : groups) {
    if (out->type == ColumnType::kInt128) {
      out->i128.push_back(total_of(g));
    } else {
      out->i64.push_back(static_cast<int64_t>(total_of(g)));
    }
  }
}

void EmitDoubles(std::span<const uint32_t> groups, const auto& value_of, TableColumn* out) {
  out->type = ColumnType::kFloat64;
  for (uint32_t g : groups) out->f64.push_back(value_of(g).value_or(std::numeric_limits<double>::quiet_NaN()));
}

class CountAccumulators final : public Cells<CountCell> {
 public:
  CountAccumulators() : Cells(-1) {}
  void Update(const GroupedRows& rows, std::span<const uint64_t>) override {
    for (size_t i = 0; i < rows.group.size(); ++i) {
      Prefetch(rows.group, i);
      cells_[rows.group[i]].Add();
    }
  }
  void Emit(std::span<const uint32_t> groups, const Interner&, TableColumn* out) const override {
    EmitTotals(
        groups, [&](uint32_t g) { return static_cast<uint128>(cells_[g].n); }, out);
  }
  int Compare(uint32_t a, uint32_t b) const override { return Order(cells_[a].n, cells_[b].n); }
};

class SumAccumulators final : public Cells<SumCell> {
 public:
  using Cells::Cells;
  void Update(const GroupedRows& rows, std::span<const uint64_t>) override {
    ForParts(rows, [](SumCell& cell, int64_t value, size_t) { cell.Add(static_cast<uint64_t>(value)); });
  }
  void Emit(std::span<const uint32_t> groups, const Interner&, TableColumn* out) const override {
    EmitTotals(
        groups, [&](uint32_t g) { return cells_[g].total.value(); }, out);
  }
  int Compare(uint32_t a, uint32_t b) const override { return Order(cells_[a].total, cells_[b].total); }
};

class MeanAccumulators final : public Cells<MeanCell> {
 public:
  using Cells::Cells;
  void Update(const GroupedRows& rows, std::span<const uint64_t>) override {
    ForValues(rows, [](MeanCell& cell, int64_t value, size_t) { cell.Add(static_cast<uint64_t>(value)); });
  }
  void Emit(std::span<const uint32_t> groups, const Interner&, TableColumn* out) const override {
    EmitDoubles(
        groups, [&](uint32_t g) { return cells_[g].Value(); }, out);
  }
  int Compare(uint32_t a, uint32_t b) const override { return Order(cells_[a].Value(), cells_[b].Value()); }
};

template <template <class> class Cell>
class ExtremeAccumulators final : public Cells<Cell<int64_t>> {
 public:
  ExtremeAccumulators(Kind kind, int slot) : Cells<Cell<int64_t>>(slot), kind_(kind) {}
  void Update(const GroupedRows& rows, std::span<const uint64_t>) override {
    this->ForValues(rows, [](Cell<int64_t>& cell, int64_t value, size_t) { cell.Add(value); });
  }
  void Emit(std::span<const uint32_t> groups, const Interner&, TableColumn* out) const override {
    out->type = ColumnTypeOf(kind_);
    const int64_t unit = kind_ == Kind::kTime ? kMicrosPerSecond : 1;
    for (uint32_t g : groups) {
      const std::optional<int64_t>& value = this->cells_[g].value;
      if (kind_ == Kind::kInt32) {
        out->i32.push_back(value ? static_cast<int32_t>(*value) : kNullInt32);
      } else {
        out->i64.push_back(value ? *value * unit : kNullInt64);
      }
    }
  }
  int Compare(uint32_t a, uint32_t b) const override { return Order(this->cells_[a].value, this->cells_[b].value); }

 protected:
  bool Valid(const Cell<int64_t>& cell, const std::function<bool(uint64_t)>&) const override {
    return cell.value.value_or(0) >= 0 && (kind_ != Kind::kTime || cell.value.value_or(0) <= kLatestTime);
  }

 private:
  Kind kind_;
};

template <template <class> class Cell>
class PickAccumulators final : public Cells<Cell<uint64_t>> {
 public:
  PickAccumulators(const FieldRef& field, int slot) : Cells<Cell<uint64_t>>(slot), field_(field) {}
  bool needs_codes() const override { return true; }
  void Update(const GroupedRows& rows, std::span<const uint64_t> codes) override {
    for (size_t i = 0; i < rows.batch.rows; ++i) {
      if (codes[i] == 0) continue;
      const int64_t start = rows.start == nullptr || rows.start->ints[i] == kNullInt ? 0 : rows.start->ints[i];
      this->cells_[rows.group[i]].Add(When{start, {rows.batch.source, rows.batch.offsets[i]}}, codes[i]);
    }
  }
  void Emit(std::span<const uint32_t> groups, const Interner& interner, TableColumn* out) const override {
    ColumnBuilder builder(field_, interner, out);
    for (uint32_t g : groups) builder.Append(this->cells_[g].value.value_or(0));
  }
  int Compare(uint32_t a, uint32_t b) const override { return Order(this->cells_[a].value, this->cells_[b].value); }

  void MarkCodes(const std::function<void(uint64_t)>& mark) const override {
    for (const Cell<uint64_t>& cell : this->cells_) mark(cell.value.value_or(0));
  }

 protected:
  bool Valid(const Cell<uint64_t>& cell, const std::function<bool(uint64_t)>& valid) const override {
    return !cell.value || (*cell.value != 0 && valid(*cell.value));
  }
  Cell<uint64_t> Translate(const Cell<uint64_t>& cell, const CodeMap& codes) const override {
    Cell<uint64_t> out = cell;
    if (out.value) out.value = codes(*out.value, field_.kind());
    return out;
  }

 private:
  FieldRef field_;
};

class RateAccumulators final : public Cells<RateCell> {
 public:
  RateAccumulators(int slot, int64_t bin_seconds) : Cells(slot), bin_seconds_(bin_seconds) {}
  void Update(const GroupedRows& rows, std::span<const uint64_t>) override {
    const auto time = [](const Column* c, size_t i) {
      return c == nullptr || c->ints[i] == kNullInt ? std::optional<int64_t>() : std::optional<int64_t>(c->ints[i]);
    };
    ForParts(rows, [&](RateCell& cell, int64_t value, size_t i) {
      cell.Add(static_cast<uint64_t>(value), time(rows.start, i), time(rows.end, i));
    });
  }
  void Emit(std::span<const uint32_t> groups, const Interner&, TableColumn* out) const override {
    EmitDoubles(
        groups, [&](uint32_t g) { return Value(g); }, out);
  }
  int Compare(uint32_t a, uint32_t b) const override { return Order(Value(a), Value(b)); }

 protected:
  bool Valid(const RateCell& cell, const std::function<bool(uint64_t)>&) const override {
    const auto fits = [](int64_t time, int64_t none) { return time == none || (time >= 0 && time <= kLatestTime); };
    return fits(cell.first, RateCell().first) && fits(cell.last, RateCell().last);
  }

 private:
  std::optional<double> Value(uint32_t g) const {
    if (bin_seconds_ == 0) return cells_[g].PerSecond();
    return cells_[g].total.as_double() / static_cast<double>(bin_seconds_);
  }
  int64_t bin_seconds_;
};

// A pair of a group and a code that is not null, in one word if the code leaves room for the group.
struct PackedPair {
  static constexpr int kCodeBits = 34;  // addresses, and all smaller codes
  static constexpr uint32_t kMaxGroups = 1u << (64 - kCodeBits);
  uint64_t word = 0;
  static PackedPair Of(uint32_t group, uint64_t code) { return {uint64_t{group} << kCodeBits | code}; }
  uint32_t group() const { return static_cast<uint32_t>(word >> kCodeBits); }
  uint64_t code() const { return word & ((uint64_t{1} << kCodeBits) - 1); }
  bool empty() const { return word == 0; }
  uint64_t hash() const { return MixWords(word, 0); }
  friend bool operator==(const PackedPair&, const PackedPair&) = default;
};
struct WidePair {
  static constexpr uint32_t kMaxGroups = kNoGroup;
  uint64_t code_value = 0;
  uint32_t group_value = 0;
  static WidePair Of(uint32_t group, uint64_t code) { return {code, group}; }
  uint32_t group() const { return group_value; }
  uint64_t code() const { return code_value; }
  bool empty() const { return code_value == 0; }
  uint64_t hash() const { return MixWords(code_value, group_value); }
  friend bool operator==(const WidePair&, const WidePair&) = default;
};

// Exact distinct counts: one table of pairs for all groups.
template <class Pair>
class DistinctAccumulators final : public Accumulators {
 public:
  explicit DistinctAccumulators(Kind kind) : kind_(kind) {}
  bool needs_codes() const override { return true; }
  size_t bytes() const override {
    return counts_.capacity() * sizeof(uint64_t) + seen_.bytes() + loaded_.capacity() * sizeof(Pair);
  }
  void Grow(size_t groups) override {
    if (groups > Pair::kMaxGroups) throw std::bad_alloc();  // 2^30 groups would need 100 GiB anyway
    counts_.resize(std::max(counts_.size(), groups));
  }
  void Update(const GroupedRows& rows, std::span<const uint64_t> codes) override {
    batch_.clear();
    for (size_t i = 0; i < rows.batch.rows; ++i) {
      if (codes[i] != 0) batch_.push_back(Pair::Of(rows.group[i], codes[i]));
    }
    AddBatch();
  }
  void Merge(const Accumulators& other, std::span<const uint32_t> group, const CodeMap& codes) override {
    constexpr size_t kMergeBatch = 4096;
    batch_.clear();
    static_cast<const DistinctAccumulators&>(other).ForEachPair([&](const Pair& pair) {
      if (group[pair.group()] == kNoGroup) return;
      batch_.push_back(Pair::Of(group[pair.group()], codes(pair.code(), kind_)));
      if (batch_.size() == kMergeBatch) {
        AddBatch();
        batch_.clear();
      }
    });
    AddBatch();
  }
  // The other's pairs that are not here are counted, and not kept: that is looking up, which threads share.
  void MergeFinal(const Accumulators& other, std::span<const uint32_t> group, const CodeMap& codes,
                  size_t threads) override {
    const auto& from = static_cast<const DistinctAccumulators&>(other);
    constexpr size_t kWorthIt = 1 << 16;
    if (from.seen_.size() < kWorthIt || !from.loaded_.empty() || !loaded_.empty()) return Merge(other, group, codes);
    std::vector<std::vector<uint64_t>> counts(threads);
    const auto count = [&](size_t part) {
      std::vector<uint64_t>& own = counts[part];
      own.resize(counts_.size());
      std::vector<Pair> batch;
      const auto look_up = [&] {
        seen_.FindAll(
            batch.size(), [&](size_t i) { return batch[i].hash(); },
            [&](const Pair& pair, size_t i) { return pair == batch[i]; },
            [&](size_t i, bool found) { own[batch[i].group()] += found ? 0 : 1; });
        batch.clear();
      };
      from.seen_.ForEach(part, threads, [&](const Pair& pair) {
        if (group[pair.group()] == kNoGroup) return;
        batch.push_back(Pair::Of(group[pair.group()], codes(pair.code(), kind_)));
        if (batch.size() == FlatTable<Pair>::kBatch) look_up();
      });
      look_up();
    };
    OnThreads(threads, count);
    for (const std::vector<uint64_t>& own : counts) {
      for (size_t g = 0; g < own.size(); ++g) counts_[g] += own[g];
    }
  }
  void Emit(std::span<const uint32_t> groups, const Interner&, TableColumn* out) const override {
    EmitTotals(
        groups, [&](uint32_t g) { return static_cast<uint128>(counts_[g]); }, out);
  }
  int Compare(uint32_t a, uint32_t b) const override { return Order(counts_[a], counts_[b]); }
  void MarkCodes(const std::function<void(uint64_t)>& mark) const override {
    ForEachPair([&](const Pair& pair) { mark(pair.code()); });
  }
  // By group the number of its values, then the values in order.
  void Write(std::span<const uint32_t> groups, const CodeMap& codes, StateWriter* out) const override {
    std::vector<uint32_t> place(counts_.size(), kNoGroup);
    for (uint32_t i = 0; i < groups.size(); ++i) place[groups[i]] = i;
    std::vector<std::pair<uint32_t, uint64_t>> pairs;
    pairs.reserve(seen_.size() + loaded_.size());
    ForEachPair([&](const Pair& pair) {
      if (place[pair.group()] != kNoGroup) pairs.emplace_back(place[pair.group()], codes(pair.code(), kind_));
    });
    std::sort(pairs.begin(), pairs.end());
    for (const uint32_t g : groups) out->Number(counts_[g]);
    for (const auto& [group, code] : pairs) out->Word(code);
  }
  void Read(size_t n, const std::function<bool(uint64_t)>& valid, StateReader* in) override {
    if (n > in->left() || n > Pair::kMaxGroups) return in->Fail();
    counts_.reserve(n);
    for (size_t g = 0; g < n; ++g) counts_.push_back(in->Number());
    for (uint32_t g = 0; g < n && in->ok(); ++g) {
      if (counts_[g] > in->left() / sizeof(uint64_t)) return in->Fail();
      uint64_t before = 0;
      for (uint64_t i = 0; i < counts_[g]; ++i) {
        const uint64_t code = in->Word();
        if (code <= before || !valid(code)) return in->Fail();
        before = code;
        loaded_.push_back(Pair::Of(g, code));
      }
    }
  }

 private:
  template <class Fn>
  void ForEachPair(Fn fn) const {
    seen_.ForEach(fn);
    std::for_each(loaded_.begin(), loaded_.end(), fn);
  }
  void AddBatch() {
    if (!loaded_.empty()) {  // of a saved state; they are counted already
      Insert(std::exchange(loaded_, {}), [](uint32_t) {});
    }
    // Counted afterwards: each new pair is a branch that was not foreseen, and a count that the caches lack would be
    // waited for behind each of them.
    added_.clear();
    Insert(batch_, [&](uint32_t group) { added_.push_back(group); });
    for (const uint32_t group : added_) ++counts_[group];
  }
  template <class Added>
  void Insert(const std::vector<Pair>& pairs, Added added_to) {
    seen_.InsertAll(
        pairs.size(), [&](size_t i) { return pairs[i].hash(); },
        [&](const Pair& pair, size_t i) { return pair == pairs[i]; },
        [&](Pair& pair, size_t i, bool added) {
          if (!added) return;
          pair = pairs[i];
          added_to(pair.group());
        });
  }

  Kind kind_;
  std::vector<uint64_t> counts_;
  FlatTable<Pair> seen_;
  std::vector<Pair> loaded_;  // of a saved state, until more come
  // Scratch.
  std::vector<Pair> batch_;
  std::vector<uint32_t> added_;
};

}  // namespace

std::unique_ptr<Accumulators> MakeAccumulators(const PlannedAggregate& agg, int slot, int64_t bin_seconds) {
  const FieldRef& field = agg.field;
  switch (agg.kind) {
    case AggKind::kCount: return std::make_unique<CountAccumulators>();
    case AggKind::kSum: return std::make_unique<SumAccumulators>(slot);
    case AggKind::kMean: return std::make_unique<MeanAccumulators>(slot);
    case AggKind::kMin: return std::make_unique<ExtremeAccumulators<MinCell>>(field.kind(), slot);
    case AggKind::kMax: return std::make_unique<ExtremeAccumulators<MaxCell>>(field.kind(), slot);
    case AggKind::kFirst: return std::make_unique<PickAccumulators<FirstCell>>(field, slot);
    case AggKind::kLast: return std::make_unique<PickAccumulators<LastCell>>(field, slot);
    case AggKind::kNUnique:
      if (CodeBits(field) > PackedPair::kCodeBits)
        return std::make_unique<DistinctAccumulators<WidePair>>(field.kind());
      return std::make_unique<DistinctAccumulators<PackedPair>>(field.kind());
    case AggKind::kRate: return std::make_unique<RateAccumulators>(slot, bin_seconds);
    case AggKind::kApproxNUnique:
    case AggKind::kQuantile:
    case AggKind::kApproxQuantile: return MakeSketchAccumulators(agg, slot);
  }
  return nullptr;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
