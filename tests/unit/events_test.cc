#include "vpcflow/export/events.h"

#include <set>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using vpcflow_testing::kHeader;
using vpcflow_testing::Line;

Table Records(const std::string& log) {
  PlanSpec spec;
  spec.located = true;
  return Plan::Make(spec)->Run({Source::Bytes("logs/flow.log", std::string_view(log))}, {})->table;
}

std::string Lines(std::string_view schema, const Table& table) {
  absl::StatusOr<EventWriter> writer = EventWriter::Make({.schema = schema});
  return std::string(*writer->Write(table));
}

TEST(Events, OneLineARecordThatIsReadAgain) {
  const std::string log = kHeader + Line("10.0.0.1", 22, 5) + Line("2001:db8::1", 443, 7);
  for (const std::string_view schema : {"ocsf", "ecs"}) {
    const std::string lines = Lines(schema, Records(log));
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
    absl::StatusOr<Result> back = Plan::Make({})->Run({Source::Bytes("events", std::string_view(lines))}, {});
    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_EQ(back->table.rows, 2u);
    for (const auto& [name, value] : {std::pair("srcaddr", "2001:db8::1"), {"dstport", "443"}, {"bytes", "7"}})
      EXPECT_EQ(back->table.columns[*back->table.Find(name)].ToText(1), value) << schema;
  }
}

TEST(Events, AnIdForEachRecordTheSameEachTime) {
  const std::string log = kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.1", 22, 5);
  const auto ids = [&](std::string_view schema) {
    absl::StatusOr<EventWriter> writer = EventWriter::Make({.schema = schema});
    EXPECT_TRUE(writer->Write(Records(log)).ok());
    return writer->Ids();
  };
  const std::string first = ids("ocsf");
  ASSERT_EQ(first.size(), 2 * EventWriter::kIdDigits);
  EXPECT_NE(first.substr(0, EventWriter::kIdDigits), first.substr(EventWriter::kIdDigits));
  EXPECT_EQ(ids("ecs"), first);
  EXPECT_NE(Lines("ocsf", Records(log)).find(first.substr(0, EventWriter::kIdDigits)), std::string::npos);
}

TEST(Events, LinesOfNoJsonForCef) {
  const std::string lines = Lines("cef", Records(kHeader + Line("10.0.0.1", 22, 5)));
  EXPECT_EQ(lines.rfind("CEF:0|AWS|VPC Flow Logs|1|accept|Flow accepted|1| externalId=", 0), 0u) << lines;
}

TEST(Events, WhatIsNotKnown) {
  EXPECT_EQ(ErrorOf(EventWriter::Make({.schema = "ocfs"}).status()).place.suggestion, "ocsf");
  EXPECT_EQ(ErrorKindOf(EventWriter::Make({.version = "2.0.0"}).status()), ErrorKind::kPlan);
  Table table;
  table.rows = 1;
  EXPECT_FALSE(EventWriter::Make({})->Write(table).ok());
}

// Each row of a schema is one value at one place, and no place is written by two rows that can both have a value.
TEST(Events, TablesAreSound) {
  for (const EventSchema& schema : EventSchemas()) {
    std::multiset<std::string_view> constants;
    for (const EventRow& row : schema.rows) {
      EXPECT_TRUE(row.pointer.empty() || row.pointer.front() == '/') << row.pointer;
      if (row.writes.empty() && !row.constant.empty() && !row.pointer.empty()) constants.insert(row.pointer);
      if (!row.reads.empty()) {
        EXPECT_TRUE(FindField(row.reads).has_value()) << row.reads;
      }
    }
    EXPECT_EQ(constants.size(), std::set(constants.begin(), constants.end()).size());
  }
}

}  // namespace
}  // namespace vpcflow
