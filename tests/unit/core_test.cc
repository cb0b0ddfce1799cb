// The header-only core's smaller faces, as a C++ user meets them.
#include <limits>

#include "unit/testing.h"
#include "vpcflow/sketch/accumulators.h"
#include "vpcflow/sketch/seen_before.h"

namespace vpcflow {
namespace {

// What the headers work out when they are compiled gives the same when it runs.
TEST(Core, TablesOfConstants) {
  EXPECT_EQ(internal::MakeHexValues(), internal::kHexValues);
  const std::array<Field, 1> first = {Field::kBytes};
  const std::array<Field, 2> second = {Field::kStart, Field::kEnd};
  EXPECT_THAT(internal::Joined(first, second), testing::ElementsAre(Field::kBytes, Field::kStart, Field::kEnd));
  EXPECT_THAT(Helpful("there is no volume", {Field::kBytes}).any_of,
              testing::ElementsAre(Field::kBytes, Field::kUnknown, Field::kUnknown));
  EXPECT_EQ(StateErrorText(static_cast<StateError>(99)), "");
  SeenBefore seen(86'400, 30);
  EXPECT_EQ(seen.bytes(), 0u);
  seen.Add(1, 0);
  EXPECT_GT(seen.bytes(), 0u);
}

TEST(Capabilities, OfTheDefaultFormatAndOfWhatIsRecommended) {
  const auto verdict_of = [](const Format& format, std::string_view analysis) {
    for (const Capability& c : Capabilities(format)) {
      if (c.analysis == analysis) return c.verdict;
    }
    ADD_FAILURE() << analysis;
    return Verdict::kImpossible;
  };
  EXPECT_EQ(verdict_of(Format::Default(), "visibility"), Verdict::kExact);
  EXPECT_NE(verdict_of(Format::Default(), "nat_attribution"), Verdict::kExact);
  Format recommended;
  ASSERT_TRUE(RecommendedFormat({"nat_attribution", "cost"}, &recommended));
  EXPECT_EQ(verdict_of(recommended, "nat_attribution"), Verdict::kExact);
  EXPECT_EQ(verdict_of(recommended, "cost"), Verdict::kExact);
  EXPECT_FALSE(RecommendedFormat({"fortune_telling"}, &recommended));
  ASSERT_TRUE(RecommendedFormat({}, &recommended)) << "for everything";
  for (const Capability& c : Capabilities(recommended)) EXPECT_EQ(c.verdict, Verdict::kExact) << c.analysis;
  Format nothing;
  for (const Capability& c : Capabilities(nothing)) {
    EXPECT_NE(c.verdict, Verdict::kExact) << c.analysis;
    EXPECT_FALSE(c.why.empty());
    EXPECT_FALSE(c.add.empty());
  }
}

TEST(StateErrorText, EachIsASentence) {
  EXPECT_EQ(StateErrorText(StateError::kNone), "");
  for (const StateError error : {StateError::kNotAState, StateError::kOtherKind, StateError::kNewerVersion,
                                 StateError::kCut, StateError::kChecksum, StateError::kContent})
    EXPECT_GT(StateErrorText(error).size(), 20u);
}

TEST(RecordParser, AByteOrderMarkAloneIsNoField) {
  RecordParser parser(Format::UpToVersion(2));
  RecordView record;
  const std::string line =
      "\xEF\xBB\xBF 2 1 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
  ASSERT_EQ(parser.Parse(line, &record), Errc::kOk);
  EXPECT_EQ(record.version(), 2);
  EXPECT_EQ(parser.format(), Format::Default());
  EXPECT_EQ(&record.format(), record.shared_format().get());
  EXPECT_EQ(record.text(Field::kVpcId), "");
}

TEST(Coverage, RecordsWithoutATimeAreCounted) {
  Format format;
  FormatError error;
  ASSERT_TRUE(Format::Parse("interface-id start end log-status", &format, &error));
  RecordParser parser(format);
  RecordView record;
  Coverage coverage;
  for (const char* line : {"eni-1 - - OK", "eni-1 60 119 OK", "eni-1 120 - NODATA"}) {
    ASSERT_EQ(parser.Parse(std::string_view(line), &record), Errc::kOk);
    coverage.Update(record);
  }
  EXPECT_EQ(coverage.without_time(), 1u);
}

TEST(Position, Order) {
  const Position a{0, 5}, b{0, 6}, c{1, 0};
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  EXPECT_EQ(a, (Position{0, 5}));
  EXPECT_GT(c, a);
}

// Half of the registers at their highest rank: the estimator's other end.
TEST(DistinctSketch, RegistersThatAreFull) {
  DistinctSketch sketch;
  for (uint64_t i = 0; i < 4096; i += 2) sketch.Add(i << 52);
  const uint64_t half = sketch.Estimate();
  EXPECT_GT(half, 1'000u);
  for (uint64_t i = 1; i < 4096; i += 2) sketch.Add(i << 52 | uint64_t{1} << 51);
  EXPECT_GT(sketch.Estimate(), half);
  for (uint64_t i = 1; i < 4096; i += 2) sketch.Add(i << 52);
  EXPECT_EQ(sketch.Estimate(), std::numeric_limits<uint64_t>::max());
}

TEST(KllSketch, RanksAndQuantilesAgree) {
  KllSketch sketch(200), empty;
  EXPECT_EQ(empty.Rank(5), 0);
  EXPECT_FALSE(empty.Quantile(0.5).has_value());
  for (uint64_t v = 0; v < 10'000; ++v) sketch.Add(v * 7 % 10'000);
  for (const double q : {0.0, 0.01, 0.5, 0.99, 1.0}) {
    const double rank = sketch.Rank(*sketch.Quantile(q));
    EXPECT_NEAR(rank, q, 0.03);
  }
  EXPECT_EQ(sketch.Rank(10'000), 1);
  EXPECT_EQ(sketch.count(), 10'000u);
  EXPECT_LT(sketch.bytes(), size_t{64} * 1024);
}

TEST(LogHistogram, CountsAndEnds) {
  LogHistogram histogram;
  EXPECT_FALSE(histogram.Quantile(1).has_value());
  for (uint64_t v = 1; v <= 1000; ++v) histogram.Add(v);
  EXPECT_EQ(histogram.count(), 1000u);
  EXPECT_NEAR(static_cast<double>(*histogram.Quantile(1)), 1000, 5);
  EXPECT_EQ(*histogram.Quantile(0), 1u);
}

TEST(HeavyHitters, MemoryIsOfItsCounters) {
  HeavyHitters<uint64_t> hitters(100);
  for (uint64_t i = 0; i < 100'000; ++i) hitters.Add(i, 1);
  EXPECT_LT(hitters.bytes(), size_t{100} * 1024);
  EXPECT_GT(hitters.bytes(), 0u);
}

}  // namespace
}  // namespace vpcflow
