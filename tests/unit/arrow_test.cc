// Arrow tables from outside: what a producer may get wrong, and what its columns may hold.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "unit/testing.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow {
namespace {

// A column with its buffers, to be hurt by tests.
struct TestColumn {
  std::string name, format;
  std::deque<std::string> memory;
  std::vector<const void*> buffers;
  std::unique_ptr<TestColumn> dictionary;
  ArrowArray array{};
  ArrowSchema schema{};

  template <class T>
  void Add(const std::vector<T>& values) {
    memory.emplace_back(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    buffers.push_back(memory.back().data());
  }
  template <class T>
  T* Values(size_t buffer) {
    return static_cast<T*>(const_cast<void*>(buffers[buffer]));
  }
  void Seal(int64_t length) {
    array = {length,  -1,      0,      static_cast<int64_t>(buffers.size()), 0, buffers.data(), nullptr,
             nullptr, nullptr, nullptr};
    schema = {format.c_str(), name.c_str(), nullptr, 0, 0, nullptr, nullptr, nullptr, nullptr};
    array.release = [](ArrowArray* a) { a->release = nullptr; };
    schema.release = [](ArrowSchema* s) { s->release = nullptr; };
    if (!dictionary) return;
    array.dictionary = &dictionary->array;
    schema.dictionary = &dictionary->schema;
  }
};

std::unique_ptr<TestColumn> Texts(const char* name, const std::vector<std::string>& texts) {
  auto out = std::make_unique<TestColumn>();
  out->name = name;
  out->format = "u";
  out->buffers.push_back(nullptr);
  std::vector<int32_t> offsets = {0};
  std::vector<char> bytes;
  for (const std::string& text : texts) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(static_cast<int32_t>(bytes.size()));
  }
  out->Add(offsets);
  out->Add(bytes);
  out->Seal(static_cast<int64_t>(texts.size()));
  return out;
}

template <class T>
std::unique_ptr<TestColumn> Numbers(const char* name, const char* format, const std::vector<T>& values,
                                    size_t rows = 0) {
  auto out = std::make_unique<TestColumn>();
  out->name = name;
  out->format = format;
  out->buffers.push_back(nullptr);
  out->Add(values);
  out->Seal(static_cast<int64_t>(rows == 0 ? values.size() : rows));
  return out;
}

// Texts that lie apart, in two buffers.
std::unique_ptr<TestColumn> Views(const char* name, const std::vector<std::string>& texts) {
  auto out = std::make_unique<TestColumn>();
  out->name = name;
  out->format = "vu";
  out->buffers.push_back(nullptr);
  std::vector<int32_t> words;
  std::vector<char> bytes;
  for (const std::string& text : texts) {
    int32_t view[4] = {static_cast<int32_t>(text.size()), 0, 1, static_cast<int32_t>(bytes.size())};
    if (text.size() <= 12) std::memcpy(view + 1, text.data(), text.size());
    if (text.size() > 12) bytes.insert(bytes.end(), text.begin(), text.end());
    words.insert(words.end(), view, view + 4);
  }
  out->Add(words);
  out->Add(std::vector<char>{'x'});
  out->Add(bytes);
  out->Add(std::vector<int64_t>{1, static_cast<int64_t>(bytes.size())});
  out->Seal(static_cast<int64_t>(texts.size()));
  return out;
}

std::unique_ptr<TestColumn> Coded(const char* name, const std::vector<int8_t>& codes,
                                  std::unique_ptr<TestColumn> entries) {
  auto out = Numbers<int8_t>(name, "c", codes);
  out->dictionary = std::move(entries);
  out->Seal(out->array.length);
  return out;
}

struct TestTable {
  std::vector<std::unique_ptr<TestColumn>> columns;
  std::vector<ArrowArray*> arrays;
  std::vector<ArrowSchema*> schemas;
  std::vector<const void*> buffers = {nullptr};
  ArrowArray array{};
  ArrowSchema schema{};
  int batches = 1, schemas_released = 0, arrays_released = 0, streams_released = 0;

  void Add(std::unique_ptr<TestColumn> column) { columns.push_back(std::move(column)); }
  void Seal() {
    for (const auto& column : columns) {
      arrays.push_back(&column->array);
      schemas.push_back(&column->schema);
    }
    array.length = columns[0]->array.length;
    array.n_buffers = 1;
    array.buffers = buffers.data();
    array.n_children = schema.n_children = static_cast<int64_t>(columns.size());
    array.children = arrays.data();
    schema.children = schemas.data();
    schema.format = "+s";
    array.private_data = schema.private_data = this;
    array.release = [](ArrowArray* a) {
      ++static_cast<TestTable*>(a->private_data)->arrays_released;
      a->release = nullptr;
    };
    schema.release = [](ArrowSchema* s) {
      ++static_cast<TestTable*>(s->private_data)->schemas_released;
      s->release = nullptr;
    };
  }
  ArrowArrayStream Stream() {
    ArrowArrayStream out{};
    out.get_schema = [](ArrowArrayStream* s, ArrowSchema* to) {
      *to = static_cast<TestTable*>(s->private_data)->schema;
      return 0;
    };
    out.get_next = [](ArrowArrayStream* s, ArrowArray* to) {
      auto* own = static_cast<TestTable*>(s->private_data);
      *to = {};
      if (own->batches-- > 0) *to = own->array;
      return 0;
    };
    out.get_last_error = [](ArrowArrayStream*) -> const char* { return nullptr; };
    out.release = [](ArrowArrayStream* s) {
      ++static_cast<TestTable*>(s->private_data)->streams_released;
      s->release = nullptr;
    };
    out.private_data = this;
    return out;
  }
};

struct Read {
  std::string rows, error;
  Report report;
};
Read ReadTable(TestTable* table, const std::vector<std::string>& select, OnError on_error = OnError::kSkip) {
  PlanSpec spec;
  spec.select = select;
  spec.allow_missing = true;
  const Plan plan = *Plan::Make(spec);
  ScanOptions options;
  options.on_error = on_error;
  ArrowArrayStream stream = table->Stream();
  Read out;
  const absl::StatusOr<std::vector<Result>> results =
      RunAll({&plan, 1}, {Source::Arrow("<arrow>", &stream)}, options, &out.report);
  if (results.ok()) out.rows = ToJsonLines((*results)[0].table);
  if (!results.ok()) out.error = std::string(results.status().message());
  if (!out.report.errors.empty()) out.error = std::string(out.report.errors[0].message());
  EXPECT_EQ(table->streams_released, 1);
  return out;
}

const std::vector<std::string> kThree = {"10.0.0.1", "2001:db8:1111:2222::3333", "-"};

std::unique_ptr<TestTable> ThreeRows() {
  auto out = std::make_unique<TestTable>();
  out->Add(Texts("srcaddr", kThree));
  out->Add(Views("action", {"ACCEPT", "a text of more than twelve letters", ""}));
  out->Add(Coded("log_status", {0, 1, 0}, Texts("", {"OK", "NODATA"})));
  out->Add(Numbers<int64_t>("bytes", "l", {5, 6, 7}));
  out->Seal();
  return out;
}
const std::vector<std::string> kFields = {"srcaddr", "action", "log-status", "bytes"};

TEST(ArrowIn, ReadsEveryLayout) {
  const auto table = ThreeRows();
  const Read read = ReadTable(table.get(), kFields);
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.rows,
            "{\"srcaddr\": \"10.0.0.1\", \"action\": \"ACCEPT\", \"log_status\": \"OK\", \"bytes\": 5}\n"
            "{\"srcaddr\": \"2001:db8:1111:2222::3333\", \"action\": \"a text of more than twelve letters\", "
            "\"log_status\": \"NODATA\", \"bytes\": 6}\n"
            "{\"srcaddr\": null, \"action\": null, \"log_status\": \"OK\", \"bytes\": 7}\n");
  EXPECT_EQ(table->arrays_released, 1);
  EXPECT_EQ(table->schemas_released, 1);
  EXPECT_EQ(read.report.nodata, 1u);
}

// Each change is told, and nothing is read.
TEST(ArrowIn, DamageIsToldBeforeAValueIsRead) {
  struct Case {
    const char* said;
    std::function<void(TestTable&)> hurt;
  };
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const std::vector<Case> cases = {
      {"offsets that do not rise", [](TestTable& t) { t.columns[0]->Values<int32_t>(1)[1] = 4000; }},
      {"offset -7", [](TestTable& t) { t.columns[0]->Values<int32_t>(1)[0] = -7; }},
      {"no offsets", [](TestTable& t) { t.columns[0]->buffers[1] = nullptr; }},
      {"no text behind", [](TestTable& t) { t.columns[0]->buffers[2] = nullptr; }},
      {"2 buffers", [](TestTable& t) { t.columns[0]->array.n_buffers = 2; }},
      {"-1 buffers", [](TestTable& t) { t.columns[0]->array.n_buffers = -1; }},
      {"which are not there", [](TestTable& t) { t.columns[0]->array.buffers = nullptr; }},
      {"length 2; the batch needs 3", [](TestTable& t) { t.columns[0]->array.length = 2; }},
      {"length -3", [](TestTable& t) { t.columns[0]->array.length = -3; }},
      {"neither may be negative", [](TestTable& t) { t.columns[0]->array.offset = -1; }},
      {"no length of memory", [](TestTable& t) { t.columns[0]->array.offset = kMost - 1; }},
      {"null count 2 without validity", [](TestTable& t) { t.columns[0]->array.null_count = 2; }},
      {"null count 9", [](TestTable& t) { t.columns[0]->array.null_count = 9; }},
      {"it is not there", [](TestTable& t) { t.arrays[1] = nullptr; }},
      {"is not there", [](TestTable& t) { t.schemas[1] = nullptr; }},
      {"a batch of 3 columns; the schema has 4", [](TestTable& t) { t.array.n_children = 3; }},
      {"rows; at most", [](TestTable& t) { t.array.length = kMost; }},
      {"the batch needs 4", [](TestTable& t) { t.array.offset = 1; }},
      {"a text of -1 bytes", [](TestTable& t) { t.columns[1]->Values<int32_t>(1)[4] = -1; }},
      {"text buffer 2 at row 1; there are 2", [](TestTable& t) { t.columns[1]->Values<int32_t>(1)[6] = 2; }},
      {"its buffer has 34", [](TestTable& t) { t.columns[1]->Values<int32_t>(1)[7] = 1; }},
      {"its buffer has 5", [](TestTable& t) { t.columns[1]->Values<int64_t>(4)[1] = 5; }},
      {"text buffer 1 of -5 bytes", [](TestTable& t) { t.columns[1]->Values<int64_t>(4)[1] = -5; }},
      {"no sizes", [](TestTable& t) { t.columns[1]->buffers[4] = nullptr; }},
      {"no string views", [](TestTable& t) { t.columns[1]->buffers[1] = nullptr; }},
      {"dictionary index 2 at row 1", [](TestTable& t) { t.columns[2]->Values<int8_t>(1)[1] = 2; }},
      {"dictionary index -1 at row 0", [](TestTable& t) { t.columns[2]->Values<int8_t>(1)[0] = -1; }},
      {"its dictionary is missing", [](TestTable& t) { t.columns[2]->array.dictionary = nullptr; }},
      {"a dictionary that its type does not have", [](TestTable& t) { t.columns[2]->schema.dictionary = nullptr; }},
      {"offsets that do not rise", [](TestTable& t) { t.columns[2]->dictionary->Values<int32_t>(1)[1] = 1 << 30; }},
      {"another type than integers", [](TestTable& t) { t.columns[2]->schema.format = "g"; }},
      {"no values", [](TestTable& t) { t.columns[3]->buffers[1] = nullptr; }},
      {"no type", [](TestTable& t) { t.columns[3]->schema.format = nullptr; }},
      {"the stream has no schema", [](TestTable& t) { t.schema.format = nullptr; }},
      {"of type int64; a table is needed", [](TestTable& t) { t.schema.format = "l"; }},
      {"type list; this field is read from", [](TestTable& t) { t.columns[3]->schema.format = "+l"; }},
      {"type union; this field is read from", [](TestTable& t) { t.columns[3]->schema.format = "+us:0,1"; }},
      {"type run-end encoded values", [](TestTable& t) { t.columns[3]->schema.format = "+r"; }},
      {"type boolean", [](TestTable& t) { t.columns[3]->schema.format = "b"; }},
      {"type fixed-size binary; an address",
       [](TestTable& t) {
         t.columns[0] = Numbers<int32_t>("srcaddr", "w:4", {1, 2, 3});
         t.arrays[0] = &t.columns[0]->array;
         t.schemas[0] = &t.columns[0]->schema;
       }},
      {"'zz', which the Arrow format does not define", [](TestTable& t) { t.columns[3]->schema.format = "zz"; }},
  };
  for (const Case& c : cases) {
    const auto table = ThreeRows();
    c.hurt(*table);
    const Read read = ReadTable(table.get(), kFields);
    EXPECT_NE(read.error.find(c.said), std::string::npos) << c.said << ": " << read.error;
    EXPECT_EQ(read.report.records(), 0u) << c.said;
    EXPECT_EQ(table->schemas_released, 1) << c.said;
    EXPECT_LE(table->arrays_released, 1) << c.said;
  }
}

TEST(ArrowIn, NullsOfTheTableAreNoRecordsAndSlicesAreRead) {
  const auto table = ThreeRows();
  const uint8_t valid = 0b101;
  table->buffers[0] = &valid;
  Read read = ReadTable(table.get(), {"bytes"});
  EXPECT_EQ(read.rows, "{\"bytes\": 5}\n{\"bytes\": 7}\n");
  EXPECT_EQ(read.report.records(), 2u);
  const auto sliced = ThreeRows();
  sliced->buffers[0] = &valid;
  sliced->array.offset = 1;
  sliced->array.length = 2;
  read = ReadTable(sliced.get(), {"srcaddr", "bytes"});
  EXPECT_EQ(read.rows, "{\"srcaddr\": null, \"bytes\": 7}\n");
}

TEST(ArrowIn, NumbersOfEveryKind) {
  __extension__ typedef __int128 Wide;
  TestTable table;
  table.Add(Texts("srcaddr", {"10.0.0.1", "10.0.0.2", "10.0.0.3"}));
  table.Add(Numbers<Wide>("bytes", "d:20,0", {5, Wide{1} << 100, -1}));
  table.Add(Numbers<int32_t>("packets", "d:9,2,32", {4200, 4250, 0}));
  table.Add(Numbers<Wide>("srcport", "d:76,0,256", {22, 0, 22, 1, -1, -1}, 3));
  table.Add(Numbers<double>("dstport", "g", {443, 0.5, std::numeric_limits<double>::quiet_NaN()}));
  table.Add(Numbers<int32_t>("start", "tdD", {20421, 0, -1}));
  table.Add(Numbers<int64_t>("end", "tsn:Asia/Tokyo", {1'764'400'000'999'999'999, 0, -1}));
  table.Add(Numbers<int64_t>("account-id", "l", {1234567890, 123456789012, 0}));
  table.Add(Texts("protocol", {"TCP", "6.0", "udp"}));
  table.Seal();
  const Read read = ReadTable(
      &table, {"bytes", "packets", "srcport", "dstport", "start", "end", "account-id", "protocol"}, OnError::kNull);
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.rows,
            "{\"bytes\": 5, \"packets\": 42, \"srcport\": 22, \"dstport\": 443, \"start\": 1764374400, \"end\": "
            "1764400000, \"account_id\": \"001234567890\", \"protocol\": 6}\n"
            "{\"bytes\": null, \"packets\": null, \"srcport\": null, \"dstport\": null, \"start\": 0, \"end\": 0, "
            "\"account_id\": \"123456789012\", \"protocol\": 6}\n"
            "{\"bytes\": null, \"packets\": 0, \"srcport\": null, \"dstport\": null, \"start\": null, \"end\": null, "
            "\"account_id\": \"000000000000\", \"protocol\": 17}\n");
  EXPECT_EQ(read.report.nulled_values, 8u);
}

TEST(ArrowIn, WhatIsNoFlowLogIsNoRecord) {
  for (const char* second : {"cost", "vpc_id", "account_id"}) {
    TestTable table;
    table.Add(Texts("region", {"us-east-1"}));
    table.Add(Texts(second, {"7"}));
    table.Seal();
    const Read read = ReadTable(&table, {"region"});
    EXPECT_NE(read.error.find("no flow log records: the columns are region"), std::string::npos) << read.error;
    EXPECT_EQ(read.report.records(), 0u);
  }
}

TEST(ArrowIn, OfTwoColumnsAwsNameWins) {
  TestTable table;
  table.Add(Numbers<int64_t>("numbytes", "l", {5}));
  table.Add(Texts("srcaddr", {"10.0.0.1"}));
  table.Add(Numbers<int64_t>("bytes", "l", {6}));
  table.Seal();
  const Read read = ReadTable(&table, {"bytes"});
  EXPECT_EQ(read.rows, "{\"bytes\": 6}\n");
  ASSERT_EQ(read.report.warnings.size(), 1u);
  EXPECT_NE(read.report.warnings[0].find("'bytes' and 'numbytes' are both the field 'bytes'; 'bytes' is read"),
            std::string::npos);
}

TEST(ArrowIn, OneBadTableDoesNotTakeTheOthersAway) {
  const auto good = ThreeRows(), bad = ThreeRows(), after = ThreeRows();
  bad->columns[0]->Values<int32_t>(1)[1] = 4000;
  std::vector<ArrowArrayStream> streams = {good->Stream(), bad->Stream(), after->Stream()};
  const std::vector<Source> sources = {
      Source::Arrow("t0", &streams[0]),
      Source::Arrow("b", [](ArrowArrayStream*) { return absl::UnavailableError("b: cannot be opened"); }),
      Source::Arrow("t1", &streams[1]), Source::Arrow("t2", &streams[2])};
  PlanSpec spec;
  spec.aggs = {{"bytes", "sum(bytes)"}, {"sources", "n_unique(srcaddr)"}};
  const Plan plan = *Plan::Make(spec);
  Report report;
  (void)RunAll({&plan, 1}, sources, {}, &report);
  EXPECT_EQ(report.records(), 6u);
  EXPECT_EQ(report.sources, 4u);
  ASSERT_EQ(report.errors.size(), 2u);
  EXPECT_EQ(report.errors[0].message(), "b: cannot be opened");
  EXPECT_TRUE(absl::IsDataLoss(report.errors[1]));
  EXPECT_EQ(std::string(report.errors[1].message()).substr(0, 4), "t1: ");
}

TEST(ArrowIn, AConsumedStreamIsAnError) {
  const auto table = ThreeRows();
  ArrowArrayStream stream = table->Stream();
  stream.release(&stream);
  const Plan plan = *Plan::Make({});
  Report report;
  (void)RunAll({&plan, 1}, {Source::Arrow("<arrow>", &stream)}, {}, &report);
  ASSERT_EQ(report.errors.size(), 1u);
  EXPECT_NE(std::string(report.errors[0].message()).find("already consumed"), std::string::npos);
}

TEST(ArrowTexts, LinesOfAColumn) {
  TestTable table;
  table.Add(Texts("message", {"one", "two\n", ""}));
  table.Seal();
  ArrowArrayStream stream = table.Stream();
  ArrowTexts texts(&stream, "message");
  std::string lines;
  absl::StatusOr<bool> more = texts.Next(&lines);
  ASSERT_TRUE(more.ok() && *more);
  EXPECT_EQ(lines, "one\ntwo\n\n");
  more = texts.Next(&lines);
  EXPECT_TRUE(more.ok() && !*more);
}

}  // namespace
}  // namespace vpcflow
