// Arrow tables as sources: what works for text works for them, with any number of threads and pieces.
#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;

std::string Log(int lines, int first = 0) {
  std::string log = kHeader;
  for (int i = first; i < first + lines; ++i) {
    log += i % 50 == 7
               ? "2 123456789010 eni-1 - - - - - - - 1000 1060 - NODATA\n"
               : Line(i % 11 == 3 ? "2001:db8::" + std::to_string(1 + i % 97) : "10.0.0." + std::to_string(i % 251),
                      i % 7, i, 1000 + i % 3600, 1060 + i % 3600, i % 2 == 0 ? "ACCEPT" : "REJECT");
  }
  return log;
}

std::shared_ptr<const Table> TableOf(const std::string& log) {
  absl::StatusOr<Result> rows = Plan::Make({})->Run({Source::Bytes("l", std::string_view(log))}, {});
  EXPECT_TRUE(rows.ok()) << rows.status();
  return std::make_shared<const Table>(std::move(rows->table));
}

// A table in pieces of so many rows, that notes what is asked of it.
class Cut final : public ArrowTable {
 public:
  Cut(std::shared_ptr<const Table> table, size_t rows) : table_(std::move(table)), rows_(rows) {}

  absl::StatusOr<std::optional<ArrowColumns>> Columns() const override {
    ArrowColumns out;
    for (const TableColumn& column : table_->columns) out.names.push_back(column.name);
    return out;
  }
  absl::StatusOr<std::vector<uint64_t>> Pieces() const override {
    std::vector<uint64_t> out;
    for (size_t at = 0; at < table_->rows; at += rows_) out.push_back(std::min(rows_, table_->rows - at));
    return out;
  }
  absl::Status Open(const ArrowRequest& request, ArrowArrayStream* out) const override {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    if (request.piece == bad_piece) return absl::UnavailableError("no such piece");
    Table part = *table_;
    SliceTable(&part, request.piece * rows_, rows_);
    ExportTable(std::make_shared<const Table>(std::move(part)), out);
    return absl::OkStatus();
  }
  std::vector<ArrowRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  size_t bad_piece = ~size_t{0};

 private:
  const std::shared_ptr<const Table> table_;
  const size_t rows_;
  mutable std::mutex mutex_;
  mutable std::vector<ArrowRequest> requests_;
};

const PlanSpec kGroups = {
    .by = {"srcaddr", "action"},
    .aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"port", "first(dstport)"}, {"last", "last(dstport)"}}};

TEST(ArrowSource, SameBytesForAnyThreadsAndPieces) {
  const std::string log = Log(60'000);
  const std::shared_ptr<const Table> table = TableOf(log);
  PlanSpec rows;
  rows.select = {"srcaddr", "bytes", "start"};
  rows.where = "dstport = 3";
  const std::vector<Plan> plans = {*Plan::Make(kGroups), *Plan::Make(rows)};
  const absl::StatusOr<std::vector<Result>> wanted = RunAll(plans, {Source::Bytes("l", std::string_view(log))}, {});
  ASSERT_TRUE(wanted.ok()) << wanted.status();
  for (const size_t piece : {60'000u, 9'000u, 1'000u}) {
    const Source source = Source::Arrow("t", std::make_shared<const Cut>(table, piece));
    for (const int threads : {1, 2, 5}) {
      const absl::StatusOr<std::vector<Result>> got = RunAll(plans, {source}, {.threads = threads});
      ASSERT_TRUE(got.ok()) << got.status();
      for (size_t p = 0; p < plans.size(); ++p) {
        EXPECT_EQ(ToJsonLines((*got)[p].table), ToJsonLines((*wanted)[p].table)) << piece << " " << threads;
        EXPECT_EQ((*got)[p].report.matched, (*wanted)[p].report.matched);
      }
      EXPECT_EQ((*got)[0].report.ok, (*wanted)[0].report.ok);
      EXPECT_EQ((*got)[0].report.nodata, 1200u);
      EXPECT_EQ((*got)[0].report.sources, 1u);
      EXPECT_EQ((*got)[0].report.formats.size(), 1u);
      EXPECT_EQ((*got)[0].report.formats.begin()->second, 1u);
    }
  }
}

TEST(ArrowSource, SessionsAggregationsAndScansReadIt) {
  const std::string log = Log(3'000);
  const Source text = Source::Bytes("l", std::string_view(log));
  const Source source = Source::Arrow("t", std::make_shared<const Cut>(TableOf(log), 700));
  PlanSpec spec;
  spec.sessions.emplace();
  const Plan sessions = *Plan::Make(spec);
  EXPECT_EQ(ToJsonLines(sessions.Run({source}, {.threads = 3})->table), ToJsonLines(sessions.Run({text}, {})->table));
  absl::StatusOr<Aggregation> a = Aggregation::Make(*Plan::Make(kGroups)), b = Aggregation::Make(*Plan::Make(kGroups));
  EXPECT_TRUE(a->Update({source}, {.threads = 3}).ok());
  EXPECT_TRUE(b->Update({text}, {}).ok());
  EXPECT_EQ(ToJsonLines(a->Value()), ToJsonLines(b->Value()));
  Coverage ours, theirs;
  EXPECT_TRUE(Scan(source).AllRecords().Threads(3).Into(&ours).ok());
  EXPECT_TRUE(Scan(text).AllRecords().Into(&theirs).ok());
  EXPECT_EQ(ToJsonLines(CoverageTable(ours)), ToJsonLines(CoverageTable(theirs)));
  const Plan covered = *Plan::Make(CoverageSpec());
  for (const Source& either : {source, text})
    EXPECT_EQ(ToJsonLines(MeasureCoverage(covered, {either}, {.threads = 3})->table),
              ToJsonLines(CoverageTable(theirs)));
  EXPECT_TRUE(absl::IsInvalidArgument(MeasureCoverage(sessions, {source}, {}).status()));
  Reader reader({source}, {}), wanted({text}, {});
  size_t n = 0;
  while (reader.Next()) {
    ASSERT_TRUE(wanted.Next());
    for (const FieldInfo& field : kFields) {
      const Field id = *FindField(field.name);
      ASSERT_EQ(reader.record().text(id), wanted.record().text(id)) << field.name << " " << n;
    }
    EXPECT_EQ(reader.record().position().offset, n);
    ++n;
  }
  EXPECT_EQ(n, 3'000u);
  EXPECT_TRUE(reader.status().ok()) << reader.status();
  EXPECT_FALSE(wanted.Next());
}

TEST(ArrowSource, OnlyTheColumnsOfThePlanAreAskedFor) {
  const std::string log = Log(100);
  const auto cut = std::make_shared<const Cut>(TableOf(log), 50);
  PlanSpec spec;
  spec.aggs = {{"bytes", "sum(bytes)"}};
  spec.where = "dstport = 3";
  ASSERT_TRUE(Plan::Make(spec)->Run({Source::Arrow("t", cut)}, {}).ok());
  ASSERT_EQ(cut->requests().size(), 2u);
  for (const ArrowRequest& request : cut->requests())
    EXPECT_THAT(*request.fields, UnorderedElementsAre("bytes", "dstport", "log-status"));
  EXPECT_EQ(cut->requests()[0].piece + cut->requests()[1].piece, 1u);
  Aggregate<Count> count;
  ASSERT_TRUE(Scan(Source::Arrow("t", cut)).Where("bytes > 3").Reads({Field::kSrcAddr}).Into(&count).ok());
  EXPECT_THAT(*cut->requests().back().fields, UnorderedElementsAre("srcaddr", "bytes", "log-status"));
  ASSERT_TRUE(Scan(Source::Arrow("t", cut)).Into(&count).ok());
  EXPECT_FALSE(cut->requests().back().fields);
}

TEST(ArrowSource, TextAndTablesAreOneInput) {
  const std::string log = Log(500), more = Log(500, 500);
  const std::vector<Source> sources = {Source::Bytes("a", std::string_view(log)),
                                       Source::Arrow("b", std::make_shared<const Cut>(TableOf(more), 100)),
                                       Source::Bytes("c", std::string_view(log))};
  const std::vector<Source> texts = {sources[0], Source::Bytes("b", std::string_view(more)), sources[2]};
  PlanSpec spec;
  spec.located = true;
  spec.select = {"srcaddr", "bytes"};
  for (const int threads : {1, 4}) {
    EXPECT_EQ(ToJsonLines(Plan::Make(kGroups)->Run(sources, {.threads = threads})->table),
              ToJsonLines(Plan::Make(kGroups)->Run(texts, {})->table));
    const absl::StatusOr<Result> rows = Plan::Make(spec)->Run(sources, {.threads = threads});
    ASSERT_TRUE(rows.ok()) << rows.status();
    const std::string json = ToJsonLines(rows->table);
    EXPECT_THAT(json, HasSubstr("\"bytes\": 501, \"file\": \"b\", \"offset\": 1}"));
    EXPECT_THAT(json, HasSubstr("\"bytes\": 999, \"file\": \"b\", \"offset\": 499}"));
  }
}

TEST(ArrowSource, BatchesComePieceByPiece) {
  const std::string log = Log(10'000);
  const auto cut = std::make_shared<const Cut>(TableOf(log), 1'000);
  PlanSpec spec;
  spec.select = {"bytes"};
  BatchReader reader(*Plan::Make(spec), {Source::Arrow("t", cut)}, {});
  std::string all;
  for (int i = 0; i < 3; ++i) {
    const absl::StatusOr<Table> batch = reader.Next(500);
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->rows, 1'000u);
    EXPECT_EQ(cut->requests().size(), static_cast<size_t>(i) + 1);  // what follows is not opened
    all += ToJsonLines(*batch);
  }
  while (true) {
    const absl::StatusOr<Table> batch = reader.Next(500);
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (batch->rows == 0) break;
    all += ToJsonLines(*batch);
  }
  EXPECT_EQ(all, ToJsonLines(Plan::Make(spec)->Run({Source::Bytes("l", std::string_view(log))}, {})->table));
}

// An array of dictionary codes that lie outside, from a row on.
TEST(ArrowSource, WhatStandsBeforeDamageIsRead) {
  const std::string log = Log(50'000);
  auto table = std::make_shared<Table>(*TableOf(log));
  const size_t at = *table->Find("srcaddr");
  table->columns[at].i32[30'000] = 1 << 30;
  for (const int threads : {1, 2, 6}) {
    Result partial;
    ArrowArrayStream stream;
    ExportTable(table, &stream);
    const absl::StatusOr<Result> got =
        Plan::Make(kGroups)->Run({Source::Arrow("t", &stream)}, {.threads = threads}, &partial);
    EXPECT_TRUE(absl::IsDataLoss(got.status())) << got.status();
    EXPECT_THAT(std::string(got.status().message()), HasSubstr("t: "));
    EXPECT_EQ(partial.report.errors.size(), 1u);
    EXPECT_EQ(partial.report.records(), 24'576u) << threads;  // whole units of work before it
  }
}

TEST(ArrowSource, APieceThatCannotBeOpened) {
  const std::string log = Log(1'000);
  auto cut = std::make_shared<Cut>(TableOf(log), 100);
  cut->bad_piece = 3;
  for (const int threads : {1, 4}) {
    Result partial;
    const Source source = Source::Arrow("t", std::shared_ptr<const ArrowTable>(cut));
    EXPECT_FALSE(Plan::Make(kGroups)->Run({source}, {.threads = threads}, &partial).ok());
    ASSERT_EQ(partial.report.errors.size(), 1u);
    EXPECT_TRUE(absl::IsUnavailable(partial.report.errors[0]));
    EXPECT_EQ(partial.report.errors[0].message(), "t: no such piece");
    EXPECT_EQ(partial.report.records(), 900u);
  }
}

// An error keeps its kind on the way, and gets the name of the table.
TEST(ArrowSource, ErrorsHaveTheirKindAndSource) {
  Table bill;
  bill.columns.resize(1);
  bill.columns[0].name = "cost";
  const auto table = std::make_shared<const Table>(std::move(bill));
  ArrowArrayStream stream;
  ExportTable(table, &stream);
  const Source once = Source::Arrow("t", &stream);
  const Source cut = Source::Arrow("t", std::make_shared<const Cut>(table, 1));
  const Source lost =
      Source::Deferred("t", 0, [](const Delivery& delivery) { delivery.Deliver(absl::NotFoundError("404")); });
  for (const auto& [source, kind] : {std::pair(once, ErrorKind::kFormat), std::pair(cut, ErrorKind::kFormat),
                                     std::pair(lost, ErrorKind::kNotFound)}) {
    Result partial;
    EXPECT_FALSE(Plan::Make(kGroups)->Run({source}, {}, &partial).ok());
    ASSERT_EQ(partial.report.errors.size(), 1u);
    EXPECT_EQ(ErrorKindOf(partial.report.errors[0]), kind) << partial.report.errors[0];
    EXPECT_EQ(ErrorOf(partial.report.errors[0]).place.source, "t");
    EXPECT_THAT(std::string(partial.report.errors[0].message()), HasSubstr("t: "));
  }
}

TEST(ArrowSource, RejectsHaveTheirPlace) {
  auto table = std::make_shared<Table>(*TableOf(Log(20'000)));
  const size_t at = *table->Find("dstport");
  ASSERT_FALSE(table->columns[at].i32.empty());
  for (const size_t row : {7'001u, 15'000u, 19'999u}) table->columns[at].i32[row] = 70'000;
  for (const int threads : {1, 3}) {
    ScanOptions options;
    options.threads = threads;
    const Source source = Source::Arrow("t", std::make_shared<const Cut>(table, 6'000));
    const absl::StatusOr<Result> got = Plan::Make(kGroups)->Run({source}, options);
    ASSERT_TRUE(got.ok()) << got.status();
    ASSERT_EQ(got->report.rejects.size(), 3u);
    EXPECT_EQ(got->report.rejects[1].ToString().substr(0, 32), "t:15001:1: dstport: out-of-range");
    EXPECT_EQ(got->report.rejects[1].excerpt, "70000");
    Aggregate<Count, Sum<f::DstPort>> lines;
    Report report;
    ASSERT_TRUE(Scan(source).Options(options).Into(&lines, &report).ok());
    ASSERT_EQ(report.rejects.size(), 3u);
    EXPECT_EQ(report.rejects[0].line, 7'002u);
    EXPECT_EQ(report.rejects[0].byte_offset, 7'001u);
    options.on_error = OnError::kStop;
    EXPECT_THAT(std::string(Plan::Make(kGroups)->Run({source}, options).status().message()), HasSubstr("t:7002:"));
  }
}

TEST(ArrowSource, LimitsOfMemoryAndCancelling) {
  const Source source = Source::Arrow("t", std::make_shared<const Cut>(TableOf(Log(50'000)), 5'000));
  PlanSpec rows;
  rows.select = {"srcaddr", "bytes"};
  for (const int threads : {1, 3}) {
    ScanOptions options;
    options.threads = threads;
    options.max_memory = 100'000;
    EXPECT_TRUE(absl::IsResourceExhausted(Plan::Make(rows)->Run({source}, options).status()));
    options.max_memory = 0;
    options.poll = [](const Progress& progress) {
      EXPECT_EQ(progress.total_sources, 2u);
      return false;
    };
    const Source stays = Source::Stream("s", [](char*, size_t, const Cancelled& cancelled) -> absl::StatusOr<size_t> {
      while (!cancelled()) {
      }
      return absl::CancelledError("");
    });
    EXPECT_TRUE(absl::IsCancelled(Plan::Make(rows)->Run({source, stays}, options).status()));
  }
}

TEST(ArrowSource, FormatsAndBytes) {
  const std::string log = Log(10);
  const std::shared_ptr<const Table> table = TableOf(log);
  const Source stored = Source::Bytes("p", std::string_view(log));
  const Source source = Source::Arrow("t", std::make_shared<const Cut>(table, 5), stored.kind());
  const absl::StatusOr<std::vector<Format>> formats = PeekFormats(source, {});
  ASSERT_TRUE(formats.ok()) << formats.status();
  ASSERT_EQ(formats->size(), 1u);
  EXPECT_EQ((*formats)[0].size(), 14u);
  EXPECT_EQ(source.size(), log.size());
  EXPECT_TRUE(source.Open(nullptr).ok());
  const Source opened = Source::Arrow("t", [&](ArrowArrayStream* out) {
    ExportTable(table, out);
    return absl::OkStatus();
  });
  EXPECT_EQ(opened.size(), 0u);
  EXPECT_TRUE(PeekFormats(opened, {})->empty());
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.Open(nullptr).status()));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Plan::Make({})->Run({opened}, {})->table.rows, 10u);
  ArrowArrayStream stream;
  ExportTable(table, &stream);
  const Source once = Source::Arrow("t", &stream);
  EXPECT_EQ(Plan::Make({})->Run({once}, {})->table.rows, 10u);
  EXPECT_THAT(std::string(Plan::Make({})->Run({once}, {}).status().message()), HasSubstr("already consumed"));
}

TEST(ArrowSource, AFileThatIsThereTwiceIsReadOnce) {
  vpcflow_testing::TempDir dir;
  const std::string a = dir.Write("a", "the same bytes"), b = dir.Write("b", "the same bytes");
  const std::shared_ptr<const Table> table = TableOf(Log(100));
  const Source first = Source::File(a), second = Source::File(b);
  const std::vector<Source> sources = {Source::Arrow(a, std::make_shared<const Cut>(table, 100), first.kind()),
                                       Source::Arrow(b, std::make_shared<const Cut>(table, 100), second.kind())};
  const absl::StatusOr<Result> got = Plan::Make({})->Run(sources, {});
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->table.rows, 100u);
  EXPECT_EQ(got->report.duplicates, 1u);
  EXPECT_THAT(got->report.warnings, ElementsAre(HasSubstr("has the same bytes as")));
}

}  // namespace
}  // namespace vpcflow
