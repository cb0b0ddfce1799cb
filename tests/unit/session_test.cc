#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kHead =
    "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags flow-direction\n";

Plan SessionPlan() {
  PlanSpec spec;
  spec.sessions.emplace();
  return *Plan::Make(spec);
}

Result SessionsOf(const std::string& log) {
  return *SessionPlan().Run({Source::Bytes("log", std::string_view(log))}, {});
}

std::string TextOf(const Table& table, std::string_view name, size_t row) {
  const TableColumn& column = table.columns[*table.Find(name)];
  return column.i32[row] == kNullCode ? "-" : column.texts[static_cast<size_t>(column.i32[row])];
}

int32_t NumberOf(const Table& table, std::string_view name, size_t row) {
  return table.columns[*table.Find(name)].i32[row];
}

TEST(Sessions, RejectedAtTheTarget) {
  const std::string leaves = "eni-a 10.0.0.1 10.0.0.2 40000 443 6 1 60 100 110 ACCEPT 2 egress\n";
  const std::string arrives = "eni-b 10.0.0.1 10.0.0.2 40000 443 6 1 60 100 110 REJECT 2 ingress\n";
  EXPECT_EQ(TextOf(SessionsOf(kHead + leaves + arrives).table, "state", 0), "rejected");
  EXPECT_EQ(TextOf(SessionsOf(kHead + arrives + leaves).table, "state", 0), "rejected");
  EXPECT_EQ(TextOf(SessionsOf(kHead + leaves).table, "state", 0), "unanswered");
  EXPECT_EQ(TextOf(SessionsOf(kHead + leaves).table, "conn_state", 0), "S0");
}

TEST(Sessions, WhoeverIsLower) {
  for (const auto& [a, b] : {std::pair{"10.0.0.1", "200.0.0.2"}, std::pair{"200.0.0.2", "10.0.0.1"}}) {
    const auto says = [](const std::string& from, int port, const std::string& to, int to_port) {
      return "eni-a " + from + " " + to + " " + std::to_string(port) + " " + std::to_string(to_port) +
             " 17 2 200 100 110 ACCEPT 0 -\n";
    };
    const Table answer = SessionsOf(kHead + says(a, 53, b, 3389)).table;
    EXPECT_EQ(ToString(answer.columns[0].addresses[0]), b);
    EXPECT_EQ(NumberOf(answer, "client_known", 0), 1);
    const Table unknown = SessionsOf(kHead + says(a, 45'000, b, 46'000) + says(b, 46'000, a, 45'000)).table;
    EXPECT_EQ(ToString(unknown.columns[0].addresses[0]), a);
    EXPECT_EQ(NumberOf(unknown, "client_known", 0), 0);
    EXPECT_EQ(TextOf(unknown, "decided_by", 0), "none");
  }
}

// The warning is in the report of a plan, and an aggregation has it in whatever parts it came.
TEST(Sessions, LogsOfOneDirection) {
  std::string log = kHead;
  for (int i = 0; i < 9; ++i) {
    log += "eni-a 10.0.0.1 10.0.0.2 " + std::to_string(40'000 + i) + " 443 6 30 6000 100 110 ACCEPT 3 egress\n";
    log += "eni-a 10.0.0.1 10.0.0.3 " + std::to_string(40'000 + i) + " 443 6 1 60 100 110 ACCEPT 2 egress\n";
  }
  const Result result = SessionsOf(log);
  ASSERT_THAT(result.report.warnings, ElementsAre(HasSubstr("one direction only: every accepted record is egress")));
  for (size_t row = 0; row < result.table.rows; ++row) {
    EXPECT_EQ(TextOf(result.table, "state", row), "one-way");
    EXPECT_EQ(NumberOf(result.table, "answered", row), kNullInt32);
  }
  Aggregation part = *Aggregation::Make(SessionPlan()), rest = *Aggregation::Make(SessionPlan());
  EXPECT_THAT(part.Warning(), IsEmpty());
  ASSERT_TRUE(part.Update({Source::Bytes("log", std::string_view(log))}, {}).ok());
  ASSERT_TRUE(rest.Merge(*Aggregation::FromBytes(part.ToBytes())).ok());
  EXPECT_EQ(rest.Warning(), result.report.warnings[0]);
  ASSERT_TRUE(rest.TakeIdle(1'000'000).ok());
  EXPECT_EQ(rest.Warning(), result.report.warnings[0]);
  const std::string answer = "eni-a 10.0.0.2 10.0.0.1 443 40000 6 30 6000 100 110 ACCEPT 19 ingress\n";
  EXPECT_THAT(SessionsOf(log + answer).report.warnings, IsEmpty());
}

TEST(Sessions, NoOtherVersion) {
  Aggregation one = *Aggregation::Make(SessionPlan());
  const std::string blob = one.ToBytes();
  std::string payload = blob.substr(16, blob.size() - 24);
  ASSERT_EQ(payload[1], 3);  // behind the empty filter
  payload[1] = 4;
  EXPECT_THAT(Aggregation::FromBytes(Seal(StateKind::kAggregation, payload)).status().ToString(),
              HasSubstr("written by a newer version"));
  payload[1] = 3;
  EXPECT_THAT(Aggregation::FromBytes(Seal(StateKind::kAggregation, payload)).status().ToString(),
              Not(HasSubstr("newer")));
}

// Tries at one service: of many hosts one each, of one host three.
std::string ManyTries(int hosts) {
  std::string log = kHead;
  for (int i = 0; i < hosts; ++i) {
    log += "eni-a 198.51." + std::to_string(i / 200) + "." + std::to_string(i % 200) +
           " 10.0.0.2 40000 443 6 1 60 100 110 REJECT 2 ingress\n";
  }
  for (const char* port : {"1", "2", "3"})
    log += std::string("eni-a 203.0.113.1 10.0.0.2 ") + port + " 443 6 1 60 100 110 REJECT 2 ingress\n";
  return log;
}

Table Folded(const std::vector<std::string>& logs, uint64_t above) {
  PlanSpec spec;
  spec.sessions = SessionSpec{.ordered = false, .fold_above = above, .fold_not = {"10.0.0.0/8"}};
  Aggregation all = *Aggregation::Make(*Plan::Make(spec));
  for (const std::string& log : logs) EXPECT_TRUE(all.Update({Source::Bytes("log", std::string_view(log))}, {}).ok());
  return all.Value();
}

TEST(FoldedSessions, AreCounts) {
  const Table table = Folded({ManyTries(100)}, 50);
  ASSERT_GE(table.rows, 5u);
  const auto number = [&](const char* name, size_t row) { return table.columns[*table.Find(name)].i64[row]; };
  const size_t last = table.rows - 1;
  EXPECT_EQ(TextOf(table, "state", last), "-");
  EXPECT_EQ(NumberOf(table, "server", last), kNullCode);
  EXPECT_EQ(NumberOf(table, "counted", last), 0);
  EXPECT_EQ(number("sources", last), number("records", last));  // few enough to be counted
  EXPECT_EQ(static_cast<size_t>(number("records", last)) + table.rows - 2, 103u);
  EXPECT_EQ(NumberOf(table, "server_port", last - 1), 443);
  EXPECT_EQ(number("sources", last - 1), number("sources", last));
  EXPECT_EQ(number("start", last - 1), 100 * kMicrosPerSecond);
  size_t thrice = 0;
  for (size_t row = 0; row + 2 < table.rows; ++row) {
    EXPECT_EQ(number("sources", row), kNullInt64);
    const TableColumn& clients = table.columns[*table.Find("client")];
    thrice += ToString(clients.addresses[static_cast<size_t>(clients.i32[row])]) == "203.0.113.1" ? 1 : 0;
  }
  EXPECT_EQ(thrice, 3u);
}

TEST(FoldedSessions, AreNoneBelowTheLimit) {
  const Table table = Folded({ManyTries(100)}, 103);
  EXPECT_EQ(table.rows, 103u);
  EXPECT_EQ(table.columns[*table.Find("sources")].i64[0], kNullInt64);
}

// What comes later of the same ends makes a try whole again.
TEST(FoldedSessions, AnswersAreStillAnswers) {
  const std::string asked = "eni-a 198.51.0.7 10.0.0.9 40000 53 17 1 60 100 110 ACCEPT - ingress\n";
  const std::string answered = "eni-a 10.0.0.9 198.51.0.7 53 40000 17 1 60 101 111 ACCEPT - egress\n";
  const Table table = Folded({ManyTries(100) + asked, ManyTries(0) + kHead + answered}, 20);
  size_t established = 0;
  for (size_t row = 0; row < table.rows; ++row) established += TextOf(table, "state", row) == "established" ? 1 : 0;
  EXPECT_EQ(established, 1u);
}

TEST(FoldedSessions, AreSavedWhole) {
  PlanSpec spec;
  spec.sessions = SessionSpec{.fold_above = 20};
  Aggregation folded = *Aggregation::Make(*Plan::Make(spec)), whole = *Aggregation::Make(SessionPlan());
  const std::string log = ManyTries(100);
  for (Aggregation* one : {&folded, &whole})
    ASSERT_TRUE(one->Update({Source::Bytes("log", std::string_view(log))}, {}).ok());
  EXPECT_LT(folded.Value().rows, 90u);
  EXPECT_EQ(folded.ToBytes(), whole.ToBytes());
}

}  // namespace
}  // namespace vpcflow
