// What can be read only once: streams, pipes and standard input; callbacks that misbehave; what waits.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "src/scan/block.h"
#include "src/source/duplicate_finder.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vpcflow_testing::Gzip;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;
using vpcflow_testing::TempDir;

std::string LongLog() {
  std::string log = kHeader + Line("10.0.0.1", 22, 12345678);
  for (int i = 0; i < 5000; ++i) log += Line("10.0.0.2", 22, 12345678);
  return log;
}

// A stream of bytes that must outlive it, in steps.
Source StreamOf(const std::string& bytes, size_t step = 777) {
  return Source::Stream("s",
                        [&bytes, step, at = size_t{0}](char* buffer, size_t size) mutable -> absl::StatusOr<size_t> {
                          const size_t n = std::min({size, bytes.size() - at, step});
                          bytes.copy(buffer, n, at);
                          at += n;
                          return n;
                        });
}

struct Answer {
  std::string rows;
  absl::Status status;
};

Answer Count(const std::vector<Source>& sources, ScanOptions options = {}, std::optional<uint64_t> limit = {}) {
  PlanSpec spec;
  if (limit) {
    spec.select = {"bytes"};
    spec.limit = limit;
  } else {
    spec.aggs = {{"n", "count()"}, {"lo", "min(bytes)"}};
  }
  Result partial;
  const absl::StatusOr<Result> result = Plan::Make(spec)->Run(sources, options, &partial);
  return {ToJsonLines(result.ok() ? result->table : partial.table), result.status()};
}

constexpr char kAlready[] = "this stream was already read; read it into bytes, or scan it once";
constexpr char kAll[] = "{\"n\": 5001, \"lo\": 12345678}\n";

TEST(ReadOnce, ASecondScanIsAnError) {
  const std::string log = LongLog();
  for (const std::string& bytes : {log, Gzip(log)}) {
    for (const bool peek : {false, true}) {
      const Source source = StreamOf(bytes), copy = source;
      if (peek) {
        EXPECT_THAT(*PeekFormats(source, {}), ElementsAre(Format::Default()));
        EXPECT_THAT(*PeekFormats(copy, {}), ElementsAre(Format::Default()));
      }
      const Answer first = Count({copy});
      EXPECT_EQ(first.rows, kAll);
      EXPECT_TRUE(first.status.ok()) << first.status;
      for (const Source& again : {source, copy}) {
        const Answer second = Count({again});
        EXPECT_EQ(second.status.code(), absl::StatusCode::kUnavailable);
        EXPECT_EQ(second.status.message(), absl::StrCat("s: ", kAlready));
        EXPECT_THAT(*PeekFormats(again, {}), ElementsAre(Format::Default()));
      }
    }
  }
}

TEST(ReadOnce, APartIsAllThatIsGiven) {
  const std::string log = LongLog();
  const Source source = StreamOf(log);
  EXPECT_EQ(Count({source}, {}, 1).rows, "{\"bytes\": 12345678}\n");
  EXPECT_THAT(std::string(Count({source}).status.message()), HasSubstr(kAlready));
}

TEST(ReadOnce, TwiceInOneScan) {
  const std::string log = LongLog();
  const Source source = StreamOf(log);
  const Answer answer = Count({source, source});
  EXPECT_THAT(std::string(answer.status.message()), HasSubstr(kAlready));
}

TEST(ReadOnce, OneOfFourThreadsWins) {
  const std::string log = LongLog();
  for (const bool peek : {false, true}) {
    const Source source = StreamOf(log);
    std::atomic<int> right = 0, refused = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        EXPECT_TRUE(!peek || PeekFormats(source, {}).ok());
        const Answer answer = Count({source});
        right += answer.status.ok() && answer.rows == kAll;
        refused += absl::IsUnavailable(answer.status);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, 1);
    EXPECT_EQ(refused, 3);
  }
}

TEST(ReadOnce, PipesByTheirPath) {
  TempDir dir;
  const std::string fifo = dir / "fifo", log = LongLog();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const bool peek : {false, true}) {
    std::thread writer([&] { std::ofstream(fifo, std::ios::binary) << log; });
    const Source source = Source::File(fifo), copy = source;
    if (peek) {
      EXPECT_THAT(*PeekFormats(copy, {}), ElementsAre(Format::Default()));
      EXPECT_THAT(*PeekFormats(source, {}), ElementsAre(Format::Default()));
    }
    const Answer first = Count({source});
    EXPECT_EQ(first.rows, kAll) << first.status;
    EXPECT_THAT(std::string(Count({copy}).status.message()), HasSubstr(kAlready));
    writer.join();
  }
}

TEST(ReadOnce, AReopenedSourceIsReadByEachScanFromItsBeginning) {
  const std::string log = LongLog();
  const Source source = Source::Reopened(
      "again", [&](const Source::Cancelled&) { return Source::Bytes("", std::string_view(log)).Open(nullptr); });
  EXPECT_EQ(PeekFormats(source, {})->size(), 1u);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { EXPECT_EQ(Count({source, source}).rows.substr(0, 11), "{\"n\": 10002"); });
  for (std::thread& thread : threads) thread.join();
}

TEST(StreamCallback, ReturnsMoreThanItWasAskedFor) {
  int calls = 0;
  const Source source = Source::Stream("greedy", [&](char*, size_t size) -> absl::StatusOr<size_t> {
    ++calls;
    return size + 100'000;
  });
  EXPECT_THAT(std::string(PeekFormats(source, {}).status().message()), HasSubstr("greedy: the stream's read function"));
  const Answer answer = Count({source});
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(answer.status.message()), HasSubstr("returned 165536 bytes; at most the 65536"));
  EXPECT_EQ(calls, 1);
}

TEST(StreamCallback, IsNotCalledBehindItsErrorOrEnd) {
  const std::string log = kHeader + Line("10.0.0.1", 22, 1);
  for (const bool fails : {false, true}) {
    int calls = 0;
    const Source source = Source::Stream("s", [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
      ++calls;
      if (calls == 2 && fails) return absl::DataLossError("torn");
      if (calls == 2) return 0;
      const size_t n = std::min(size, log.size());
      log.copy(buffer, n);
      return n;
    });
    (void)PeekFormats(source, {});
    const Answer answer = Count({source});
    EXPECT_EQ(answer.rows, "{\"n\": 1, \"lo\": 1}\n");
    EXPECT_EQ(answer.status.message(), fails ? "torn" : "");
    EXPECT_EQ(calls, 2);
  }
}

TEST(StreamCallback, Throws) {
  struct Torn : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const auto source = [] {
    return Source::Stream("s", [](char*, size_t) -> absl::StatusOr<size_t> { throw Torn("torn"); });
  };
  for (const int threads : {1, 3}) {
    ScanOptions options;
    options.threads = threads;
    EXPECT_THROW((void)Count({source()}, options), Torn);
  }
  EXPECT_THROW((void)PeekFormats(source(), {}), Torn);
  EXPECT_THROW((void)Reader({source()}, {}).Next(), Torn);
  const Source once = source();
  EXPECT_THROW((void)PeekFormats(once, {}), Torn);
  EXPECT_THAT(std::string(Count({once}).status.message()), HasSubstr("s: an earlier read of this stream threw"));
}

TEST(StreamCallback, ThatWaitsIsCancelled) {
  const auto source = [] {
    return Source::Stream("slow", [](char*, size_t, const Source::Cancelled& cancelled) -> absl::StatusOr<size_t> {
      while (!cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return absl::CancelledError("slow: cancelled");
    });
  };
  int polls = 0;
  ScanOptions options;
  options.poll = [&](const Progress&) { return ++polls < 3; };
  EXPECT_TRUE(absl::IsCancelled(Count({source()}, options).status));
  polls = 0;
  EXPECT_TRUE(absl::IsCancelled(PeekFormats(source(), options).status()));
  polls = 0;
  Reader reader({source()}, options);
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(absl::IsCancelled(reader.status())) << reader.status();
  polls = 0;
  PlanSpec spec;
  spec.select = {"bytes"};
  BatchReader batches(*Plan::Make(spec), {source()}, options);
  EXPECT_TRUE(absl::IsCancelled(batches.Next(10).status()));
}

// A scan that was cancelled while it looked has lost nothing.
TEST(StreamCallback, GoesOnAfterALookThatWasCancelled) {
  const std::string log = LongLog();
  size_t at = 0;
  bool waits = true;
  const Source source =
      Source::Stream("s", [&](char* buffer, size_t size, const Source::Cancelled& cancelled) -> absl::StatusOr<size_t> {
        if (at > 1000 && waits) {
          while (!cancelled()) std::this_thread::yield();
          return absl::CancelledError("cancelled");
        }
        const size_t n = std::min({size, log.size() - at, size_t{300}});
        log.copy(buffer, n, at);
        at += n;
        return n;
      });
  ScanOptions options;
  int polls = 0;
  options.poll = [&](const Progress&) { return ++polls < 9; };
  EXPECT_TRUE(absl::IsCancelled(PeekFormats(source, options).status()));
  waits = false;
  EXPECT_EQ(Count({source}).rows, kAll);
}

// Lines that are too long, of files, streams and memory: the same report, whatever their length.
TEST(LongLines, OfMemoryAreNotIndexed) {
  TempDir dir;
  ScanOptions options;
  options.block_bytes = 1024;
  options.max_line_bytes = 4096;
  options.threads = 1;
  PlanSpec spec;
  spec.aggs = {{"n", "count()"}};
  for (const size_t length : {1000, 1024, 4095, 4096, 4097, 5119, 5120, 5121, 9000, 100'000}) {
    for (const char* end : {"\n", ""}) {
      const std::string log = kHeader + std::string(length, 'x') + end + (*end == 0 ? "" : Line("10.0.0.1", 22, 1));
      const std::string path = dir.Write("long.log", log);
      Report of_file, of_memory, of_stream;
      const std::string rows = vpcflow_testing::RunToJson(spec, {Source::File(path)}, options, &of_file);
      EXPECT_EQ(vpcflow_testing::RunToJson(spec, {Source::Bytes(path, std::string_view(log))}, options, &of_memory),
                rows);
      EXPECT_EQ(vpcflow_testing::RunToJson(spec, {StreamOf(log)}, options, &of_stream), rows);
      EXPECT_EQ(of_file.rejected(), 1u);
      for (const Report* report : {&of_memory, &of_stream}) {
        EXPECT_EQ(report->rejects_by_reason, of_file.rejects_by_reason) << length;
        EXPECT_EQ(report->lines, of_file.lines) << length;
        EXPECT_EQ(report->text_bytes, of_file.text_bytes) << length;
        EXPECT_EQ(report->rejects[0].byte_offset, of_file.rejects[0].byte_offset);
        EXPECT_EQ(report->rejects[0].excerpt, of_file.rejects[0].excerpt);
      }
    }
  }
  const std::string text = std::string(40'000'000, 'x') + "\n" + Line("10.0.0.1", 22, 1);
  const Source source = Source::Bytes("m", std::string_view(text));
  internal::BlockReader reader(source, Container::kText, nullptr, 1024, 4096, 0, false, nullptr);
  internal::Block block;
  ASSERT_TRUE(*reader.Next(&block));
  EXPECT_TRUE(block.long_line);
  EXPECT_LT(block.text.size(), 1024u);
  ASSERT_TRUE(*reader.Next(&block));
  EXPECT_EQ(block.offset, 40'000'001u);
  EXPECT_FALSE(block.long_line);
}

// Places in a text have 32 bits.
TEST(LongLines, FourGibibytesAreRefused) {
  const size_t size = size_t{5} << 30;
  void* pages = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  const std::string_view text(static_cast<const char*>(pages), size);
  RecordParser parser(Format::Default());
  RecordView record;
  EXPECT_EQ(parser.Parse(text, &record), Errc::kLineTooLong);
  TokenIndex index;
  IndexTokens(text.data(), text.size(), &index);
  EXPECT_EQ(index.line_count(), 0u);
  munmap(pages, size);
  ScanOptions options;
  options.block_bytes = options.max_line_bytes = SIZE_MAX;
  const std::string log = LongLog();
  EXPECT_EQ(Count({Source::Bytes("m", std::string_view(log))}, options).rows, kAll);
}

// Each is read once for its digest, and compared with one other at most.
TEST(Duplicates, AreFoundInOnePass) {
  TempDir dir;
  constexpr size_t kFiles = 400;
  std::vector<Source> sources;
  for (size_t i = 0; i < kFiles; ++i) {  // the same size and beginning; every fourth is as its neighbour
    const std::string log = kHeader + Line("10.0.0.1", 22, 1'000'000 + static_cast<int64_t>(i - i % 4 / 3));
    sources.push_back(Source::File(dir.Write(absl::StrCat(1000 + i, ".log"), log)));
  }
  internal::DuplicateFinder finder(sources);
  for (size_t i = 0; i < kFiles; ++i) {
    size_t same_as = 0;
    EXPECT_NE(finder.Open(i, &same_as), nullptr);
    EXPECT_EQ(same_as, i % 4 == 3 ? i - 1 : kNoDuplicate);
  }
  EXPECT_EQ(finder.read(), kFiles);
  EXPECT_EQ(finder.compared(), kFiles / 4);
}

}  // namespace
}  // namespace vpcflow
