// Kinds of errors: carried from where they are made, kept on the way, and read again.
#include "vpcflow/error/error.h"

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;
using vpcflow_testing::kHeader;

TEST(Error, ThePayloadComesBackAsItWas) {
  const ErrorPlace place{.field = "srcaddr",
                         .suggestion = "dstaddr",
                         .source = "a.log",
                         .line = 7,
                         .byte_offset = uint64_t{1} << 40,
                         .column = 3,
                         .reason = "out-of-range",
                         .position = 0};
  for (const ErrorKind kind : {ErrorKind::kFormat, ErrorKind::kReject, ErrorKind::kCancelled}) {
    const absl::Status status = MakeError(kind, "what failed", place);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.message(), "what failed");
    const Error error = ErrorOf(WithMessage(status, "a.log: what failed"));
    EXPECT_EQ(error.kind, kind);
    EXPECT_EQ(error.place.field, place.field);
    EXPECT_EQ(error.place.suggestion, place.suggestion);
    EXPECT_EQ(error.place.source, place.source);
    EXPECT_EQ(error.place.line, place.line);
    EXPECT_EQ(error.place.byte_offset, place.byte_offset);
    EXPECT_EQ(error.place.column, place.column);
    EXPECT_EQ(error.place.reason, place.reason);
    EXPECT_EQ(error.place.position, place.position);
  }
  EXPECT_EQ(ErrorOf(MakeError(ErrorKind::kPlan, "")).place.position, std::nullopt);
}

TEST(Error, StatusesOfOthersGoByTheirCode) {
  EXPECT_EQ(ErrorKindOf(absl::NotFoundError("")), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorKindOf(absl::DataLossError("")), ErrorKind::kDamaged);
  EXPECT_EQ(ErrorKindOf(absl::ResourceExhaustedError("")), ErrorKind::kMemory);
  EXPECT_EQ(ErrorKindOf(absl::CancelledError("")), ErrorKind::kCancelled);
  EXPECT_EQ(ErrorKindOf(absl::InvalidArgumentError("")), ErrorKind::kSource);
  absl::Status foreign = absl::UnavailableError("");
  foreign.SetPayload("vpcflow.dev/error", absl::Cord("no payload of ours"));
  EXPECT_EQ(ErrorKindOf(foreign), ErrorKind::kSource);
  EXPECT_TRUE(WithKind(absl::OkStatus(), ErrorKind::kPlan).ok());
  EXPECT_EQ(ErrorOf(WithSource(absl::DataLossError("cut"), "a.gz")).place.source, "a.gz");
  EXPECT_EQ(ErrorOf(WithSource(absl::DataLossError("cut"), "a.gz")).kind, ErrorKind::kDamaged);
}

ErrorKind KindOf(const PlanSpec& spec) {
  const absl::StatusOr<Plan> plan = Plan::Make(spec);
  EXPECT_FALSE(plan.ok());
  return plan.ok() ? ErrorKind::kCancelled : ErrorKindOf(plan.status());
}

// One rule: a name that is no field is kField, a name that is no column of the result kPlan, wherever it stands.
TEST(Error, PlansTellFieldsFromColumns) {
  const std::vector<std::pair<std::string, std::string>> count = {{"n", "count()"}};
  EXPECT_EQ(KindOf({.where = "actoin = 'REJECT'"}), ErrorKind::kField);
  EXPECT_EQ(KindOf({.select = {"byts"}}), ErrorKind::kField);
  EXPECT_EQ(KindOf({.by = {"srcadr"}}), ErrorKind::kField);
  EXPECT_EQ(KindOf({.aggs = {{"n", "sum(byts)"}}}), ErrorKind::kField);
  EXPECT_EQ(KindOf({.aggs = {{"n", "count() where actoin = 'REJECT'"}}}), ErrorKind::kField);
  EXPECT_EQ(KindOf({.aggs = count, .having = {"m > 1"}}), ErrorKind::kPlan);
  EXPECT_EQ(KindOf({.aggs = count, .sort = {{"unknown field"}}}), ErrorKind::kPlan);
  EXPECT_EQ(KindOf({.aggs = count, .top = TopSpec{.n = 3, .by = "m"}}), ErrorKind::kPlan);
  EXPECT_EQ(KindOf({.where = "action = 'DENY'"}), ErrorKind::kFilter);
  EXPECT_EQ(KindOf({.aggs = {{"n", "count() where action ="}}}), ErrorKind::kFilter);

  const absl::Status status = Plan::Make({.aggs = {{"n", "count() where bytes > 5 and actoin = 'x'"}}}).status();
  const ErrorPlace place = ErrorOf(status).place;
  EXPECT_EQ(place.field, "actoin");
  EXPECT_EQ(place.suggestion, "action");
  EXPECT_EQ(place.position, 28u);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\n  count() where bytes > 5 and actoin = 'x'\n"
                                                       "                              ^"));
  EXPECT_EQ(ErrorOf(Plan::Make({.where = "action = 'DENY'"}).status()).place.suggestion, "REJECT");
}

TEST(Error, RunsTellTheirSourcesAndLines) {
  const std::string log = kHeader + "no record\n" + vpcflow_testing::Line("10.0.0.1", 22, 5);
  ScanOptions stop;
  stop.on_error = OnError::kStop;
  const Plan plan = *Plan::Make({.aggs = {{"n", "count()"}}});
  const absl::Status rejected = plan.Run({Source::Bytes("a.log", std::string_view(log))}, stop).status();
  EXPECT_EQ(ErrorKindOf(rejected), ErrorKind::kReject);
  EXPECT_FALSE(absl::IsDataLoss(rejected)) << "of damaged data alone";
  EXPECT_EQ(ErrorOf(rejected).place.source, "a.log");
  EXPECT_EQ(ErrorOf(rejected).place.line, 2u);
  EXPECT_EQ(ErrorOf(rejected).place.reason, "too-few-fields");

  EXPECT_EQ(ErrorKindOf(plan.Run({Source::Bytes("a.log", std::string_view())}, {}).status()), ErrorKind::kNoRecords);
  const absl::Status absent = plan.Run({Source::File("/no/such.log")}, {}).status();
  EXPECT_EQ(ErrorKindOf(absent), ErrorKind::kNotFound);
  EXPECT_EQ(ErrorOf(absent).place.source, "/no/such.log");
  const Plan missing = *Plan::Make({.by = {"az-id"}});
  EXPECT_EQ(ErrorKindOf(missing.Run({Source::Bytes("a.log", std::string_view(log))}, {}).status()),
            ErrorKind::kMissingField);
  EXPECT_EQ(ErrorKindOf(Aggregation::FromBytes("no state").status()), ErrorKind::kState);
  EXPECT_EQ(ErrorKindOf(SynthesizeText({.plant = {"nonsense"}}).status()), ErrorKind::kSynth);
}

}  // namespace
}  // namespace vpcflow
