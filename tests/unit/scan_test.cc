#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "src/scan/block.h"
#include "src/scan/driver.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;
using vpcflow_testing::Gzip;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;
using vpcflow_testing::RunToJson;
using vpcflow_testing::TempDir;

PlanSpec SumSpec() {
  PlanSpec spec;
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}};
  return spec;
}

std::string Sum(const std::string& log, const ScanOptions& options = {}, Report* report = nullptr) {
  return RunToJson(SumSpec(), {Source::Bytes("log", std::string_view(log))}, options, report);
}

TEST(Scan, ShapesOfTheSameLog) {
  const std::string a = Line("10.0.0.1", 22, 5), b = Line("10.0.0.2", 443, 7), want = "{\"n\": 2, \"bytes\": 12}\n";
  const auto replace = [](std::string s, const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = s.find(from, at)) != std::string::npos; at += to.size()) s.replace(at, from.size(), to);
    return s;
  };
  const std::string log = kHeader + a + b;
  for (const std::string& text :
       {log, a + b, log.substr(0, log.size() - 1), replace(log, "\n", "\r\n"), "\xEF\xBB\xBF" + log,
        "\xEF\xBB\xBF" + a + b, "\n\n" + log, replace(log, "\n", "\n\n"), replace(log, " ", "   "),
        replace(log, " ", "\t"), kHeader + a + kHeader + b, a + kHeader + b, kHeader + a + "\xEF\xBB\xBF" + kHeader + b,
        log + "\n\n", kHeader + a + "srcaddr bytes\n10.0.0.9 7\n", "bytes start end\n5 1000 1060\n" + kHeader + b,
        replace(log, "\n", " \r\n")}) {
    for (size_t block : {size_t{64}, size_t{65}, size_t{100}, size_t{131}, size_t{1} << 17}) {
      ScanOptions options;
      options.block_bytes = block;
      options.threads = block == 100 ? 3 : 1;
      Report report;
      EXPECT_EQ(Sum(text, options, &report), want) << text;
      EXPECT_EQ(report.rejected(), 0u) << text;
      const std::string packed = Gzip(text);
      EXPECT_EQ(Sum(packed, options), want);
    }
  }
}

// Every split point: the block size decides where blocks end, the answer does not depend on it.
TEST(Scan, AnyBlockSizeGivesTheSameBytes) {
  std::string log = kHeader;
  for (int i = 0; i < 60; ++i)
    log += i % 11 == 3   ? "bad line " + std::to_string(i) + "\n"
           : i % 17 == 5 ? kHeader
                         : Line("10.0.0." + std::to_string(i % 7), i, i * 100, 1000 + i, 1060 + i);
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.every = 30;
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"first", "first(dstport)"}, {"last", "last(dstport)"}};
  std::string want;
  std::vector<std::string> want_rejects;
  for (size_t block = 64; block < 330; ++block) {
    ScanOptions options;
    options.block_bytes = block;
    options.threads = static_cast<int>(1 + block % 4);
    Report report;
    const std::string got = RunToJson(spec, {Source::Bytes("log", std::string_view(log))}, options, &report);
    std::vector<std::string> rejects;
    for (const Reject& r : report.rejects) rejects.push_back(r.ToString());
    if (want.empty()) {
      want = got;
      want_rejects = rejects;
      EXPECT_EQ(rejects.size(), 6u);
      EXPECT_THAT(rejects[0], HasSubstr("log:5:"));
    }
    ASSERT_EQ(got, want) << block;
    ASSERT_EQ(rejects, want_rejects) << block;
  }
}

// Where blocks end does not depend on which blocks they are read into: with several threads that is chance.
TEST(Scan, BlocksEndWhereTheyEndWhateverTheirRoom) {
  const std::string packed = Gzip(kHeader + Line("10.0.0.1", 22, 5) + std::string(5000, 'x') + "\n" +
                                  Line("10.0.0.2", 443, 7) + std::string(900, 'y') + "\n" + Line("10.0.0.3", 1, 9));
  const Source source = Source::Bytes("log", std::string_view(packed));
  const auto texts = [&](std::vector<internal::Block> blocks) {
    internal::BlockReader reader(source, Container::kAuto, nullptr, 64, 1024, 1 << 20, /*shared=*/false, nullptr);
    std::vector<std::string> out;
    for (size_t i = 0;; ++i) {
      internal::Block& block = blocks[i % blocks.size()];
      const absl::StatusOr<bool> more = reader.Next(&block);
      EXPECT_TRUE(more.ok());
      if (!more.ok() || !*more) return out;
      out.push_back(std::to_string(block.offset) + (block.long_line ? " long " : " ") + std::string(block.text));
    }
  };
  std::vector<internal::Block> one(1), some(3), large(2);
  for (internal::Block& block : large) {
    block.capacity = 4000;
    block.storage = std::make_unique<char[]>(block.capacity);
  }
  const std::vector<std::string> want = texts(std::move(one));
  EXPECT_EQ(want.size(), 5u);
  EXPECT_EQ(texts(std::move(some)), want);
  EXPECT_EQ(texts(std::move(large)), want);
}

// What several threads read of a file beside each other is what one reads, cut at the same places: long lines, bytes
// before the first line, an end without line end, and whatever size the blocks have.
TEST(Scan, BlocksReadByTheirThreadsAreThoseOfOne) {
  std::string log = "\xEF\xBB\xBF" + kHeader;
  for (int i = 0; i < 600; ++i)
    log += i % 13 == 5   ? "bad line " + std::to_string(i) + "\n"
           : i % 97 == 3 ? std::string(1500 + 20 * i, 'x') + "\n"
           : i % 53 == 4 ? "srcaddr bytes\n10.0.0.9 " + std::to_string(i) + "\n" + kHeader
                         : Line("10.0.0." + std::to_string(i % 7), i, i * 100);
  log += "2 the end";
  TempDir dir;
  const Source source = Source::File(dir.Write("flow.log", log));
  for (const size_t block_bytes : {64, 65, 100, 131, 257, 1000, 2047, 2048, 2049, 5000, 1 << 17}) {
    const auto blocks = [&](bool shared) {
      std::atomic<uint64_t> stored = 0;
      internal::BlockReader reader(source, Container::kAuto, nullptr, block_bytes, 1024, 0, shared, &stored);
      std::vector<std::string> out;
      size_t unread = 0;
      for (internal::Block block;;) {
        const absl::StatusOr<bool> more = reader.Next(&block);
        EXPECT_TRUE(more.ok()) << more.status();
        if (!more.ok() || !*more) break;
        unread += block.unread;
        EXPECT_TRUE(reader.Fill(&block).ok());
        out.push_back(std::to_string(out.size()) + " " + std::to_string(block.offset) +
                      (block.long_line ? " long " : " ") + std::string(block.text));
      }
      EXPECT_EQ(unread > 0, shared && block_bytes >= 100 && block_bytes < 1 << 17) << block_bytes;  // longer than lines
      EXPECT_EQ(stored, log.size()) << block_bytes;
      return out;
    };
    ASSERT_EQ(blocks(true), blocks(false)) << block_bytes;
    std::vector<std::string> want;
    for (const int threads : {1, 2, 5}) {
      ScanOptions options;
      options.block_bytes = block_bytes;
      options.max_line_bytes = 1024;
      options.threads = threads;
      Report report;
      std::vector<std::string> got = {RunToJson(SumSpec(), {source}, options, &report)};
      for (const Reject& r : report.rejects) got.push_back(r.ToString());
      if (threads == 1) want = got;
      ASSERT_EQ(got, want) << block_bytes << " " << threads;
    }
    EXPECT_GT(want.size(), 10u);
  }
}

class OnEachBlock final : public internal::BlockHandler {
 public:
  explicit OnEachBlock(const std::function<void()>& call) : call_(call) {}
  bool OnBlock(const internal::ResolvedBlock&) override {
    call_();
    return true;
  }

 private:
  const std::function<void()>& call_;
};

// A file that is cut while it is read: the lines that were whole are counted, and the error is told once.
TEST(Scan, FilesCutWhileTheirBlocksAreReadLoseNoLineAndAreToldOnce) {
  std::string log = kHeader;
  for (int i = 0; i < 3000; ++i) log += Line("10.0.0.1", i, i);
  TempDir dir;
  for (const size_t left : {5000, 40000, 100000}) {
    const std::string path = dir.Write("flow.log", log);
    const Source source = Source::File(path);
    internal::BlockReader reader(source, Container::kAuto, nullptr, 65536, 1024, 0, /*shared=*/true, nullptr);
    internal::Block first, second;
    ASSERT_TRUE(*reader.Next(&first) && *reader.Next(&second));
    ASSERT_GT(second.unread, 0u);
    std::filesystem::resize_file(path, left);
    const size_t whole = log.rfind('\n', left - 1) + 1;
    const absl::Status cut = reader.Fill(&second);
    EXPECT_EQ(cut.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(cut.message()), HasSubstr("flow.log: the file changed while it was read"));
    EXPECT_EQ(second.text, whole > second.offset ? log.substr(second.offset, whole - second.offset) : "");

    for (const int threads : {1, 2, 4}) {
      dir.Write("flow.log", log);
      ScanOptions options;
      options.threads = threads;
      options.block_bytes = 4096;
      Report report;
      std::atomic<bool> is_cut = false;
      const std::function<void()> cut_once = [&] {
        if (!is_cut.exchange(true)) std::filesystem::resize_file(path, left);
      };
      ASSERT_TRUE(internal::RunScan(
                      {source}, options, internal::TableReads(), /*in_order=*/false,
                      [&](Report*) { return std::make_unique<OnEachBlock>(cut_once); }, &report)
                      .ok());
      if (report.errors.empty()) {  // other threads had read the rest before the first of them cut it
        ASSERT_EQ(report.lines, 3001u) << threads;
        continue;
      }
      ASSERT_EQ(report.errors.size(), 1u) << threads;
      EXPECT_EQ(report.errors[0].code(), absl::StatusCode::kDataLoss);
      const auto kept = static_cast<size_t>(std::count(log.begin(), log.begin() + static_cast<ptrdiff_t>(left), '\n'));
      EXPECT_GE(report.lines, kept) << threads;  // more, if others had read beyond before
      if (threads == 1) {
        EXPECT_EQ(report.lines, kept);
      }
    }
  }
}

#ifdef __GLIBC__
// A limit of threads (a container's, a user's) is no reason to fail: the scan goes on with those there are.
TEST(Scan, ThreadsThatCannotBeStartedAreDoneWithout) {
  const std::string log = kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.2", 443, 7);
  pthread_attr_t before, impossible;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(pthread_attr_init(&impossible), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&impossible, size_t{1} << 50), 0);  // no such address space
  ASSERT_EQ(pthread_setattr_default_np(&impossible), 0);
  ScanOptions options;
  options.threads = 4;
  std::string got[2];
  got[0] = Sum(log, options);
  options.poll = [](const Progress&) { return true; };
  got[1] = Sum(log, options);
  EXPECT_THROW(std::thread([] {}).join(), std::system_error);
  ASSERT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_EQ(got[0], "{\"n\": 2, \"bytes\": 12}\n");
  EXPECT_EQ(got[1], got[0]);
}
#endif

TEST(Scan, ExceptionsOfTheCallersCodeReachTheCaller) {
  std::string log = kHeader;
  for (int i = 0; i < 2000; ++i) log += Line("10.0.0.1", 22, i);
  for (const int threads : {1, 4}) {
    ScanOptions options;
    options.threads = threads;
    options.block_bytes = 1000;
    vpcflow::Scan scan(std::vector<Source>{Source::Bytes("log", std::string_view(log))});
    scan.Options(options).Where([](const RecordView& r) {
      if (r.bytes() == 1500) throw std::runtime_error("mine");
      return true;
    });
    Count count;
    EXPECT_THROW((void)scan.Into(&count), std::runtime_error);
    options.poll = [](const Progress&) -> bool { throw std::runtime_error("mine"); };
    Source endless = Source::Stream("endless", [](char* buffer, size_t size) -> absl::StatusOr<size_t> {
      buffer[0] = '\n';
      return size > 0 ? 1 : 0;
    });
    EXPECT_THROW((void)Plan::Make(SumSpec())->Run({endless}, options), std::runtime_error);
  }
}

TEST(Scan, RejectsHaveTheirPlace) {
  const std::string good = Line("10.0.0.1", 22, 5);
  const std::string log = kHeader + good + "2 1 eni-1\n" + Line("10.0.0.1", 22, 1) +
                          "2 1 e 10.0.0.999 1.1.1.1 1 2 6 1 1 1 1 ACCEPT OK\n" + good;
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"n", "count()"}};
  Report report;
  EXPECT_EQ(RunToJson(spec, {Source::Bytes("a.log", std::string_view(log))}, {}, &report),
            "{\"srcaddr\": \"10.0.0.1\", \"n\": 3}\n");
  ASSERT_EQ(report.rejects.size(), 2u);
  EXPECT_EQ(report.rejects[0].reason, Errc::kTooFewFields);
  EXPECT_EQ(report.rejects[0].line, 3u);
  EXPECT_EQ(report.rejects[0].byte_offset, kHeader.size() + good.size());
  EXPECT_EQ(report.rejects[1].reason, Errc::kNotAnAddress);
  EXPECT_EQ(report.rejects[1].field, "srcaddr");
  EXPECT_EQ(report.rejects[1].column, 7u);
  EXPECT_EQ(report.rejects[1].line, 5u);
  EXPECT_THAT(report.rejects[1].ToString(), HasSubstr("a.log:5:7: srcaddr: not-an-address"));
}

TEST(Scan, OnErrorStopsNullsOrSkips) {
  const std::string log =
      kHeader + Line("10.0.0.1", 22, 5) + "2 1 e 10.0.0.2 1.1.1.1 1 2 6 1 x9 1 1 ACCEPT OK\n" + Line("10.0.0.1", 22, 7);
  ScanOptions options;
  options.on_error = OnError::kStop;
  EXPECT_THAT(Sum(log, options), HasSubstr("log:3:32: bytes: not-a-number"));
  options.on_error = OnError::kNull;
  Report report;
  EXPECT_EQ(Sum(log, options, &report), "{\"n\": 3, \"bytes\": 12}\n");
  EXPECT_EQ(report.nulled_values, 1u);
  EXPECT_EQ(report.rejected(), 0u);
  options.on_error = OnError::kSkip;
  EXPECT_EQ(Sum(log, options, &report), "{\"n\": 2, \"bytes\": 12}\n");
}

// T3, T5: a long line and control bytes cost themselves only.
TEST(Scan, T3LongLinesAndT5ControlBytes) {
  std::string log = kHeader;
  for (int i = 0; i < 1000; ++i) log += Line("10.0.0.1", 22, 1);
  std::string hostile = log + std::string(4 << 20, 'x') + "\n" + Line("10.0.0.1", 22, 1) +
                        "2 1 e 10.0.0.2 1.1.1.1 1 2 6 1 1 1 1 ACC" + std::string(1, '\0') + "PT OK\n" +
                        Line("10.0.0.1", 22, 1) + "2 1 e \x1b[31m 1.1.1.1 1 2 6 1 1 1 1 ACCEPT OK\n" +
                        log.substr(kHeader.size());
  for (const std::string& bytes : {hostile, Gzip(hostile)}) {
    for (int threads : {1, 2}) {
      ScanOptions options;
      options.threads = threads;
      Report report;
      EXPECT_EQ(Sum(bytes, options, &report), "{\"n\": 2002, \"bytes\": 2002}\n");
      EXPECT_EQ(report.rejects_by_reason[static_cast<size_t>(Errc::kLineTooLong)], 1u);
      EXPECT_EQ(report.rejects_by_reason[static_cast<size_t>(Errc::kControlByte)], 2u);
      EXPECT_EQ(report.rejects[0].line, 1002u);
      EXPECT_EQ(report.rejects[1].line, 1004u);
      for (const Reject& r : report.rejects) {
        for (char c : r.ToString()) EXPECT_TRUE(c >= 0x20 && c < 0x7F);
        EXPECT_LE(r.excerpt.size(), 210u);
      }
    }
  }
}

TEST(Scan, FormatErrorsListCandidates) {
  EXPECT_THAT(
      RunToJson(SumSpec(),
                {Source::Bytes(
                    "x.log", std::string_view("127.0.0.1 - - [10/Oct/2000:13:55:36] \"GET / HTTP/1.0\" 200 2326\n"))}),
      HasSubstr("\"n\": 0"));
  const auto error_of = [](std::string_view text) {
    Report report;
    RunToJson(SumSpec(), {Source::Bytes("x.log", text)}, {}, &report);
    return std::string(report.status().message());
  };
  EXPECT_THAT(error_of("127.0.0.1 - - GET\n"),
              HasSubstr("x.log: no header line, and its lines do not fit AWS's default format (tried 1)"));
  const std::string v3 =
      "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1 2 ACCEPT OK vpc-1 subnet-1 i-1 2 IPv4 "
      "10.0.0.1 10.0.0.2\n";
  Report inferred;
  EXPECT_THAT(RunToJson(SumSpec(), {Source::Bytes("x.log", std::string_view(v3))}, {}, &inferred),
              HasSubstr("\"n\": 1"));
  EXPECT_THAT(inferred.warnings, ElementsAre(AllOf(HasSubstr("taken to be v3 (1 of 1 lines)"),
                                                   HasSubstr("none of AWS's other 19 formats fits"))));
  // Two formats fit lines that say nothing, and one that fits too few lines is no better.
  EXPECT_THAT(error_of("- - - - - - - - - - - - - - - - - - - - -\n"),
              HasSubstr("candidates: v3 (1 of 1 lines), v3 in alphabetical order (1 of 1 lines)"));
  EXPECT_THAT(error_of(v3 + "a\nb\n"), HasSubstr("candidates: v3 (1 of 3 lines); give the format"));
  EXPECT_THAT(error_of("PAR1....."), HasSubstr("Parquet"));
  EXPECT_EQ(error_of("{\"events\": []}"), "");
  EXPECT_EQ(error_of(""), "");
  EXPECT_EQ(error_of("\n\n"), "");
}

TEST(Scan, GivenFormatsAndHeaders) {
  const std::string alphabetical = "ACCEPT 40 10.0.0.2 22 OK 10.0.0.1\n";
  const std::string names = "action bytes dstaddr dstport log-status srcaddr";
  ScanOptions options;
  options.format.emplace();
  FormatError error;
  ASSERT_TRUE(Format::Parse(names, &*options.format, &error));
  EXPECT_EQ(Sum(alphabetical, options), "{\"n\": 1, \"bytes\": 40}\n");
  EXPECT_EQ(Sum(names + "\n" + alphabetical), "{\"n\": 1, \"bytes\": 40}\n");
  EXPECT_EQ(Sum(kHeader + Line("10.0.0.1", 22, 5), options), "{\"n\": 1, \"bytes\": 5}\n");  // the header line wins
}

TEST(Scan, DamageEndsInAnErrorAfterWhatCouldBeRead) {
  TempDir dir;
  std::string log = kHeader;
  for (int i = 0; i < 5000; ++i) log += Line("10.0.0.1", i, i);
  std::string packed = Gzip(log);
  packed.resize(packed.size() / 2);
  const std::string cut = dir.Write("cut.log.gz", packed), good = dir.Write("good.log", log);
  for (int threads : {1, 2, 4}) {
    ScanOptions options;
    options.threads = threads;
    Report report;
    RunToJson(SumSpec(), {Source::File(cut), Source::File(good), Source::File(dir / "missing.log")}, options, &report);
    EXPECT_GT(report.records(), 5000u);
    EXPECT_LT(report.records(), 10000u);
    EXPECT_EQ(report.rejected(), 0u);
    ASSERT_EQ(report.errors.size(), 2u);
    EXPECT_TRUE(absl::IsDataLoss(report.errors[0]));
    EXPECT_TRUE(absl::IsNotFound(report.errors[1]));
  }
}

TEST(Reader, WalksAndStopsAtTheFirstReject) {
  TempDir dir;
  const std::string path =
      dir.Write("a.log", kHeader + Line("10.0.0.1", 22, 5) + Line("10.0.0.1", 99999, 5) + Line("10.0.0.1", 22, 5));
  absl::StatusOr<Reader> reader = Reader::Open(path);
  ASSERT_TRUE(reader.ok());
  int n = 0;
  for (const RecordView& record : *reader) {
    EXPECT_EQ(record.line_number(), static_cast<uint64_t>(2 + n));
    n += record.dstport().has_value();
  }
  EXPECT_EQ(n, 1);
  EXPECT_THAT(std::string(reader->status().message()), HasSubstr(":3:"));
  EXPECT_THAT(std::string(reader->status().message()), HasSubstr("dstport: out-of-range"));
  ScanOptions options;
  options.on_error = OnError::kSkip;
  absl::StatusOr<Reader> lenient = Reader::Open(path, options);
  n = 0;
  for (const RecordView& record : *lenient) n += record.dstport().has_value();
  EXPECT_EQ(n, 2);
  EXPECT_TRUE(lenient->status().ok());
  EXPECT_EQ(lenient->report().rejected(), 1u);
  EXPECT_EQ(lenient->report().ok, 2u);
}

TEST(Scan, NodataAndSkipdataAreCountedApart) {
  const std::string log =
      kHeader + Line("10.0.0.1", 22, 5) +
      "2 1 eni-1 - - - - - - - 1 2 - NODATA\n2 1 eni-2 10.0.0.1 10.0.0.2 1 2 6 1 999 1 2 ACCEPT SKIPDATA\n";
  Report report;
  EXPECT_EQ(Sum(log, {}, &report), "{\"n\": 1, \"bytes\": 5}\n");
  EXPECT_EQ(report.ok, 1u);
  EXPECT_EQ(report.nodata, 1u);
  EXPECT_EQ(report.skipdata, 1u);
  PlanSpec spec;
  spec.by = {"log_status"};
  spec.aggs = {{"n", "count()"}};
  EXPECT_EQ(RunToJson(spec, {Source::Bytes("l", std::string_view(log))}),
            "{\"log_status\": \"NODATA\", \"n\": 1}\n{\"log_status\": \"OK\", \"n\": 1}\n{\"log_status\": "
            "\"SKIPDATA\", \"n\": 1}\n");
}

// They are dropped as their lines are taken; what is known of their source and counted of them stays.
TEST(Scan, RecordsWithoutTrafficAlone) {
  const std::string malformed = "2 1 eni-1 - - - - - - x 1 2 - NODATA\n";
  std::string log = kHeader;
  for (int i = 0; i < 1500; ++i) log += "2 1 eni-1 - - - - - - - 1 2 - NODATA\n";
  Report report;
  EXPECT_EQ(Sum(log + malformed, {}, &report), "{\"n\": 0, \"bytes\": 0}\n");
  EXPECT_EQ(report.nodata, 1501u);
  EXPECT_EQ(report.rejected(), 0u);  // of a value that nobody asked for
  PlanSpec spec;
  spec.by = {"dstport"};
  spec.aggs = {{"n", "count()"}};
  EXPECT_EQ(RunToJson(spec, {Source::Bytes("l", std::string_view(log))}), "");
  spec.check_all = true;
  log += malformed;
  EXPECT_EQ(RunToJson(spec, {Source::Bytes("l", std::string_view(log))}, {}, &report), "");
  EXPECT_EQ(report.nodata, 1500u);
  ASSERT_EQ(report.rejected(), 1u);
  EXPECT_EQ(report.rejects[0].line, 1502u);
}

}  // namespace
}  // namespace vpcflow
