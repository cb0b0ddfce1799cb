#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vpcflow_testing::Gzip;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;

Plan PlanOf(const PlanSpec& spec) { return *Plan::Make(spec); }

// A limit that nothing comes to, under which a scan makes text of JSON as a feeder does: its blocks end where those of a
// feeder do, and its bytes are those of that text.
constexpr uint64_t kWritten = uint64_t{1} << 40;

// Takes the beginning of what is to be fed; its size is the next piece's. At 0, which it gives for an empty text, too,
// the feeder is flushed.
using Cut = std::function<size_t(size_t left)>;
Cut Pieces(size_t size) {
  return [size](size_t left) { return std::min(size, left); };
}

// All that a report says but what a feeder does not know.
std::string Told(const Report& report) {
  std::string out = absl::StrCat("sources ", report.sources, " bytes ", report.text_bytes, " lines ", report.lines,
                                 " headers ", report.headers, " blank ", report.blank_lines, " ok ", report.ok,
                                 " nodata ", report.nodata, " skipdata ", report.skipdata, " nulled ",
                                 report.nulled_values, " rejected ", report.rejected(), "\n");
  for (const std::string& name : report.names) absl::StrAppend(&out, "name ", name, "\n");
  for (const Reject& reject : report.rejects) absl::StrAppend(&out, "reject ", reject.ToString(), "\n");
  for (const auto& [format, n] : report.formats) absl::StrAppend(&out, "format ", format, " ", n, "\n");
  for (const std::string& warning : report.warnings) absl::StrAppend(&out, "warning ", warning, "\n");
  for (const absl::Status& error : report.errors) absl::StrAppend(&out, "error ", error.ToString(), "\n");
  return out;
}

PlanSpec Question() {
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"n", "count()"},
               {"bytes", "sum(bytes)"},
               {"ports", "n_unique(dstport)"},
               {"first", "first(action)"},
               {"last", "last(log_status)"}};
  return spec;
}

std::string StateAndReport(Aggregation* held, const Report& report, const absl::Status& status) {
  return absl::StrCat(ToJsonLines(held->Value()), absl::CHexEscape(held->ToBytes()), "\n", "matched ", report.matched,
                      "\n", Told(report), "end ", status.ToString(), "\n");
}

std::string WithoutBytes(const std::string& told) {
  const size_t begin = told.find(" bytes "), end = told.find(" lines ", begin);
  return told.substr(0, begin) + told.substr(end);
}

std::string Scanned(std::string_view bytes, ScanOptions options) {
  Aggregation held = *Aggregation::Make(PlanOf(Question()));
  options.threads = 1;
  Report report;
  // What can be read only once, as what is fed.
  const Source source = Source::Stream("stream", [bytes](char* buffer, size_t size) mutable {
    const size_t n = bytes.copy(buffer, size);
    bytes.remove_prefix(n);
    return n;
  });
  const absl::Status status = held.Update({source}, options, &report);
  return StateAndReport(&held, report, status);
}

std::string Fed(std::string_view bytes, const ScanOptions& options, const Cut& cut) {
  Aggregation held = *Aggregation::Make(PlanOf(Question()));
  Feeder feeder = Feeder::Into(&held, "stream", options);
  while (!bytes.empty()) {
    const size_t n = cut(bytes.size());
    if (n == 0) {
      feeder.Flush().IgnoreError();
      continue;
    }
    const std::string piece(bytes.substr(0, n));  // dies at once, as a socket's buffer does
    feeder.Feed(piece).IgnoreError();
    bytes.remove_prefix(n);
  }
  const absl::Status status = feeder.Finish();
  EXPECT_EQ(feeder.Finish(), status);
  return StateAndReport(&held, feeder.report(), status);
}

// A frame of zstd of blocks that are stored as they are.
std::string Zstd(std::string_view text) {
  std::string out("\x28\xB5\x2F\xFD\x00\x58", 6);
  do {
    const std::string_view block = text.substr(0, 1000);
    text.remove_prefix(block.size());
    const auto header = static_cast<uint32_t>(block.size() << 3 | (text.empty() ? 1 : 0));
    for (int shift = 0; shift < 24; shift += 8) out += static_cast<char>(header >> shift & 0xFF);
    out += block;
  } while (!text.empty());
  return out;
}

// Deals with chance the way tests do: the same each time.
class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {}
  size_t Below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  bool OneIn(size_t n) { return Below(n) == 0; }
  Cut Cuts() {
    return [this](size_t left) { return OneIn(9) ? 0 : std::min(left, OneIn(3) ? 1 + Below(3) : 1 + Below(400)); };
  }

 private:
  std::mt19937 random_;
};

std::string Lines(Chance* chance, const std::string& end, bool odd) {
  std::string out;
  for (size_t n = chance->Below(60); n > 0; --n) {
    std::string line = Line("10.0.0." + std::to_string(chance->Below(5)), static_cast<int>(chance->Below(9)),
                            static_cast<int64_t>(chance->Below(5000)), 1000 + static_cast<int64_t>(chance->Below(99)));
    line.pop_back();
    if (odd) {
      switch (chance->Below(30)) {
        case 0: line = "no record"; break;
        case 1: line = ""; break;
        case 2: line[chance->Below(line.size())] = '\0'; break;
        case 3: line = "2 - eni-1 - - - - - - - 1000 1060 - NODATA"; break;
        case 4: line = "2 1 eni-1 10.0.0.1 10.0.0.2 1 99999 6 1 1 1000 1060 ACCEPT OK"; break;
        case 5: line = "bytes srcaddr start dstport action log-status"; break;
        case 6: line = "  " + line + " "; break;
        case 7: line = std::string(3000, 'x'); break;
        default: break;
      }
    }
    out += line + end;
  }
  if (chance->OneIn(4)) out = out.substr(0, out.size() - std::min(out.size(), end.size()));
  return out;
}

// Of AWS's fields up to version 4, as it orders them.
const std::string kLineV4 =
    "4 123456789010 eni-1 10.0.0.1 10.0.0.2 40000 443 6 10 100 1000 1060 ACCEPT OK vpc-1 subnet-1 i-1 2 IPv4 10.0.0.1 "
    "10.0.0.2 us-east-1 use1-az1 - -\n";

std::string Quoted(const std::string& text) { return absl::StrCat("\"", absl::CEscape(text), "\""); }

std::string AnyText(Chance* chance) {
  const bool odd = chance->OneIn(2);
  const std::string end = chance->OneIn(3) ? "\r\n" : "\n";
  std::string header = kHeader.substr(0, kHeader.size() - 1) + end;
  const std::string lines = Lines(chance, end, odd);
  std::string out;
  switch (chance->Below(8)) {
    case 0: return lines;
    case 1: return "\xEF\xBB\xBF" + header + lines;
    case 2:  // CloudWatch, an event a line
      for (size_t at = 0, to; at < lines.size(); at = to + 1) {
        to = std::min(lines.find('\n', at), lines.size());
        absl::StrAppend(&out, "{\"timestamp\": 1, \"message\": ", Quoted(lines.substr(at, to - at)), "}\n");
      }
      return out;
    case 3:  // one document
      return absl::StrCat("{\"logEvents\": [\n{\"id\": \"1\", \"message\": ", Quoted(Line("10.1.1.1", 1, 2)),
                          "},\n{\"message\": ", Quoted(Line("10.1.1.2", 1, 3)), "}", odd ? "" : "]}");
    case 4:
      return absl::StrCat("srcaddr,bytes,dstport", end, "10.0.0.1,5,22", end, "10.0.0.2,", odd ? "x" : "7", ",\"443\"",
                          end);
    case 5:  // subscription records
      return absl::StrCat(absl::Base64Escape(Gzip(
                              absl::StrCat("{\"logEvents\": [{\"message\": ", Quoted(Line("10.1.1.1", 1, 2)), "}]}"))),
                          "\n", absl::Base64Escape(Gzip(lines)), "\n");
    case 6:  // of a format of AWS's without header
      for (size_t n = chance->Below(150); n > 0; --n)
        out += odd && chance->OneIn(20) ? lines.substr(0, lines.find('\n') + 1) : kLineV4;
      return out;
    default: return header + lines;
  }
}

std::string AnyPacking(Chance* chance, const std::string& text) {
  const size_t half = text.size() / 2;
  switch (chance->Below(8)) {
    case 0: return Gzip(text);
    case 1: return Gzip(text.substr(0, half)) + Gzip(text.substr(half)) + Gzip("");
    case 2: return Zstd(text.substr(0, half)) + Zstd(text.substr(half));
    case 3: return vpcflow_testing::Deflated(text, 15);
    case 4: return Gzip(Zstd(text));
    case 5: {  // cut
      const std::string packed = Gzip(text);
      return packed.substr(0, chance->Below(packed.size()));
    }
    default: return text;
  }
}

// A feeder takes what a scan of the whole does, wherever the pieces end and whenever it is flushed.
TEST(Feeder, EqualsAScanOfTheWhole) {
  for (uint32_t seed = 0; seed < 1500; ++seed) {
    Chance chance(seed);
    const std::string bytes = AnyPacking(&chance, AnyText(&chance));
    ScanOptions options;
    options.block_bytes = chance.OneIn(2) ? 64 + chance.Below(500) : size_t{128} << 10;
    options.max_line_bytes = chance.OneIn(2) ? 1024 : size_t{1} << 20;
    options.on_error = static_cast<OnError>(chance.OneIn(3) ? chance.Below(3) : 0);
    options.allow_empty = chance.OneIn(2);
    if (chance.OneIn(5)) options.format = Format::Default();
    // On where the first block ends a scan's format may depend, and on where any does how much is read until it stops.
    const bool ends_matter = (options.block_bytes <= 1000 && !options.format) || options.on_error == OnError::kStop;
    options.max_output_bytes = kWritten;
    const std::string whole = Scanned(bytes, options);
    ASSERT_EQ(Fed(bytes, options, Pieces(bytes.size())), whole) << seed;
    ASSERT_EQ(Fed(bytes, options, Pieces(1)), whole) << seed;
    ASSERT_EQ(Fed(bytes, options, Pieces(1400)), whole) << seed;
    if (!ends_matter) {  // with a flush blocks end elsewhere: a line that is too long counts bytes only within a block
      ASSERT_EQ(WithoutBytes(Fed(bytes, options, chance.Cuts())), WithoutBytes(whole)) << seed;
    }
  }
}

// Whatever was fed, a flush shows what a scan of the whole lines so far finds.
TEST(Feeder, FlushShowsAllWholeLines) {
  const std::string log =
      kHeader + Line("10.0.0.1", 22, 5) + "bad\n" + Line("10.0.0.2", 443, 7) + Line("10.0.0.1", 1, 1);
  for (const std::string& text : {log, log.substr(kHeader.size())}) {
    Aggregation held = *Aggregation::Make(PlanOf(Question()));
    Feeder feeder = Feeder::Into(&held);
    for (size_t n = 0; n < text.size(); ++n) {
      ASSERT_TRUE(feeder.Feed(text.substr(n, 1)).ok());
      ASSERT_TRUE(feeder.Flush().ok());
      const std::string so_far = text.substr(0, text.rfind('\n', n) + 1);
      Aggregation scanned = *Aggregation::Make(PlanOf(Question()));
      Report report;
      ScanOptions options;
      options.allow_empty = true;
      ASSERT_TRUE(scanned.Update({Source::Bytes("", std::string_view(so_far))}, options, &report).ok());
      ASSERT_EQ(ToJsonLines(held.Value()), ToJsonLines(scanned.Value())) << n;
      ASSERT_EQ(feeder.report().matched, report.matched);
      ASSERT_EQ(feeder.report().rejects.size(), report.rejects.size());
      ASSERT_FALSE(feeder.waits_for_format());
    }
    EXPECT_TRUE(feeder.Finish().ok());
    EXPECT_EQ(feeder.report().rejected(), 1u);
  }
}

TEST(Feeder, LinesOfAnUnknownFormatWaitForMoreOfThem) {
  constexpr int kEnough = 100;
  int records = 0;
  Feeder feeder = Feeder::Records([&](const RecordView&) { ++records; });
  for (int i = 1; i <= kEnough + 2; ++i) {
    ASSERT_TRUE(feeder.Feed(kLineV4).ok());
    ASSERT_TRUE(feeder.Flush().ok());
    EXPECT_EQ(feeder.waits_for_format(), i < kEnough);
    EXPECT_EQ(records, i < kEnough ? 0 : i);
  }
  EXPECT_TRUE(feeder.Finish().ok());

  // The end of the stream, a whole block, or a header tells, too.
  for (const bool block : {false, true}) {
    records = 0;
    ScanOptions options;
    if (block) options.block_bytes = 1000;
    Feeder few = Feeder::Records([&](const RecordView&) { ++records; }, "s", options);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(few.Feed(kLineV4).ok());
      ASSERT_TRUE(few.Flush().ok());
    }
    EXPECT_EQ(records, block ? 20 : 0);
    EXPECT_TRUE(few.Finish().ok());
    EXPECT_FALSE(few.waits_for_format());
    EXPECT_EQ(records, 20);
  }
  records = 0;
  Feeder header = Feeder::Records([&](const RecordView&) { ++records; });
  ASSERT_TRUE(header.Feed("this is no record\n").ok());
  ASSERT_TRUE(header.Flush().ok());
  EXPECT_TRUE(header.waits_for_format());
  ASSERT_TRUE(header.Feed(kHeader + Line("10.0.0.1", 1, 1)).ok());
  ASSERT_TRUE(header.Flush().ok());
  EXPECT_FALSE(header.waits_for_format());
  EXPECT_EQ(records, 1);
  EXPECT_EQ(header.report().rejected(), 1u);

  Feeder none = Feeder::Records([](const RecordView&) {});
  ASSERT_TRUE(none.Feed("this is no record\n").ok());
  ASSERT_TRUE(none.Flush().ok());
  EXPECT_EQ(ErrorKindOf(none.Finish()), ErrorKind::kFormat);
  EXPECT_FALSE(none.waits_for_format());
}

TEST(Feeder, RecordsAreThoseOfAReader) {
  const std::string text = kHeader + Line("10.0.0.1", 22, 5) + "bad\n" +
                           "2 - eni-1 - - - - - - - 1000 1060 - NODATA\n" + Line("10.0.0.2", 99999, 7) +
                           Line("10.0.0.3", 443, 9);
  std::vector<std::string> got;
  Feeder feeder = Feeder::Records([&](const RecordView& record) {
    (void)record.dstport();
    got.push_back(std::string(record.text(Field::kSrcAddr)) + ":" + std::to_string(record.line_number()));
  });
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  ASSERT_TRUE(feeder.Feed(bytes.first(100)).ok());
  ASSERT_TRUE(feeder.Feed(bytes.subspan(100)).ok());
  EXPECT_THAT(got, IsEmpty());
  ASSERT_TRUE(feeder.Flush().ok());
  EXPECT_THAT(got, ElementsAre("10.0.0.1:2", "-:4", "10.0.0.2:5", "10.0.0.3:6"));
  EXPECT_TRUE(feeder.Finish().ok());
  EXPECT_EQ(feeder.report().ok, 2u);
  EXPECT_EQ(feeder.report().nodata, 1u);
  ASSERT_EQ(feeder.report().rejects.size(), 2u);
  EXPECT_THAT(feeder.report().rejects[0].ToString(), HasSubstr("stream:3:"));
  EXPECT_THAT(feeder.report().rejects[1].ToString(), HasSubstr("stream:5:46: dstport: out-of-range"));
}

TEST(Feeder, FillsAnAccumulator) {
  Aggregate<Count, Sum<f::Bytes>> total;
  Feeder feeder = Feeder::Into(&total, "tcp");
  EXPECT_TRUE(feeder.Feed(Line("10.0.0.1", 22, 5) + "2 - eni-1 - - - - - - - 1000 1060 - NODATA\n").ok());
  EXPECT_TRUE(
      feeder.Feed("2 1 eni-1 10.0.0.1 10.0.0.2 1 22 6 1 x 1000 1060 ACCEPT OK\n" + Line("10.0.0.2", 22, 7)).ok());
  EXPECT_TRUE(feeder.Finish().ok());
  EXPECT_EQ(total.Value<0>(), 2u);
  EXPECT_EQ(total.Value<1>().ToString(), "12");
  EXPECT_THAT(feeder.report().rejects.at(0).ToString(), HasSubstr("tcp:3:"));
}

TEST(Feeder, SeveralAggregationsInOnePass) {
  PlanSpec rejects, ports = Question(), sessions;
  rejects.where = "action = 'REJECT'";
  rejects.by = {"dstport"};
  rejects.aggs = {{"n", "count()"}};
  ports.aggs.resize(1);
  sessions.sessions.emplace();
  const std::vector<PlanSpec> specs = {Question(), rejects, ports, sessions};
  std::string text = kHeader;
  for (int i = 0; i < 200; ++i)
    text += Line("10.0.0." + std::to_string(i % 7), i % 3, i, 1000 + i, 1060 + i, i % 5 == 0 ? "REJECT" : "ACCEPT");
  std::vector<Aggregation> held, alone;
  std::vector<Aggregation*> all;
  for (const PlanSpec& spec : specs) {
    held.push_back(*Aggregation::Make(PlanOf(spec)));
    alone.push_back(*Aggregation::Make(PlanOf(spec)));
    ASSERT_TRUE(alone.back().Update({Source::Bytes("", std::string_view(text))}, {}).ok());
  }
  for (Aggregation& one : held) all.push_back(&one);
  Feeder feeder = Feeder::Into(all);
  for (size_t at = 0; at < text.size(); at += 700) {
    ASSERT_TRUE(feeder.Feed(text.substr(at, 700)).ok());
    if (at % 1400 == 0) {
      ASSERT_TRUE(feeder.Flush().ok());
    }
  }
  ASSERT_TRUE(feeder.Finish().ok());
  for (size_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i].ToBytes(), alone[i].ToBytes()) << i;
}

TEST(Feeder, BatchesOfASelection) {
  PlanSpec spec;
  spec.where = "dstport = 22";
  spec.select = {"srcaddr", "bytes"};
  std::string text = kHeader, got;
  for (int i = 0; i < 5000; ++i) text += Line("10.0.0.1", 22 + i % 2, i);
  const auto feed = [&](const PlanSpec& s, size_t* batches) {
    got.clear();
    *batches = 0;
    Feeder feeder = Feeder::Batches(PlanOf(s), [&](const Table& rows) {
      EXPECT_GT(rows.rows, 0u);
      ++*batches;
      got += ToJsonLines(rows);
    });
    for (size_t at = 0; at < text.size(); at += 1400) EXPECT_TRUE(feeder.Feed(text.substr(at, 1400)).ok());
    return feeder.Finish();
  };
  size_t batches = 0;
  ASSERT_TRUE(feed(spec, &batches).ok());
  EXPECT_EQ(got, vpcflow_testing::RunToJson(spec, {Source::Bytes("", std::string_view(text))}));
  EXPECT_GT(batches, 1u);
  spec.limit = 3;
  ASSERT_TRUE(feed(spec, &batches).ok());
  EXPECT_EQ(got, vpcflow_testing::RunToJson(spec, {Source::Bytes("", std::string_view(text))}));

  PlanSpec sorted = spec;
  sorted.sort = {{"bytes", true}};
  for (const PlanSpec& wrong : {Question(), sorted}) {
    Feeder feeder = Feeder::Batches(PlanOf(wrong), [](const Table&) {});
    EXPECT_EQ(ErrorKindOf(feeder.Feed("x")), ErrorKind::kPlan);
    EXPECT_EQ(ErrorKindOf(feeder.Finish()), ErrorKind::kPlan);
  }
}

TEST(Feeder, ErrorsStayAndWhatStandsBeforeThemIsKept) {
  const std::string packed = Gzip(kHeader + Line("10.0.0.1", 22, 5));
  Aggregation held = *Aggregation::Make(PlanOf(Question()));
  ScanOptions options;
  options.block_bytes = 64;
  Feeder feeder = Feeder::Into(&held, "tcp", options);
  ASSERT_TRUE(feeder.Feed(packed).ok());
  absl::Status status = feeder.Feed("this is no gzip member, and more than one block of it: ............");
  EXPECT_EQ(ErrorKindOf(status), ErrorKind::kDamaged);
  EXPECT_THAT(std::string(status.message()), HasSubstr("tcp: has bytes behind its last gzip member"));
  EXPECT_EQ(ErrorOf(status).place.source, "tcp");
  EXPECT_EQ(feeder.Feed(packed), status);
  EXPECT_EQ(feeder.Flush(), status);
  EXPECT_EQ(feeder.Finish(), status);
  EXPECT_EQ(held.groups(), 1u);
  EXPECT_EQ(feeder.report().errors.size(), 1u);
  EXPECT_TRUE(absl::IsFailedPrecondition(feeder.Feed("x")));
}

TEST(Feeder, AFieldThatNoLineHasIsAnErrorOnceAsked) {
  PlanSpec spec = Question();
  spec.by = {"vpc_id"};
  Aggregation held = *Aggregation::Make(PlanOf(spec));
  Feeder feeder = Feeder::Into(&held);
  ASSERT_TRUE(feeder.Feed(kHeader + Line("10.0.0.1", 22, 5)).ok());
  EXPECT_EQ(ErrorKindOf(feeder.Flush()), ErrorKind::kMissingField);
  EXPECT_EQ(held.groups(), 0u);
  // Another header has it.
  ASSERT_TRUE(feeder.Feed("vpc-id bytes dstport action log-status start\nvpc-1 5 22 ACCEPT OK 1000\n").ok());
  EXPECT_TRUE(feeder.Flush().ok());
  EXPECT_EQ(held.groups(), 2u);
  EXPECT_TRUE(feeder.Finish().ok());
}

TEST(Feeder, LimitsOfMemoryAndNothingAtAll) {
  Aggregation held = *Aggregation::Make(PlanOf(Question()));
  ScanOptions options;
  options.max_memory = 20'000;
  Feeder feeder = Feeder::Into(&held, "s", options);
  absl::Status status;
  for (int i = 0; i < 100'000 && status.ok(); ++i) {
    status = feeder.Feed(Line(absl::StrCat("10.0.", i / 256, ".", i % 256), 1, 1));
    if (i % 100 == 0) status.Update(feeder.Flush());  // what was shown counts
  }
  EXPECT_EQ(ErrorKindOf(status), ErrorKind::kMemory);

  for (const std::string& nothing : {std::string(), std::string("\n\n"), kHeader}) {
    Feeder none = Feeder::Into(&held);
    EXPECT_TRUE(none.Feed(nothing).ok());
    EXPECT_TRUE(none.Flush().ok());
    EXPECT_EQ(ErrorKindOf(none.Finish()), ErrorKind::kNoRecords);
  }
  EXPECT_EQ(ErrorKindOf(Feeder::Into(std::vector<Aggregation*>()).Feed("x")), ErrorKind::kPlan);
}

TEST(Feeder, WhatAVisitThrowsLeavesTheCall) {
  ScanOptions options;
  options.block_bytes = 64;
  Feeder feeder = Feeder::Records([](const RecordView&) { throw std::runtime_error("mine"); }, "s", options);
  const std::string text = kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.1", 22, 5);
  EXPECT_THROW((void)feeder.Feed(text), std::runtime_error);
  EXPECT_TRUE(feeder.Feed(text).ok());  // nothing of it is taken
}

}  // namespace
}  // namespace vpcflow
