#include <map>
#include <random>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;
using vpcflow_testing::RunToJson;

std::string Answer(const PlanSpec& spec, const std::string& log) {
  return RunToJson(spec, {Source::Bytes("log", std::string_view(log))});
}

TEST(Plan, SpreadAddsUpAndFollowsTime) {
  // 120 bytes over [30, 150): 30 s in the first minute, 60 in the second, 30 in the third.
  const std::string log = kHeader + Line("10.0.0.1", 22, 120, 30, 150);
  PlanSpec spec;
  spec.every = 60;
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}};
  EXPECT_EQ(Answer(spec, log),
            "{\"time\": 0, \"n\": 1, \"bytes\": 30}\n{\"time\": 60, \"n\": 0, \"bytes\": 60}\n{\"time\": 120, \"n\": "
            "0, \"bytes\": 30}\n");
  spec.bin_by = BinBy::kStart;
  EXPECT_EQ(Answer(spec, log), "{\"time\": 0, \"n\": 1, \"bytes\": 120}\n");
}

TEST(Plan, SpreadKeepsEveryByteOfRandomRecords) {
  std::mt19937 random(4);
  std::string log = kHeader;
  uint64_t total = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto start = static_cast<int64_t>(random() % 3000), bytes = static_cast<int64_t>(random() % 1'000'003);
    log += Line("10.0.0.1", 22, bytes, start, start - 10 + static_cast<int64_t>(random() % 700));
    total += static_cast<uint64_t>(bytes);
  }
  for (int64_t every : {1, 7, 60, 600, 86400}) {
    PlanSpec spec;
    spec.every = every;
    spec.aggs = {{"bytes", "sum(bytes)"}};
    absl::StatusOr<Result> result = Plan::Make(spec)->Run({Source::Bytes("l", std::string_view(log))}, {});
    uint64_t sum = 0;
    for (int64_t bytes : result->table.columns[1].i64) sum += static_cast<uint64_t>(bytes);
    EXPECT_EQ(sum, total) << every;
  }
}

TEST(Plan, ARecordOverTooManyBinsIsNotSpread) {
  PlanSpec spec;
  spec.every = 1;
  spec.aggs = {{"bytes", "sum(bytes)"}};
  Report report;
  const std::string log = kHeader + Line("10.0.0.1", 22, 5, 1, 2'000'000'000);
  EXPECT_EQ(RunToJson(spec, {Source::Bytes("l", std::string_view(log))}, {}, &report), "{\"time\": 1, \"bytes\": 5}\n");
  EXPECT_EQ(report.unspread, 1u);
}

TEST(Plan, TopWithOther) {
  std::string log = kHeader;
  for (int i = 1; i <= 6; ++i) log += Line("10.0.0." + std::to_string(i), i % 2, i * 10);
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {
      {"bytes", "sum(bytes)"}, {"ports", "n_unique(dstport)"}, {"who", "last(srcaddr)"}, {"least", "min(bytes)"}};
  spec.top = TopSpec{2, "bytes", true};
  EXPECT_EQ(
      Answer(spec, log),
      "{\"srcaddr\": \"10.0.0.6\", \"bytes\": 60, \"ports\": 1, \"who\": \"10.0.0.6\", \"least\": 60, \"other\": "
      "false}\n"
      "{\"srcaddr\": \"10.0.0.5\", \"bytes\": 50, \"ports\": 1, \"who\": \"10.0.0.5\", \"least\": 50, \"other\": "
      "false}\n"
      "{\"srcaddr\": null, \"bytes\": 100, \"ports\": 2, \"who\": \"10.0.0.4\", \"least\": 10, \"other\": true}\n");
  spec.top->n = 6;
  EXPECT_THAT(Answer(spec, log), ::testing::Not(HasSubstr("true")));
}

// A batch's dictionary is thrown away when it is full; nothing of that may be seen.
TEST(Plan, MoreTextsThanADictionaryHolds) {
  constexpr int kIds = 150'000;
  std::string log = "interface-id bytes start\n";
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kIds; ++i) log += "eni-" + std::to_string(1'000'000 + i) + " " + std::to_string(i) + " 1000\n";
  }
  const std::vector<Source> sources = {Source::Bytes("x", std::string_view(log))};
  for (int threads : {1, 3}) {
    ScanOptions options;
    options.threads = threads;
    PlanSpec groups;
    groups.by = {"interface-id"};
    groups.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"who", "last(interface-id)"}};
    absl::StatusOr<Result> result = Plan::Make(groups)->Run(sources, options);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->table.rows, size_t{kIds});
    for (size_t i = 0; i < kIds; ++i) {
      const std::string id = "eni-" + std::to_string(1'000'000 + i);
      ASSERT_EQ(result->table.columns[0].ToText(i), id);
      ASSERT_EQ(result->table.columns[1].i64[i], 2);
      ASSERT_EQ(result->table.columns[2].i64[i], static_cast<int64_t>(2 * i));
      ASSERT_EQ(result->table.columns[3].ToText(i), id);
    }
    result = Plan::Make({})->Run(sources, options);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->table.rows, size_t{2 * kIds});
    EXPECT_EQ(result->table.columns[0].texts.size(), size_t{kIds});
    for (size_t i = 0; i < 2 * kIds; ++i)
      ASSERT_EQ(result->table.columns[0].ToText(i), "eni-" + std::to_string(1'000'000 + i % kIds));
    PlanSpec some;
    some.where = "interface_id = 'eni-1000007' or interface_id = 'eni-1149999'";
    some.aggs = {{"n", "count()"}};
    result = Plan::Make(some)->Run(sources, options);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->table.columns[0].i64[0], 4);
  }
}

TEST(Plan, TiesGoByKeyAsText) {
  std::string log = kHeader;
  for (const char* ip : {"10.0.0.9", "10.0.0.10", "9.0.0.1", "2001:db8::1", "-"}) log += Line(ip, 22, 5);
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"n", "count()"}};
  const std::string want =
      "{\"srcaddr\": \"10.0.0.10\", \"n\": 1}\n{\"srcaddr\": \"10.0.0.9\", \"n\": 1}\n{\"srcaddr\": \"2001:db8::1\", "
      "\"n\": 1}\n"
      "{\"srcaddr\": \"9.0.0.1\", \"n\": 1}\n{\"srcaddr\": null, \"n\": 1}\n";
  EXPECT_EQ(Answer(spec, log), want);
  spec.top = TopSpec{10, "n", false};
  EXPECT_EQ(Answer(spec, log), want);
}

TEST(Plan, ManyKeysEqualTheObviousCount) {
  std::mt19937 random(9);
  std::string log = kHeader;
  std::map<std::string, int> want;
  const std::string addresses[] = {"10.0.0.1", "2001:db8::1", "-", "255.255.255.255"};
  for (int i = 0; i < 3000; ++i) {
    const std::string src = addresses[random() % 4], port = std::to_string(random() % 3 * 32767),
                      bytes = random() % 2 ? "9223372036854775807" : "0";
    const std::string eni = "eni-" + std::to_string(random() % 3);
    log += "2 - " + eni + " " + src + " - - " + port + " 6 - " + bytes + " 1 2 ACCEPT OK\n";
    ++want[eni + src + port + bytes];
  }
  PlanSpec spec;
  spec.by = {"interface_id", "srcaddr", "dstport", "bytes", "dstaddr", "protocol"};
  spec.aggs = {{"n", "count()"}};
  absl::StatusOr<Result> result = Plan::Make(spec)->Run({Source::Bytes("l", std::string_view(log))}, {});
  ASSERT_TRUE(result.ok());
  const Table& t = result->table;
  ASSERT_EQ(t.rows, want.size());
  for (size_t i = 0; i < t.rows; ++i) {
    const std::string key = t.columns[0].ToText(i) + (t.columns[1].is_null(i) ? "-" : t.columns[1].ToText(i)) +
                            t.columns[2].ToText(i) + t.columns[3].ToText(i);
    EXPECT_EQ(t.columns[6].i64[i], want[key]) << key;
  }
}

TEST(Plan, SumsBeyond63BitsStayExact) {
  std::string log = kHeader;
  for (int i = 0; i < 3; ++i) log += Line("10.0.0.1", 22, INT64_MAX);
  PlanSpec spec;
  spec.aggs = {{"bytes", "sum(bytes)"}, {"mean", "mean(bytes)"}};
  EXPECT_THAT(Answer(spec, log), HasSubstr("\"bytes\": 27670116110564327421"));
}

TEST(Plan, EmptyInputs) {
  PlanSpec spec;
  spec.aggs = {{"n", "count()"},
               {"bytes", "sum(bytes)"},
               {"max", "max(bytes)"},
               {"mean", "mean(bytes)"},
               {"first", "first(srcaddr)"}};
  EXPECT_EQ(Answer(spec, ""), "{\"n\": 0, \"bytes\": 0, \"max\": null, \"mean\": null, \"first\": null}\n");
  EXPECT_EQ(Answer(spec, kHeader), "{\"n\": 0, \"bytes\": 0, \"max\": null, \"mean\": null, \"first\": null}\n");
  spec.by = {"srcaddr"};
  EXPECT_EQ(Answer(spec, kHeader), "");
}

TEST(Plan, SelectionsKeepTheOrderOfTheInput) {
  std::string log = kHeader;
  for (int i = 0; i < 5000; ++i) log += Line("10.0.0." + std::to_string(i % 200), i, i);
  PlanSpec spec;
  spec.select = {"dstport", "srcaddr", "action"};
  spec.where = "bytes >= 100";
  ScanOptions options;
  options.threads = 3;
  options.block_bytes = 1000;
  absl::StatusOr<Result> result = Plan::Make(spec)->Run(
      {Source::Bytes("a", std::string_view(log)), Source::Bytes("b", std::string_view(log))}, options);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->table.rows, 9800u);
  for (size_t i = 0; i < 9800; ++i) ASSERT_EQ(result->table.columns[0].i32[i], static_cast<int>(100 + i % 4900));
  EXPECT_EQ(result->table.columns[1].addresses.size(), 200u);
  EXPECT_EQ(ToString(result->table.columns[1].addresses[0]),
            "10.0.0.100");  // in order of appearance, whatever the threads
  spec.limit = 3;
  EXPECT_EQ(Answer(spec, log),
            "{\"dstport\": 100, \"srcaddr\": \"10.0.0.100\", \"action\": \"ACCEPT\"}\n{\"dstport\": 101, \"srcaddr\": "
            "\"10.0.0.101\", \"action\": \"ACCEPT\"}\n"
            "{\"dstport\": 102, \"srcaddr\": \"10.0.0.102\", \"action\": \"ACCEPT\"}\n");
}

TEST(Plan, BatchesAreTheSelectionInPieces) {
  std::string log = kHeader;
  for (int i = 0; i < 5000; ++i) log += Line("10.0.0.1", i, i);
  PlanSpec spec;
  spec.select = {"dstport"};
  spec.limit = 4500;
  BatchReader reader(*Plan::Make(spec), {Source::Bytes("a", std::string_view(log))}, {});
  int next = 0;
  while (true) {
    absl::StatusOr<Table> batch = reader.Next(1000);
    ASSERT_TRUE(batch.ok());
    if (batch->rows == 0) break;
    for (int32_t port : batch->columns[0].i32) ASSERT_EQ(port, next++);
  }
  EXPECT_EQ(next, 4500);
}

// Enough different values that threads count those of the last one together, without keeping them.
TEST(Plan, DistinctCountsOfManyValuesDoNotDependOnThreads) {
  std::string log = "srcaddr dstaddr dstport bytes start end interface-id\n";
  for (uint32_t i = 0; i < 240'000; ++i) {
    const uint32_t v = i * 2654435761u >> 8;
    const std::string host = v % 50 == 0 ? "2001:db8::" + std::to_string(v % 9999) : ToString(Ip::V4(v % 180'000));
    log += "10.0.0." + std::to_string(i % 200) + " " + host + " " + std::to_string(v % 65'536) + " 1 " +
           std::to_string(i / 100) + " " + std::to_string(i / 100 + 60) + " eni-" + std::to_string(v % 70'000) + "\n";
  }
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"hosts", "n_unique(dstaddr)"}, {"ports", "n_unique(dstport)"}, {"enis", "n_unique(interface-id)"}};
  PlanSpec other = spec, windows = spec;
  other.top = TopSpec{.n = 3, .by = "hosts", .other = true};
  windows.every = 600;
  windows.window = 1200;
  for (const PlanSpec& asked : {spec, other, windows}) {
    const Plan plan = *Plan::Make(asked);
    std::string wanted;
    for (int threads : {1, 2, 4}) {
      ScanOptions options;
      options.threads = threads;
      absl::StatusOr<Result> result = plan.Run({Source::Bytes("log", std::string_view(log))}, options);
      ASSERT_TRUE(result.ok());
      const std::string got = ToJsonLines(result->table);
      if (threads == 1) wanted = got;
      ASSERT_TRUE(got == wanted) << threads;
    }
  }
}

// Sources of all sizes and formats, in tiny blocks: threads end them in any order, and it does not show.
TEST(Plan, SelectionsOfManySourcesAreInTheirOrder) {
  std::mt19937 random(7);
  const std::vector<std::string> formats = {"srcaddr dstport bytes", "srcaddr dstport bytes vpc-id",
                                            "srcaddr dstport bytes start", "srcaddr dstport start action"};
  for (int round = 0; round < 12; ++round) {
    std::vector<Source> sources;
    std::deque<std::string> logs;
    for (size_t i = 0, n = 1 + random() % 9; i < n; ++i) {
      const std::string& format = formats[round < 3 ? 0 : random() % formats.size()];
      std::string& log = logs.emplace_back(random() % 7 == 0 ? "" : format + "\n");
      for (size_t line = 0, lines = random() % 3 == 0 ? random() % 3 : random() % 3000; !log.empty() && line < lines;
           ++line) {
        const std::string port = random() % 50 == 0 ? "-" : std::to_string(random() % 4);
        const std::string source = random() % 99 == 0  ? "-"
                                   : random() % 9 == 0 ? "2001:db8::" + std::to_string(random() % 999)
                                                       : "10.0.0." + std::to_string(random() % 256);
        log += random() % 300 == 0 ? "bad\n" : source + " " + port + " " + std::to_string(line);
        if (log.back() == '\n') continue;
        log += format.ends_with("vpc-id")  ? " vpc-" + std::to_string(random() % 50)
               : format.ends_with("start") ? " 5"
                                           : "";
        log += format.ends_with("action") ? " REJECT\n" : "\n";
      }
      sources.push_back(Source::Bytes("log" + std::to_string(i), std::string_view(log)));
    }
    PlanSpec spec;
    spec.select = {"vpc-id", "srcaddr", "dstport", "action", "bytes", "start"};
    if (round % 3 == 1) spec.where = "dstport != 2 or bytes > 40";
    spec.located = round % 2 == 0;
    spec.allow_missing = true;
    const Plan plan = *Plan::Make(spec);
    Table wanted;
    for (const int threads : {1, 2, 3, 8, 2, 3}) {
      ScanOptions options;
      options.threads = threads;
      options.block_bytes = 200;
      options.duplicates = round % 4 == 0 ? Duplicates::kOnce : Duplicates::kAll;
      const absl::StatusOr<Result> result = plan.Run(sources, options);
      ASSERT_TRUE(result.ok()) << result.status();
      if (threads == 1) wanted = result->table;
      ASSERT_EQ(result->table.rows, wanted.rows);
      for (size_t c = 0; c < wanted.columns.size(); ++c) {
        const TableColumn &a = result->table.columns[c], &b = wanted.columns[c];
        EXPECT_TRUE(a.i32 == b.i32 && a.i64 == b.i64 && a.addresses == b.addresses && a.texts == b.texts) << c;
        EXPECT_EQ(a.no_nulls, b.no_nulls) << c;
      }
    }
  }
}

// Columns so large that they are mapped, and that threads join them in memory that was in use.
TEST(Plan, LargeSelectionsDoNotDependOnThreads) {
  std::string log = "srcaddr dstport start bytes action\n";
  for (uint32_t i = 0; i < 1'200'000; ++i) {
    const uint32_t v = i * 2654435761u >> 7;
    log += (v % 90 == 0 ? "2001:db8::" + std::to_string(v % 999) : "10.0.0." + std::to_string(v % 256)) + " " +
           std::to_string(v % 65'536) + " " + std::to_string(i) + (i == 700'000 ? " - " : " 7 ") +
           (v % 3 == 0 ? "REJECT\n" : "ACCEPT\n");
  }
  PlanSpec spec;
  spec.select = {"srcaddr", "dstport", "start", "bytes", "action"};
  spec.located = true;
  const Plan plan = *Plan::Make(spec);
  Table wanted;
  for (int threads : {1, 2, 5}) {
    ScanOptions options;
    options.threads = threads;
    absl::StatusOr<Result> result = plan.Run({Source::Bytes("log", std::string_view(log))}, options);
    ASSERT_TRUE(result.ok());
    if (threads == 1) wanted = result->table;
    ASSERT_EQ(result->table.rows, 1'200'000u);
    for (size_t c = 0; c < wanted.columns.size(); ++c) {
      const TableColumn &a = result->table.columns[c], &b = wanted.columns[c];
      EXPECT_TRUE(a.i32 == b.i32 && a.i64 == b.i64 && a.addresses == b.addresses && a.texts == b.texts) << c;
      EXPECT_EQ(a.i32.size() + a.i64.size(), 1'200'000u);
      if (c < 5) {  // those that places add say nothing of nulls
        EXPECT_EQ(a.no_nulls, c != 3) << c;
      }
    }
  }
}

TEST(Plan, LocatedRecordsAreWhereTheySay) {
  std::string log = kHeader;
  for (int i = 0; i < 5000; ++i) log += Line("10.0.0.1", i % 100, i);
  PlanSpec spec;
  spec.where = "dstport = 7";
  spec.select = {"dstport"};
  spec.located = true;
  spec.limit = 40;
  const Plan plan = *Plan::Make(spec);
  const std::string other = log + "\n";
  absl::StatusOr<Result> result =
      plan.Run({Source::Bytes("a", std::string_view(log)), Source::Bytes("b", std::string_view(other))}, {});
  ASSERT_TRUE(result.ok());
  const Table& table = result->table;
  ASSERT_EQ(table.rows, 40u);
  EXPECT_EQ(table.columns[1].texts, std::vector<std::string>{"a"});
  for (int64_t offset : table.columns[2].i64) {
    const std::string line = log.substr(static_cast<size_t>(offset),
                                        log.find('\n', static_cast<size_t>(offset)) - static_cast<size_t>(offset));
    EXPECT_NE(line.find(" 7 "), std::string::npos) << line;
    EXPECT_EQ(log[static_cast<size_t>(offset) - 1], '\n');
  }
  EXPECT_EQ(plan.Schema().size(), 3u);
  spec.by = {"dstport"};
  EXPECT_FALSE(Plan::Make(spec).ok());
}

TEST(Plan, ColumnsOfSeveralFormatsAreUnitedByName) {
  const std::string a = kHeader + Line("10.0.0.1", 22, 5), b = "srcaddr tcp-flags team\n10.0.0.2 2 red\n";
  const std::vector<Source> sources = {Source::Bytes("a", std::string_view(a)),
                                       Source::Bytes("b", std::string_view(b))};
  PlanSpec spec;
  spec.by = {"srcaddr", "tcp_flags"};
  spec.aggs = {{"bytes", "sum(bytes)"}};
  EXPECT_EQ(RunToJson(spec, sources),
            "{\"srcaddr\": \"10.0.0.1\", \"tcp_flags\": null, \"bytes\": 5}\n{\"srcaddr\": \"10.0.0.2\", "
            "\"tcp_flags\": 2, \"bytes\": 0}\n");
  Format with_team;
  ASSERT_TRUE(Format::ParseHeader("srcaddr tcp-flags team", &with_team));
  PlanSpec select;
  select.select = {"srcaddr", "team"};
  absl::StatusOr<Plan> plan = Plan::Make(select, {with_team});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(ToJsonLines(plan->Run(sources, {})->table),
            "{\"srcaddr\": \"10.0.0.1\", \"team\": null}\n{\"srcaddr\": \"10.0.0.2\", \"team\": \"red\"}\n");
  EXPECT_THAT(std::string(Plan::Make(select).status().message()), HasSubstr("unknown field 'team'"));
  spec.by = {"az_id"};
  EXPECT_THAT(RunToJson(spec, sources), HasSubstr("field az-id is in none of the logs read"));
}

TEST(Plan, SeveralInOnePass) {
  std::string log = kHeader;
  for (int i = 0; i < 4000; ++i)
    log += Line("10.0.0." + std::to_string(i % 9), i % 5, i, 1000, 1060, i % 3 ? "ACCEPT" : "REJECT");
  PlanSpec a, b, c;
  a.by = {"srcaddr"};
  a.aggs = {{"bytes", "sum(bytes)"}};
  b.where = "action = 'REJECT'";
  b.by = {"dstport"};
  b.aggs = {{"n", "count()"}};
  c.where = "dstport = 4";
  c.select = {"bytes"};
  const std::vector<Plan> plans = {*Plan::Make(a), *Plan::Make(b), *Plan::Make(c)};
  const std::vector<Source> sources = {Source::Bytes("l", std::string_view(log))};
  absl::StatusOr<std::vector<Result>> results = RunAll(plans, sources, {});
  ASSERT_TRUE(results.ok());
  size_t i = 0;
  for (const PlanSpec& spec : {a, b, c}) EXPECT_EQ(ToJsonLines((*results)[i++].table), RunToJson(spec, sources));
}

TEST(Plan, Mistakes) {
  const auto error = [](const PlanSpec& spec) { return std::string(Plan::Make(spec).status().message()); };
  PlanSpec spec;
  spec.by = {"srcadr"};
  EXPECT_THAT(error(spec), HasSubstr("did you mean 'srcaddr'?"));
  spec.by = {"srcaddr"};
  for (const auto& [text, want] :
       std::map<std::string, std::string>{{"sum(srcaddr)", "numeric"},
                                          {"sum()", "needs a field"},
                                          {"count(bytes)", "takes no field"},
                                          {"summ(bytes)", "did you mean 'sum'?"},
                                          {"sum", "write sum(field)"},
                                          {"sum(byts)", "'bytes'"},
                                          {"max(action)", "is text"},
                                          {"", "expected an aggregate such as sum(bytes)"}}) {
    spec.aggs = {{"x", text}};
    EXPECT_THAT(error(spec), HasSubstr(want)) << text;
  }
  spec.aggs = {{"srcaddr", "count()"}};
  EXPECT_THAT(error(spec), HasSubstr("two columns"));
  spec.aggs = {{"n", "count()"}};
  spec.top = TopSpec{5, "m", false};
  EXPECT_THAT(error(spec), HasSubstr("no aggregate 'm'"));
  spec.top.reset();
  spec.sort = {{"srcadd", false}};
  EXPECT_THAT(error(spec), HasSubstr("did you mean 'srcaddr'?"));
}

// Explain names what a plan does, and Schema is what a result has.
TEST(Plan, ExplainAndSchemaSayWhatComes) {
  const std::string log = kHeader + Line("10.0.0.1", 22, 5, 1000, 1060) + Line("10.0.0.2", 80, 7, 1100, 1160);
  PlanSpec groups;
  groups.where = "bytes > 0";
  groups.by = {"srcaddr", "action", "dstport"};
  groups.every = 60;
  groups.aggs = {{"n", "count()"},
                 {"sum", "sum(bytes)"},
                 {"least", "min(start)"},
                 {"most", "max(bytes)"},
                 {"mean", "mean(bytes)"},
                 {"ports", "n_unique(dstport)"},
                 {"one", "first(srcaddr)"},
                 {"other", "last(action)"},
                 {"rate", "rate(bytes)"},
                 {"about", "approx_n_unique(dstaddr)"},
                 {"half", "quantile(bytes, 0.5)"},
                 {"near", "approx_quantile(bytes, 0.9)"},
                 {"port", "first(dstport)"}};
  groups.derived = {{"each", "sum / n"}};
  groups.having = {"n >= 1"};
  groups.sort = {{"sum", true}};
  PlanSpec windows = groups, gaps = groups, top, per, sessions, rows, some;
  windows.window = 180;
  windows.aggs = gaps.aggs = {{"n", "count()"}, {"sum", "sum(bytes)"}};
  windows.bin_by = gaps.bin_by = BinBy::kStart;
  gaps.gap = 60;
  top.by = {"srcaddr"};
  top.aggs = {{"sum", "sum(bytes)"}};
  top.top = TopSpec{1, "sum", true};
  per.by = {"srcaddr", "dstport"};
  per.aggs = {{"sum", "sum(bytes)"}};
  per.top = TopSpec{1, "sum", false, {"srcaddr"}, 8};
  sessions.sessions.emplace();
  some.select = {"srcaddr", "bytes"};
  some.limit = 1;
  some.located = true;
  const std::vector<std::pair<PlanSpec, std::vector<std::string>>> plans = {
      {groups, {"bytes > 0", "srcaddr, action, dstport", "sort      sum descending", "each"}},
      {windows, {"windows   of 180 s"}},
      {gaps, {"no further apart than 60 s"}},
      {top, {"sum"}},
      {per, {"for each  srcaddr"}},
      {sessions, {"sessions  idle 600 s"}},
      {rows, {"all fields that the sources have"}},
      {some, {"limit     1", "file and offset"}},
  };
  for (const auto& [spec, names] : plans) {
    const absl::StatusOr<Plan> plan = Plan::Make(spec, {Format::Default()});
    ASSERT_TRUE(plan.ok()) << plan.status();
    for (const std::string& name : names) EXPECT_THAT(plan->Explain(), HasSubstr(name));
    const absl::StatusOr<Result> result = plan->Run({Source::Bytes("log", std::string_view(log))}, {});
    ASSERT_TRUE(result.ok()) << result.status();
    std::vector<std::pair<std::string, ColumnType>> columns;
    for (const TableColumn& column : result->table.columns) columns.emplace_back(column.name, column.type);
    const auto schema = plan->Schema();
    ASSERT_EQ(schema.size(), columns.size()) << plan->Explain();
    for (size_t i = 0; i < schema.size(); ++i) {
      EXPECT_EQ(schema[i].first, columns[i].first) << plan->Explain();
      EXPECT_EQ(schema[i].second, columns[i].second) << plan->Explain() << schema[i].first;
    }
  }
}

}  // namespace
}  // namespace vpcflow
