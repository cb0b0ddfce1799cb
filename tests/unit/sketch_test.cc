// Sketches against truth, their laws, and hostile bytes.
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "unit/testing.h"

namespace vpcflow {
namespace {

template <class Sketch>
std::string Saved(const Sketch& sketch) {
  StateWriter out;
  sketch.Write(&out);
  return out.bytes();
}

TEST(DistinctSketch, ExactWhileSmallThenWithinItsError) {
  double squares = 0;
  int estimates = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    DistinctSketch sketch;
    uint64_t n = 0;
    for (const uint64_t until : {100u, 256u, 257u, 1000u, 5000u, 50'000u}) {
      for (; n < until; ++n) {
        sketch.Add(SketchHash(SketchHash(seed) + n));
        sketch.Add(SketchHash(SketchHash(seed) + n / 2));  // again
      }
      if (n <= DistinctSketch::kExact) {
        ASSERT_TRUE(sketch.exact());
        ASSERT_EQ(sketch.Estimate(), n);
        continue;
      }
      const double error = static_cast<double>(sketch.Estimate()) / static_cast<double>(n) - 1;
      ASSERT_LT(std::fabs(error), 5 * DistinctSketch::kStandardError) << n;
      squares += error * error;
      ++estimates;
    }
  }
  EXPECT_LT(std::sqrt(squares / estimates), 1.2 * DistinctSketch::kStandardError);
}

TEST(LogHistogram, EveryValueIsWithinItsError) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t value = i < 2000 ? static_cast<uint64_t>(i) : random() >> (random() % 64);
    LogHistogram one;
    one.Add(value);
    const auto got = static_cast<double>(*one.Quantile(0.5)), wanted = static_cast<double>(value);
    ASSERT_LE(std::fabs(got - wanted), wanted * LogHistogram::kRelativeError) << value;
    if (value < 256) {
      ASSERT_EQ(*one.Quantile(0.5), value);
    }
  }
  EXPECT_EQ(LogHistogram().Quantile(0.5), std::nullopt);
}

// Any split and tree of merges gives the bytes of one pass.
template <class Sketch, class Add>
void ExpectLaws(Add add) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 50; ++round) {
    Sketch whole;
    std::vector<Sketch> parts(1 + random() % 8);
    const uint64_t n = random() % 2000;
    for (uint64_t i = 0; i < n; ++i) {
      const uint64_t value = random() >> (random() % 60);
      add(&whole, value);
      add(&parts[random() % parts.size()], value);
    }
    while (parts.size() > 1) {
      const size_t a = random() % parts.size();
      const Sketch taken = parts[a];
      parts.erase(parts.begin() + static_cast<ptrdiff_t>(a));
      parts[random() % parts.size()].Merge(taken);
    }
    ASSERT_EQ(Saved(parts[0]), Saved(whole));
    const std::string saved = Saved(whole);
    StateReader reader(saved);
    Sketch again;
    again.Read(&reader);
    ASSERT_TRUE(reader.ok() && reader.done());
    ASSERT_EQ(Saved(again), saved);
  }
}
TEST(Sketches, LawsOfTheDeterministicOnes) {
  ExpectLaws<DistinctSketch>([](DistinctSketch* s, uint64_t v) { s->Add(SketchHash(v % 1000)); });
  ExpectLaws<LogHistogram>([](LogHistogram* s, uint64_t v) { s->Add(v); });
  ExpectLaws<SeenBefore>([](SeenBefore* s, uint64_t v) { s->Add(v % 100, static_cast<int64_t>(v % 100) * 86400); });
}

TEST(KllSketch, RankErrorInAnyTreeOfMerges) {
  std::mt19937_64 random(3);
  int bad = 0, all = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<KllSketch> parts;
    for (uint64_t i = 0; i < 1 + seed % 10; ++i) parts.emplace_back(KllSketch::kDefaultK, seed * 100 + i);
    std::vector<uint64_t> values;
    for (int i = 0; i < 20'000; ++i) {
      values.push_back(static_cast<uint64_t>(std::exp(std::normal_distribution<double>(8, 3)(random))));
      parts[random() % parts.size()].Add(values.back());
    }
    while (parts.size() > 1) {
      parts[random() % (parts.size() - 1)].Merge(parts.back());
      parts.pop_back();
    }
    ASSERT_EQ(parts[0].count(), values.size());
    ASSERT_LT(parts[0].bytes(), 40'000u);
    std::sort(values.begin(), values.end());
    const auto n = static_cast<double>(values.size());
    for (const double q : {0.01, 0.1, 0.5, 0.9, 0.99}) {
      const uint64_t value = *parts[0].Quantile(q);
      const auto low = static_cast<double>(std::lower_bound(values.begin(), values.end(), value) - values.begin()) / n;
      const auto high = static_cast<double>(std::upper_bound(values.begin(), values.end(), value) - values.begin()) / n;
      ++all;
      bad += low > q + 0.0165 || high < q - 0.0165 ? 1 : 0;
      ASSERT_TRUE(low <= q + 0.05 && high >= q - 0.05) << q;
    }
    const std::string saved = Saved(parts[0]);
    StateReader reader(saved);
    KllSketch again;
    again.Read(&reader);
    ASSERT_TRUE(reader.ok() && reader.done());
    ASSERT_EQ(again.Quantile(0.5), parts[0].Quantile(0.5));
  }
  EXPECT_LE(bad, all / 20);
}

TEST(HeavyHitters, TheGuaranteeInAnyTreeOfMerges) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 30; ++round) {
    constexpr size_t kCounters = 50;
    std::vector<HeavyHitters<uint64_t>> parts(1 + random() % 6, HeavyHitters<uint64_t>(kCounters));
    std::map<uint64_t, uint64_t> truth;
    uint64_t total = 0;
    for (int i = 0; i < 20'000; ++i) {
      const uint64_t key = random() % (1 + random() % 2000), weight = 1 + random() % 10;
      truth[key] += weight;
      total += weight;
      parts[random() % parts.size()].Add(key, weight);
    }
    while (parts.size() > 1) {
      parts[random() % (parts.size() - 1)].Merge(parts.back());
      parts.pop_back();
    }
    ASSERT_EQ(parts[0].total(), total);
    std::set<uint64_t> held;
    for (const auto& hit : parts[0].Top(kCounters)) {
      held.insert(hit.key);
      ASSERT_LE(hit.count - hit.error, truth[hit.key]);
      ASSERT_GE(hit.count, truth[hit.key]);
      ASSERT_LE(hit.error, total / kCounters);
    }
    for (const auto& [key, count] : truth) {
      if (count > total / kCounters) {
        ASSERT_TRUE(held.contains(key)) << count;
      }
    }
  }
}

TEST(HashSample, TotalsAreUnbiasedAndTheErrorBarsHold) {
  double truth = 0;
  std::vector<double> weights;
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    weights.push_back(1 + static_cast<double>(random() % 1500));
    truth += weights.back();
  }
  double sum = 0;
  int within = 0;
  constexpr int kRounds = 200;
  for (uint64_t round = 0; round < kRounds; ++round) {
    std::vector<HashSample<uint64_t>> parts(4, HashSample<uint64_t>(500));
    HashSample<uint64_t> whole(500);
    for (uint64_t i = 0; i < weights.size(); ++i) {
      const uint64_t hash = SketchHash(SketchHash(round) + i);
      parts[i % 4].Add(hash, i, weights[i]);
      whole.Add(hash, i, weights[i]);
      if (i % 3 == 0) whole.Add(hash, i, weights[i]);  // a record that comes twice
    }
    for (int p = 3; p > 0; --p) parts[static_cast<size_t>(p - 1)].Merge(parts[static_cast<size_t>(p)]);
    const SampledTotal total = whole.Total();
    ASSERT_EQ(parts[0].Total().value, total.value);
    ASSERT_EQ(whole.size(), 500u);
    sum += total.value;
    within += std::fabs(total.value - truth) <= 2 * total.standard_error ? 1 : 0;
  }
  EXPECT_NEAR(sum / kRounds / truth, 1, 0.01);
  EXPECT_GE(within, kRounds * 90 / 100);
  HashSample<int> few(10);
  few.Add(1, 1, 5);
  EXPECT_TRUE(few.exact());
  EXPECT_EQ(few.Total().value, 5);
  EXPECT_EQ(few.Total().standard_error, 0);
}

TEST(SeenBefore, PeriodsRoll) {
  constexpr int64_t kDay = 86400;
  SeenBefore seen(kDay, 30);
  seen.Add(1, 5 * kDay + 100);
  EXPECT_EQ(seen.LastSeen(1, 5 * kDay + 200), std::nullopt);  // the same day
  EXPECT_EQ(seen.LastSeen(1, 6 * kDay), 5 * kDay);
  EXPECT_EQ(seen.LastSeen(2, 6 * kDay), std::nullopt);
  seen.Add(2, 36 * kDay);
  EXPECT_EQ(seen.LastSeen(1, 36 * kDay), std::nullopt);  // forgotten
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.floor(), std::nullopt);
  SeenBefore full(kDay, 30, 3);
  for (uint64_t i = 0; i < 6; ++i) full.Add(i, static_cast<int64_t>(i / 2) * kDay);
  EXPECT_LE(full.size(), 4u);
  EXPECT_TRUE(full.floor().has_value());
}

constexpr auto kRejected = [](const RecordView& r) { return r.action() == Action::kReject; };

// Composed by types, against the plan that asks the same at run time; merged from parts.
TEST(Composition, ByTypesIsByPlan) {
  using Sources = GroupBy<Keys<f::Protocol>, Aggregate<Count, Where<kRejected, Count>, ApproxDistinct<f::DstAddr>,
                                                       ApproxQuantile<f::Bytes>, TopKeys<f::DstAddr, f::Bytes, 64>,
                                                       Windows<600, Sum<f::Bytes>>, ApproxDistinct<f::InterfaceId>>>;
  SynthOptions options;
  options.records = 20'000;
  options.ipv6_share = 0.2;
  const std::string log = *SynthesizeText(options);
  Sources whole, parts;
  ASSERT_TRUE(Scan(Source::Bytes("log", std::string_view(log))).Into(&whole).ok());
  const size_t cut = log.find('\n', log.size() / 2) + 1, header = log.find('\n') + 1;
  const std::string first = log.substr(0, cut), second = log.substr(0, header) + log.substr(cut);
  for (const std::string* part : {&first, &second}) {
    Sources one;
    ASSERT_TRUE(Scan(Source::Bytes("part", std::string_view(*part))).Into(&one).ok());
    parts.Merge(one);
  }
  PlanSpec spec;
  spec.by = {"protocol"};
  spec.aggs = {{"n", "count()"},
               {"rejected", "count() where action = 'REJECT'"},
               {"peers", "approx_n_unique(dstaddr)"},
               {"p90", "approx_quantile(bytes, 0.9)"},
               {"bytes", "sum(bytes)"},
               {"interfaces", "approx_n_unique(interface-id)"}};
  const absl::StatusOr<Result> planned = Plan::Make(spec)->Run({Source::Bytes("log", std::string_view(log))}, {});
  ASSERT_TRUE(planned.ok());
  for (const Sources* got : {&whole, &parts}) {
    const auto rows = got->Rows();
    ASSERT_EQ(rows.size(), planned->table.rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto column = [&](size_t c) { return planned->table.columns[c].i64[i]; };
      EXPECT_EQ(rows[i].value<0>(), static_cast<uint64_t>(column(1)));
      EXPECT_EQ(rows[i].value<1>(), static_cast<uint64_t>(column(2)));
      EXPECT_EQ(rows[i].value<2>(), static_cast<uint64_t>(column(3)));
      EXPECT_EQ(rows[i].value<3>().Quantile(0.9), static_cast<uint64_t>(column(4)));
      EXPECT_EQ(rows[i].value<4>().total(), static_cast<uint64_t>(column(5)));
      uint64_t binned = 0;
      for (const auto& [begin, sum] : rows[i].value<5>()) {
        EXPECT_EQ(begin % 600, 0);
        binned += sum.Value().u64();
      }
      EXPECT_EQ(binned, static_cast<uint64_t>(column(5)));
      EXPECT_EQ(rows[i].value<6>(), static_cast<uint64_t>(column(6)));
      const auto top = rows[i].value<4>().Top(1);
      ASSERT_FALSE(top.empty());
      EXPECT_GE(top[0].count, top[0].error);
    }
  }
}

// Every accumulator, nested, and keys of every kind: as bytes and back, in the middle of a log; the same bytes whatever
// the parts; damaged bytes are refused or read as something that can be saved again.
TEST(Composition, AsBytes) {
  using Sums = Aggregate<Count, Sum<f::Bytes>, Mean<f::Bytes>, Min<f::Start>, Max<f::SrcAddr>, First<f::InterfaceId>,
                         Last<f::DstAddr>, Distinct<f::DstAddr>, Distinct<f::InterfaceId>, Rate<f::Bytes>,
                         Where<kRejected, Count>, ApproxDistinct<f::DstAddr>, ApproxQuantile<f::Bytes>>;
  using All = GroupBy<Keys<f::Action, f::Protocol>,
                      Aggregate<GroupBy<Keys<f::SrcAddr, f::InterfaceId>, Sums>, Windows<600, Sum<f::Bytes>>>>;
  using Peers = GroupBy<Keys<f::Protocol>, TopKeys<f::DstAddr, f::Bytes, 64>>;
  SynthOptions options;
  options.records = 2000;
  options.ipv6_share = 0.3;
  const std::string log = *SynthesizeText(options);
  const size_t header = log.find('\n') + 1, cut = log.find('\n', log.size() / 3) + 1;
  const std::string first = log.substr(0, cut), second = log.substr(0, header) + log.substr(cut);
  const auto of = [](const std::string& text, auto* out) {
    ASSERT_TRUE(Scan(Source::Bytes("log", std::string_view(text))).Into(out).ok());
  };
  All whole, a, b;
  of(log, &whole);
  of(first, &a);
  of(second, &b);
  // Places in the input count for first and last: two scans number their sources alike, so merge in both orders only
  // what they see.
  const auto merged = [](const All& x, const All& y) {
    All back;
    EXPECT_EQ(FromBytes(ToBytes(x), &back), StateError::kNone);
    back.Merge(y);
    return ToBytes(back);
  };
  EXPECT_EQ(merged(a, b), merged(b, a));
  All once;
  ASSERT_EQ(FromBytes(ToBytes(whole), &once), StateError::kNone);
  EXPECT_EQ(ToBytes(once), ToBytes(whole));
  EXPECT_EQ(once.Value(), whole.Value());
  Peers peers, again;
  of(log, &peers);
  ASSERT_EQ(FromBytes(ToBytes(peers), &again), StateError::kNone);
  EXPECT_EQ(ToBytes(again), ToBytes(peers));
  EXPECT_EQ(FromBytes(ToBytes(whole), &again), StateError::kOtherKind);
  EXPECT_EQ(FromBytes("VPCX", &again), StateError::kNotAState);
  EXPECT_EQ(FromBytes(ToBytes(peers).substr(0, 60), &again), StateError::kCut);
  const std::string blob = ToBytes(b);
  std::string payload(blob.substr(internal::kStateHead, blob.size() - internal::kStateHead - internal::kStateTail));
  std::mt19937_64 random(9);
  size_t read = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = blob;
    bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    All out;
    EXPECT_NE(FromBytes(bytes, &out), StateError::kNone);
    std::string hurt = payload;  // with the right checksum
    hurt[hurt.size() - 1 - random() % (hurt.size() / 2)] = static_cast<char>(random());
    if (FromBytes(Seal(StateKind::kAccumulator, hurt), &out) != StateError::kNone) continue;
    ++read;
    All more;
    EXPECT_EQ(FromBytes(ToBytes(out), &more), StateError::kNone);
  }
  EXPECT_GT(read, 0u);
}

TEST(Sketches, T18AnyBytesAreReadOrRefused) {
  std::mt19937_64 random(6);
  const auto hurt = [&](auto sketch, const char* name) {
    const std::string saved = Saved(sketch);
    for (int i = 0; i < 3000; ++i) {
      std::string bytes = saved;
      const size_t at = random() % bytes.size();
      if (i % 3 == 0) bytes.resize(at);
      if (i % 3 == 1) bytes[at] = static_cast<char>(random());
      if (i % 3 == 2) bytes.insert(at, 1, static_cast<char>(random()));
      StateReader in(bytes);
      auto read = decltype(sketch)();
      read.Read(&in);
      if (in.ok()) read.Merge(sketch);
    }
    SUCCEED() << name;
  };
  DistinctSketch distinct;
  LogHistogram histogram;
  KllSketch kll;
  SeenBefore seen;
  for (uint64_t i = 0; i < 300; ++i) {
    distinct.Add(SketchHash(i));
    histogram.Add(i * i);
    kll.Add(i * 7);
    seen.Add(i, static_cast<int64_t>(i) * 10'000);
  }
  hurt(distinct, "distinct");
  hurt(histogram, "histogram");
  hurt(kll, "kll");
  hurt(seen, "seen");
}

}  // namespace
}  // namespace vpcflow
