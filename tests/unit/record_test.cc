// Records: one line's values by field, and filters on them.
#include "unit/testing.h"

namespace vpcflow {
namespace {

TEST(RecordParser, BlanksAndLineEnds) {
  RecordParser parser(Format::UpToVersion(2));
  RecordView record;
  const std::string plain =
      "2 123456789010 eni-1 10.0.0.1 2001:db8::1 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
  std::string tabs = plain, runs = "  " + plain + " \t ";
  for (char& c : tabs) c = c == ' ' ? '\t' : c;
  for (const std::string& line : {plain, plain + "\n", plain + "\r\n", tabs, runs, "\xEF\xBB\xBF" + plain}) {
    ASSERT_EQ(parser.Parse(line, &record), Errc::kOk) << line;
    EXPECT_EQ(record.bytes(), 4249);
    EXPECT_EQ(record.log_status(), LogStatus::kOk);
    EXPECT_EQ(record.version(), 2);
  }
}

TEST(RecordParser, ErrorsOfTheLine) {
  RecordParser parser(Format::Default());
  RecordView record;
  const auto parse = [&](const std::string& line) { return parser.Parse(line, &record); };
  EXPECT_EQ(parse("2 1 eni-1"), Errc::kTooFewFields);
  EXPECT_EQ(parse(""), Errc::kTooFewFields);
  EXPECT_EQ(parse("2 1 e 1.1.1.1 1.1.1.2 1 2 6 1 1 1 1 ACCEPT OK more"), Errc::kTooManyFields);
  EXPECT_EQ(parse(std::string("2 1 e 1.1.1.1 1.1.1.2 1 2 6 1 1 1 1 ACC\0PT OK", 46)), Errc::kControlByte);
  EXPECT_EQ(parse("2 1 e 1.1.1.1 1.1.1.2 1 2\r 6 1 1 1 1 ACCEPT OK"), Errc::kControlByte);
}

TEST(RecordView, NullsAndMalformedValues) {
  RecordParser parser(Format::Default());
  RecordView record;
  const std::string nodata = "2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - NODATA";
  ASSERT_EQ(parser.Parse(nodata, &record), Errc::kOk);
  EXPECT_FALSE(record.srcaddr().has_value());
  EXPECT_FALSE(record.action().has_value());
  EXPECT_FALSE(record.tcp_flags().has_value());  // not in the format
  EXPECT_FALSE(record.is_traffic());
  EXPECT_EQ(record.error(), Errc::kOk);
  const std::string bad = "2 123456789010 eni-1 10.0.0.300 - 70000 - - - - 1431280876 1431280934 - OK";
  ASSERT_EQ(parser.Parse(bad, &record), Errc::kOk);
  EXPECT_FALSE(record.srcport().has_value());
  EXPECT_EQ(record.error(), Errc::kOutOfRange);
  EXPECT_EQ(record.error_field(), Field::kSrcPort);
}

TEST(Record, OwnsWhatTheViewBorrowed) {
  std::vector<Record> kept;
  {
    RecordParser parser(Format::Default());
    std::string line = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
    RecordView record;
    ASSERT_EQ(parser.Parse(line, &record), Errc::kOk);
    kept.emplace_back(record);
    line.assign(line.size(), 'x');
  }
  EXPECT_EQ(ToString(*kept[0]->srcaddr()), "10.0.0.1");
  EXPECT_EQ(kept[0]->interface_id(), "eni-1");
}

// A text that a field takes, of one letter and of more, and one that it does not (none for texts, which take all).
struct Samples {
  std::string one, good, bad;
  std::string literal;  // `good` in the filter language
};
Samples SamplesOf(Field field) {
  switch (field) {  // these have no other values
    case Field::kLogStatus: return {"x", "OK", "", "'OK'"};
    case Field::kFlowDirection: return {"x", "egress", "", "'egress'"};
    case Field::kType: return {"x", "IPv4", "", "'IPv4'"};
    default: break;
  }
  switch (Info(field).kind) {
    case Kind::kAddress: return {"1", "10.1.2.3", "10.1.2.300", "'10.1.2.3'"};
    case Kind::kText: return {"x", "ACCEPT", "", "'ACCEPT'"};
    case Kind::kTime: return {"7", "1795413600", "1795413600x", "1795413600"};
    default: return {"7", "42", "4x2", "42"};
  }
}

Format FormatOf(std::initializer_list<Field> fields) {
  std::string text;
  for (const Field field : fields) text += "${" + std::string(Info(field).name) + "} ";
  Format format;
  FormatError error;
  EXPECT_TRUE(Format::Parse(text, &format, &error)) << error.message;
  return format;
}

template <class F>
void ExpectFieldOfRecord() {
  constexpr Field kField = F::kField;
  const Field other = kField == Field::kBytes ? Field::kPackets : Field::kBytes;
  const Samples samples = SamplesOf(kField);
  const std::string null = "12 -", good = "12 " + samples.good, one = "12 " + samples.one, bad = "12x " + samples.bad;
  RecordView record;
  EXPECT_FALSE(record.get<F>().has_value()) << "of no line";
  EXPECT_EQ(record.text(kField), "");

  RecordParser without(FormatOf({other}));
  ASSERT_EQ(without.Parse("12", &record), Errc::kOk);
  EXPECT_FALSE(record.get<F>().has_value()) << "not in the format";
  EXPECT_TRUE(record.Check(kField));

  RecordParser parser(FormatOf({other, kField}));
  ASSERT_EQ(parser.Parse(null, &record), Errc::kOk);
  EXPECT_FALSE(record.get<F>().has_value());
  EXPECT_TRUE(record.Check(kField)) << "null is fine";
  ASSERT_EQ(parser.Parse(good, &record), Errc::kOk);
  EXPECT_TRUE(record.get<F>().has_value());
  EXPECT_TRUE(record.Check(kField));
  EXPECT_EQ(record.text(kField), samples.good);
  ASSERT_EQ(parser.Parse(one, &record), Errc::kOk);
  EXPECT_EQ(record.get<F>().has_value(), Info(kField).kind != Kind::kAddress);
  if (!samples.bad.empty()) {
    ASSERT_EQ(parser.Parse(bad, &record), Errc::kOk);
    EXPECT_FALSE(record.get<F>().has_value());
    EXPECT_FALSE(record.Check(kField)) << "malformed";
    EXPECT_EQ(record.error_field(), kField);
    EXPECT_FALSE(record.Check(other));
    EXPECT_EQ(record.error_field(), kField) << "the first is told";
    ASSERT_EQ(parser.Parse(bad, &record), Errc::kOk);
    EXPECT_FALSE(record.Check(other));
    EXPECT_FALSE(record.get<F>().has_value());
    EXPECT_EQ(record.error_field(), other);
  }

  const Format format = FormatOf({kField});
  const auto shared = std::make_shared<const Format>(format);
  const uint32_t begin = 0, end = 0;
  record.Reset("", {&begin, &end, 0}, &shared);
  EXPECT_FALSE(record.get<F>().has_value()) << "an empty text is null";
}

TEST(RecordView, EveryFieldAbsentNullGoodAndMalformed) {
#define VPCFLOW_X(Id, getter, name, version, set, field_type, unit, always, meaning) \
  {                                                                                  \
    SCOPED_TRACE(name);                                                              \
    ExpectFieldOfRecord<f::Id>();                                                    \
  }
  VPCFLOW_FIELDS(VPCFLOW_X)
#undef VPCFLOW_X
  RecordView none;
  EXPECT_TRUE(none.Check(Field::kUnknown));
}

TEST(RecordView, FiltersOfEveryFieldSeeWhatPlansSee) {
  for (size_t i = 0; i < kFieldCount; ++i) {
    const auto field = static_cast<Field>(i);
    const Field other = field == Field::kBytes ? Field::kPackets : Field::kBytes;
    const Samples samples = SamplesOf(field);
    const std::string odd = samples.bad.empty() ? "-" : samples.bad;  // a reject
    const std::vector<std::string> lines = {"1 " + samples.good, "2 -", "3 " + samples.one, "4 " + odd};
    const std::string name(Info(field).name), is_it = name + " = " + samples.literal;
    for (const std::string& where : {is_it, "not " + is_it, name + " is null", name + " is not null",
                                     name + " in (" + samples.literal + ")", name + " = " + name}) {
      const absl::StatusOr<Filter> filter = Filter::Parse(where);
      ASSERT_TRUE(filter.ok()) << filter.status();
      for (const bool has : {true, false}) {
        const std::string of_others(Info(other).name);
        std::string log = of_others + (has ? " " + name : "") + "\n";
        for (const std::string& line : lines) log += line.substr(0, has ? line.size() : 1) + "\n";
        PlanSpec plan;
        plan.where = where;
        plan.allow_missing = true;
        plan.select = {of_others};
        std::string expected;
        RecordParser parser(has ? FormatOf({other, field}) : FormatOf({other}));
        RecordView record;
        for (const std::string& line : lines) {
          ASSERT_EQ(parser.Parse(std::string_view(line).substr(0, has ? line.size() : 1), &record), Errc::kOk);
          const bool passes = filter->Matches(record);
          if (record.error() != Errc::kOk || !passes) continue;
          std::string column(Info(other).getter);
          expected += "{\"" + column + "\": " + line.substr(0, 1) + "}\n";
        }
        EXPECT_EQ(vpcflow_testing::RunToJson(plan, {Source::Bytes("log", std::string_view(log))}), expected)
            << where << "\n"
            << log;
      }
    }
  }
}

}  // namespace
}  // namespace vpcflow
