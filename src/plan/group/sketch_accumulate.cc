// Accumulators whose cells are sketches of values, or all the values.
#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "src/plan/group/accumulate.h"
#include "vpcflow/sketch/distinct_sketch.h"
#include "vpcflow/sketch/log_histogram.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// All the values, for exact quantiles.
class Values {
 public:
  void Add(uint64_t value) { values_.push_back(value); }
  void Merge(const Values& other) { values_.insert(values_.end(), other.values_.begin(), other.values_.end()); }
  std::optional<uint64_t> Quantile(double q) const {
    if (values_.empty()) return std::nullopt;
    std::vector<uint64_t> sorted = values_;
    const auto at = sorted.begin() + static_cast<ptrdiff_t>(LogHistogram::RankOf(q, sorted.size()) - 1);
    std::nth_element(sorted.begin(), at, sorted.end());
    return *at;
  }
  size_t bytes() const { return values_.capacity() * sizeof(uint64_t); }
  void Write(StateWriter* out) const {
    std::vector<uint64_t> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    out->Word(sorted.size());
    uint64_t before = 0;
    for (const uint64_t value : sorted) out->Number(value - std::exchange(before, value));
  }
  void Read(StateReader* in) {
    const uint64_t n = in->Word();
    if (n > in->left()) return in->Fail();
    values_.resize(n);
    uint64_t before = 0;
    for (uint64_t& value : values_) {
      value = before + in->Number();
      if (value < before || value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return in->Fail();
      before = value;
    }
  }

 private:
  std::vector<uint64_t> values_;
};

// `Sketch` has Merge, bytes, Write and Read; what goes in and what comes out is said by the classes below.
template <class Sketch>
class SketchAccumulators : public Accumulators {
 public:
  explicit SketchAccumulators(int slot) : slot_(slot) {}
  void Grow(size_t groups) override { cells_.resize(std::max(cells_.size(), groups)); }
  size_t bytes() const override { return cells_.capacity() * sizeof(Sketch) + content_; }
  void Merge(const Accumulators& other, std::span<const uint32_t> group, const CodeMap&) override {
    shown_.clear();
    const auto& from = static_cast<const SketchAccumulators&>(other).cells_;
    for (size_t g = 0; g < from.size() && g < group.size(); ++g) {
      if (group[g] != kNoGroup) Change(group[g], [&](Sketch& cell) { cell.Merge(from[g]); });
    }
  }
  void Emit(std::span<const uint32_t> groups, const Interner&, TableColumn* out) const override {
    out->type = ColumnType::kInt64;
    for (const uint32_t g : groups) {
      const std::optional<uint64_t> value = Shown(g);
      out->i64.push_back(value ? static_cast<int64_t>(*value) : kNullInt64);
    }
  }
  int Compare(uint32_t a, uint32_t b) const override {
    const std::optional<uint64_t> x = Shown(a), y = Shown(b);
    return x < y ? -1 : y < x ? 1 : 0;
  }
  void Write(std::span<const uint32_t> groups, const CodeMap&, StateWriter* out) const override {
    for (const uint32_t g : groups) cells_[g].Write(out);
  }
  void Read(size_t n, const std::function<bool(uint64_t)>&, StateReader* in) override {
    cells_.reserve(std::min(n, in->left() / 8));
    for (size_t g = 0; g < n && in->ok(); ++g) {
      cells_.emplace_back().Read(in);
      content_ += cells_.back().bytes();
    }
  }

 protected:
  virtual std::optional<uint64_t> Value(const Sketch& cell) const = 0;
  const Column& column(const GroupedRows& rows) const { return rows.batch.columns[static_cast<size_t>(slot_)]; }
  template <class Fn>
  void Change(uint32_t g, Fn fn) {
    Sketch& cell = cells_[g];
    const size_t before = cell.bytes();
    fn(cell);
    content_ += cell.bytes() - before;
  }
  // Calls add(cell, value) for every number that is not null.
  template <class Fn>
  void ForNumbers(const GroupedRows& rows, Fn add) {
    shown_.clear();
    const std::vector<int64_t>& values = column(rows).ints;
    for (size_t i = 0; i < rows.batch.rows; ++i) {
      if (values[i] == kNullInt) continue;
      Change(rows.group[i], [&](Sketch& cell) { add(cell, static_cast<uint64_t>(values[i])); });
    }
  }

  std::vector<Sketch> cells_;
  // Values as they are shown, each computed once: sorting asks often.
  mutable std::vector<std::pair<bool, std::optional<uint64_t>>> shown_;

 private:
  std::optional<uint64_t> Shown(uint32_t g) const {
    shown_.resize(cells_.size());
    auto& [known, value] = shown_[g];
    if (!std::exchange(known, true)) value = Value(cells_[g]);
    return value;
  }

  int slot_;
  size_t content_ = 0;  // memory of the cells beyond themselves
};

class ApproxDistinctAccumulators final : public SketchAccumulators<DistinctSketch> {
 public:
  using SketchAccumulators::SketchAccumulators;
  void Update(const GroupedRows& rows, std::span<const uint64_t>) override {
    const Column& from = column(rows);
    if (from.kind == Kind::kText) return AddTexts(rows, from);
    if (from.kind != Kind::kAddress)
      return ForNumbers(rows, [](DistinctSketch& cell, uint64_t value) { cell.Add(SketchHash(value)); });
    shown_.clear();
    for (size_t i = 0; i < rows.batch.rows; ++i) {
      const AddressCode code = from.addresses[i];
      if (code == kNullAddress) continue;
      Change(rows.group[i], [&](DistinctSketch& cell) { cell.Add(SketchHash(rows.batch.address(code))); });
    }
  }

 protected:
  std::optional<uint64_t> Value(const DistinctSketch& cell) const override { return cell.Estimate(); }

 private:
  void AddTexts(const GroupedRows& rows, const Column& from) {
    shown_.clear();
    const TextDictionary& dictionary = *from.dictionary;
    if (generation_ != dictionary.generation()) hashes_.clear();
    generation_ = dictionary.generation();
    for (size_t code = std::max<size_t>(hashes_.size(), 1); code <= dictionary.size(); ++code) {
      hashes_.resize(code + 1);
      hashes_[code] = SketchHash(dictionary.text(static_cast<uint32_t>(code)));
    }
    for (size_t i = 0; i < rows.batch.rows; ++i) {
      const uint32_t code = from.texts[i];
      if (code != kNullText) Change(rows.group[i], [&](DistinctSketch& cell) { cell.Add(hashes_[code]); });
    }
  }
  // Hashes of the texts of the batch's dictionary.
  uint64_t generation_ = 0;
  std::vector<uint64_t> hashes_;
};

template <class Sketch>
class QuantileAccumulators final : public SketchAccumulators<Sketch> {
 public:
  QuantileAccumulators(int slot, double q) : SketchAccumulators<Sketch>(slot), q_(q) {}
  void Update(const GroupedRows& rows, std::span<const uint64_t>) override {
    this->ForNumbers(rows, [](Sketch& cell, uint64_t value) { cell.Add(value); });
  }

 protected:
  std::optional<uint64_t> Value(const Sketch& cell) const override { return cell.Quantile(q_); }

 private:
  double q_;
};

}  // namespace

std::unique_ptr<Accumulators> MakeSketchAccumulators(const PlannedAggregate& agg, int slot) {
  switch (agg.kind) {
    case AggKind::kApproxNUnique: return std::make_unique<ApproxDistinctAccumulators>(slot);
    case AggKind::kQuantile: return std::make_unique<QuantileAccumulators<Values>>(slot, agg.q);
    case AggKind::kApproxQuantile: return std::make_unique<QuantileAccumulators<LogHistogram>>(slot, agg.q);
    default: return nullptr;
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
