// Composition at compile time: accumulators with a filter, over time bins, with sketches inside; all nest.
//
// Example:
//   using namespace vpcflow;
//   constexpr auto kRejected = [](const RecordView& r) { return r.action() == Action::kReject; };
//   using PerSource = GroupBy<Keys<f::SrcAddr>,
//                             Aggregate<Count,
//                                       Where<kRejected, Count>,             // count(where=...)
//                                       ApproxDistinct<f::DstAddr>,          // approx_n_unique
//                                       ApproxQuantile<f::Bytes>,            // approx_quantile
//                                       TopKeys<f::DstAddr, f::Bytes, 100>,  // peers, in bounded memory
//                                       Windows<300, Sum<f::Bytes>>>>;       // every="5m", by start
//   PerSource per_source;
//   absl::Status s = Scan(Source::File("flow.log.gz")).Into(&per_source);
//   for (const auto& row : per_source.Rows()) Print(row.key<0>(), row.value<3>().Quantile(0.95));
//
// `where` is not part of what FromBytes (vpcflow/state/saved.h) compares: a filter has no name.
//
// The filter's own fields are not checked before an update (a lambda does not say what it reads): a malformed value
// there is null to it.
#ifndef VPCFLOW_SKETCH_ACCUMULATORS_H_
#define VPCFLOW_SKETCH_ACCUMULATORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "vpcflow/aggregate/accumulator.h"
#include "vpcflow/sketch/distinct_sketch.h"
#include "vpcflow/sketch/heavy_hitters.h"
#include "vpcflow/sketch/log_histogram.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// `A` over the records for which `Passes`, a function object of a RecordView, is true.
template <auto Passes, Accumulator A>
class Where {
 public:
  static constexpr auto kFields = FieldsOf<A>();
  void Update(const RecordView& record) {
    if (Passes(record)) inner_.Update(record);
  }
  void Merge(const Where& other) { inner_.Merge(other.inner_); }
  decltype(auto) Value() const { return inner_.Value(); }
  static std::string Name() { return "where(" + A::Name() + ")"; }
  void Write(StateWriter* out) const { inner_.Write(out); }
  void Read(StateReader* in) { inner_.Read(in); }

 private:
  A inner_;
};

// Number of different values: exact up to 256, then with the error of DistinctSketch.
template <class F>
class ApproxDistinct {
 public:
  static constexpr std::array kFields = {F::kField};
  void Update(const RecordView& record) {
    const auto value = record.get<F>();
    if (!value) return;
    if constexpr (std::is_integral_v<typename F::value_type> || std::is_enum_v<typename F::value_type>) {
      sketch_.Add(SketchHash(static_cast<uint64_t>(*value)));
    } else {
      sketch_.Add(SketchHash(*value));
    }
  }
  void Merge(const ApproxDistinct& other) { sketch_.Merge(other.sketch_); }
  uint64_t Value() const { return sketch_.Estimate(); }
  static std::string Name() { return internal::NameOf<F>("approx_n_unique"); }
  void Write(StateWriter* out) const { sketch_.Write(out); }
  void Read(StateReader* in) { sketch_.Read(in); }

 private:
  DistinctSketch sketch_;
};

// Quantiles of a numeric field, within 0.4 % of their value: Value().Quantile(0.95).
template <NumericField F>
class ApproxQuantile {
 public:
  static constexpr std::array kFields = {F::kField};
  void Update(const RecordView& record) {
    if (const auto value = record.get<F>()) histogram_.Add(static_cast<uint64_t>(*value));
  }
  void Merge(const ApproxQuantile& other) { histogram_.Merge(other.histogram_); }
  const LogHistogram& Value() const& { return histogram_; }
  LogHistogram Value() const&& { return histogram_; }  // a temporary's copy
  static std::string Name() { return internal::NameOf<F>("approx_quantile"); }
  void Write(StateWriter* out) const { histogram_.Write(out); }
  void Read(StateReader* in) { histogram_.Read(in); }

 private:
  LogHistogram histogram_;
};

// The keys with the greatest totals of `Weight`, in memory for `Counters` of them, with the guarantee of HeavyHitters:
// Value().Top(10). Inside of a GroupBy: the top peers of each source, bounded. The bounds hold for any order of
// merging, which of the light keys are held depends on it.
template <class Key, NumericField Weight, size_t Counters>
class TopKeys {
 public:
  using Hitters = HeavyHitters<internal::Owned<typename Key::value_type>>;
  static constexpr std::array kFields = {Key::kField, Weight::kField};
  void Update(const RecordView& record) {
    const auto key = record.get<Key>();
    const auto weight = record.get<Weight>();
    if (key && weight) hitters_.Add(internal::Owned<typename Key::value_type>(*key), static_cast<uint64_t>(*weight));
  }
  void Merge(const TopKeys& other) { hitters_.Merge(other.hitters_); }
  const Hitters& Value() const& { return hitters_; }
  Hitters Value() const&& { return hitters_; }  // a temporary's copy
  static std::string Name() { return internal::NameOf<Key>("top_keys") + internal::NameOf<Weight>("by"); }
  void Write(StateWriter* out) const { hitters_.Write(out); }
  void Read(StateReader* in) {
    hitters_.Read(in);
    if (hitters_.counters() != Counters) in->Fail();
  }

 private:
  Hitters hitters_{Counters};
};

// `A` for each time bin of `Seconds`, aligned to the epoch, by the records' start; records without start are left out.
template <int64_t Seconds, Accumulator A>
class Windows {
  static_assert(Seconds > 0);

 public:
  static constexpr auto kFields = internal::Joined(FieldsOf<A>(), std::array<Field, 1>{Field::kStart});
  void Update(const RecordView& record) {
    if (const auto start = record.start()) bins_[*start / Seconds * Seconds].Update(record);
  }
  void Merge(const Windows& other) {
    for (const auto& [begin, aggregate] : other.bins_) bins_[begin].Merge(aggregate);
  }
  // Returns them by the second at which a bin begins.
  const std::map<int64_t, A>& Value() const { return bins_; }
  static std::string Name() { return "windows(" + std::to_string(Seconds) + "; " + A::Name() + ")"; }
  void Write(StateWriter* out) const {
    out->Number(bins_.size());
    for (const auto& [begin, aggregate] : bins_) {
      out->Signed(begin);
      aggregate.Write(out);
    }
  }
  void Read(StateReader* in) {
    for (uint64_t n = in->Count(sizeof(int64_t)); n > 0 && in->ok(); --n) {
      const int64_t begin = in->Signed();
      const auto [at, added] = bins_.try_emplace(begin);
      at->second.Read(in);
      if (!added || begin % Seconds != 0) in->Fail();
    }
  }

 private:
  std::map<int64_t, A> bins_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SKETCH_ACCUMULATORS_H_
