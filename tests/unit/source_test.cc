#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <random>
#include <thread>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;
using vpcflow_testing::Gzip;
using vpcflow_testing::TempDir;

// Reads everything; `chunk` bytes at a time.
std::string ReadAll(const Source& source, absl::Status* status, size_t chunk = 1000) {
  std::string out, buffer(chunk, '\0');
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenText(source, nullptr);
  *status = stream.status();
  while (stream.ok()) {
    absl::StatusOr<size_t> n = (*stream)->Read(buffer.data(), buffer.size());
    *status = n.status();
    if (!n.ok() || *n == 0) break;
    out.append(buffer, 0, *n);
  }
  return out;
}

TEST(Source, PlainGzipAndManyMembers) {
  absl::Status status;
  const std::string a(5000, 'a'), b = "bcd";
  for (size_t chunk : {1u, 7u, 1000u, 100000u}) {
    const std::string one = Gzip(a), two = Gzip(a) + Gzip(b), empty_last = Gzip(a) + Gzip(""),
                      padded = Gzip(a) + std::string(300, '\0');
    EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(a)), &status, chunk), a);
    EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(one)), &status, chunk), a);
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(two)), &status, chunk), a + b);
    EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(empty_last)), &status, chunk), a);
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(padded)), &status, chunk), a);
    EXPECT_TRUE(status.ok()) << status;
  }
}

// The decoder may look ahead into the input and may be stopped anywhere by the output's size.
TEST(Source, GzipInPiecesOfEverySize) {
  std::mt19937 random(7);
  std::string text, packed;
  for (int member = 0; member < 100; ++member) {
    std::string part(random() % 3 == 0 ? random() % 70'000 : random() % 40, '\0');
    for (char& c : part) c = static_cast<char>('a' + random() % (member % 7 + 1));
    text += part;
    packed += Gzip(part);
  }
  for (size_t in : {1u, 2u, 3u, 7u, 8u, 9u, 17u, 4096u, 1000000u}) {
    for (size_t out : {1u, 13u, 1000u, 131072u, 10000000u}) {
      if (in < 4 && out > 1 && out < 1000) continue;  // enough is enough
      size_t at = 0;
      const Source source = Source::Stream("x", [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
        const size_t n = std::min({size, in, packed.size() - at});
        std::memcpy(buffer, packed.data() + at, n);
        at += n;
        return n;
      });
      absl::Status status;
      ASSERT_TRUE(ReadAll(source, &status, out) == text) << in << " " << out;
      ASSERT_TRUE(status.ok()) << status;
    }
  }
}

// Overwrites what earlier calls left on the stack: a decoder that forgets a header's flags between calls finds them
// there.
[[gnu::noinline]] void Scribble(unsigned char value) {
  volatile unsigned char stack[16 * 1024];
  for (volatile unsigned char& byte : stack) byte = value;
}

// All that a header may hold (RFC 1952, 2.3), in pieces that end anywhere in it.
TEST(Source, GzipHeadersInPieces) {
  const std::string text = "hello flow logs\n", plain = Gzip(text);
  constexpr int kChecksum = 2, kExtra = 4, kName = 8, kComment = 16;
  for (int flags = 0; flags < 32; flags += 2) {
    std::string header = plain.substr(0, 10);
    header[3] = static_cast<char>(flags);
    if (flags & kExtra) header += std::string("\5\0a\0b\0c", 7);
    if (flags & kName) header += std::string("flow.log\0", 9);
    if (flags & kComment) header += std::string("of a test\0", 10);
    if (flags & kChecksum) {
      const uLong sum = crc32(0, reinterpret_cast<const Bytef*>(header.data()), static_cast<uInt>(header.size()));
      header += {static_cast<char>(sum & 0xFF), static_cast<char>(sum >> 8 & 0xFF)};
    }
    const std::string member = header + plain.substr(10), packed = member + member;
    for (const int left : {0x00, 0x04, 0x08, 0x10, 0xFF}) {
      for (size_t first = 1; first < member.size() + header.size(); ++first) {
        for (const size_t then : {size_t{1}, packed.size()}) {
          size_t at = 0;
          const Source source = Source::Stream("x", [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
            const size_t n = std::min({size, at < first ? first - at : then, packed.size() - at});
            std::memcpy(buffer, packed.data() + at, n);
            at += n;
            Scribble(static_cast<unsigned char>(left));
            return n;
          });
          absl::Status status;
          ASSERT_EQ(ReadAll(source, &status), text + text) << flags << " " << first << " " << status;
          ASSERT_TRUE(status.ok()) << status;
        }
      }
    }
  }
}

// T2: cut at every offset and flipped in every byte of headers and trailers: no silent success, but between members.
TEST(Source, T2DamageIsNeverSilent) {
  const std::string text = "hello flow logs, hello again and again and again\n";
  const std::string member = Gzip(text), whole = member + member;
  absl::Status status;
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const std::string part = whole.substr(0, cut);
    const std::string got = ReadAll(Source::Bytes("x", std::string_view(part)), &status);
    if (cut == member.size()) {
      EXPECT_TRUE(status.ok());
    } else if (cut >= 2) {  // one byte alone is not known to be gzip
      EXPECT_TRUE(absl::IsDataLoss(status)) << cut;
    }
    if (cut > member.size()) {
      EXPECT_EQ(got.substr(0, text.size()), text);
    }
  }
  for (size_t at = member.size() - 8; at < member.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = whole;
      bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
      const std::string got = ReadAll(Source::Bytes("x", std::string_view(bad)), &status);
      EXPECT_TRUE(absl::IsDataLoss(status)) << at << " " << bit;
      EXPECT_EQ(got, text);  // what came before is delivered
    }
  }
  const std::string garbage = member + "garbage";
  EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(garbage)), &status), text);
  EXPECT_THAT(std::string(status.message()), HasSubstr("behind its last gzip member"));
}

// What zlib, which checks before it copies, makes of a gzip member.
std::string ZlibPrefix(const std::string& packed) {
  z_stream zlib{};
  EXPECT_EQ(inflateInit2(&zlib, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  zlib.avail_in = static_cast<uInt>(packed.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  (void)inflate(&zlib, Z_NO_FLUSH);
  out.resize(out.size() - zlib.avail_out);
  inflateEnd(&zlib);
  return out;
}

// T2: of damaged codes ISA-L counts bytes as text that it never wrote. Whatever lies in the buffers, and however much
// is asked for at a time: the text is what stands before the damage.
TEST(Source, T2TextBeforeDamageIsExact) {
  std::mt19937 random(7);
  int damaged = 0, whole = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text;
    for (unsigned i = 0; i < 20 + random() % 300; ++i)
      text += "2 1 eni-" + std::to_string(random() % 9) + " 10.0." + std::to_string(random() % 65536) + " ACCEPT OK\n";
    std::string packed = Gzip(text);
    for (int flips = 1 + round % 3; flips > 0; --flips)
      packed[10 + random() % (packed.size() - 18)] ^= static_cast<char>(1 << random() % 8);
    const std::string wanted = ZlibPrefix(packed), two = Gzip("first\n") + packed;
    for (size_t step : {7, 1000, 131072}) {
      absl::Status status;
      const std::string got = ReadAll(Source::Bytes("x", std::string_view(packed)), &status, step);
      if (status.ok()) {  // flipped twice, or behind the last code
        ASSERT_TRUE(got == text);
        break;
      }
      // zlib refuses codes that are not complete, ISA-L only what follows from them.
      const size_t both = std::min(got.size(), wanted.size());
      ASSERT_TRUE(got.substr(0, both) == wanted.substr(0, both)) << round << " " << step;
      ASSERT_GE(got.size(), wanted.size());
      damaged += got == wanted;
      ++whole;
      ASSERT_TRUE(ReadAll(Source::Bytes("x", std::string_view(two)), &status, step) == "first\n" + got);
      ASSERT_FALSE(status.ok());
      // What can be read only once is kept until it is unpacked.
      size_t at = 0;
      const Source once = Source::Stream("x", [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
        const size_t n = std::min(size, packed.size() - at);
        std::memcpy(buffer, packed.data() + at, n);
        at += n;
        return n;
      });
      ASSERT_TRUE(got == ReadAll(once, &status, step)) << round << " " << step;
      ASSERT_FALSE(status.ok());
    }
  }
  EXPECT_GT(damaged, whole * 9 / 10);
}

TEST(Source, MissingFileAndFolder) {
  absl::Status status;
  ReadAll(Source::File("/nowhere/at.log"), &status);
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_TRUE(absl::IsNotFound(Source::Expand("/nowhere/at.log").status()));
  TempDir dir;
  EXPECT_THAT(std::string(Source::Expand(dir.path()).status().message()), HasSubstr("no flow logs in this folder"));
  EXPECT_THAT(std::string(Source::Expand(dir / "*.log").status().message()), HasSubstr("no file matches"));
  ReadAll(Source::File(dir.path()), &status);
  EXPECT_FALSE(status.ok());
}

std::vector<std::string> Names(const TempDir& dir, const std::string& pattern) {
  std::vector<std::string> names;
  absl::StatusOr<std::vector<Source>> sources = Source::Expand(dir / pattern);
  if (!sources.ok()) return {std::string(sources.status().message())};
  for (const Source& s : *sources) names.push_back(s.name().substr(dir.path().size() + 1));
  return names;
}

TEST(Source, FoldersAndPatterns) {
  TempDir dir;
  for (const char* name :
       {"b.log", "a/x.log.gz", "a/b/y.log", "a/b/z.txt", "a/manifest.json", ".hidden/q.log", "a/.h.log", "c[1].log"})
    dir.Write(name, "x");
  using V = std::vector<std::string>;
  EXPECT_EQ(Names(dir, ""), (V{"a/b/y.log", "a/b/z.txt", "a/x.log.gz", "b.log", "c[1].log"}));
  EXPECT_EQ(Names(dir, "*.log"), (V{"b.log", "c[1].log"}));
  EXPECT_EQ(Names(dir, "**/*.log"), (V{"a/b/y.log", "b.log", "c[1].log"}));
  EXPECT_EQ(Names(dir, "a/*/?.log"), (V{"a/b/y.log"}));
  EXPECT_EQ(Names(dir, "a/**"), (V{"a/b/y.log", "a/b/z.txt", "a/manifest.json", "a/x.log.gz"}));
  EXPECT_EQ(Names(dir, "[ab].log"), (V{"b.log"}));
  EXPECT_EQ(Names(dir, "c[1].log"), (V{"c[1].log"}));  // a file of that name is meant
}

TEST(Source, WhatCanBeReadOnceIsKeptForTheScan) {
  std::string data = vpcflow_testing::kHeader + vpcflow_testing::Line("10.0.0.1", 22, 5);
  for (int i = 0; i < 3000; ++i) data += vpcflow_testing::Line("10.0.0.2", 22, 1);
  for (const std::string& bytes : {data, Gzip(data)}) {
    size_t at = 0;
    Source source = Source::Stream("stream", [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
      const size_t n = std::min({size, bytes.size() - at, size_t{777}});
      bytes.copy(buffer, n, at);
      at += n;
      return n;
    });
    absl::StatusOr<std::vector<Format>> format = PeekFormats(source, {});
    ASSERT_TRUE(format.ok()) << format.status();
    EXPECT_EQ(*format, std::vector<Format>{Format::Default()});
    PlanSpec spec;
    spec.aggs = {{"bytes", "sum(bytes)"}};
    EXPECT_EQ(vpcflow_testing::RunToJson(spec, {source}), "{\"bytes\": 3005}\n");
  }
}

TEST(Source, CancelledWhileAPipeIsSilent) {
  TempDir dir;
  const std::string fifo = dir / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::thread writer([&] {
    const int fd = open(fifo.c_str(), O_WRONLY);
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    close(fd);
  });
  ScanOptions options;
  options.threads = 1;
  int polls = 0;
  options.poll = [&](const Progress&) { return ++polls < 3; };
  PlanSpec spec;
  spec.aggs = {{"n", "count()"}};
  const auto began = std::chrono::steady_clock::now();
  absl::StatusOr<Result> result = Plan::Make(spec)->Run({Source::File(fifo)}, options);
  EXPECT_TRUE(absl::IsCancelled(result.status()));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(500));
  writer.join();
}

}  // namespace
TEST(ObjectPath, AllLayouts) {
  const auto at = [](std::string_view path) { return ParseObjectPath(path); };
  const int64_t midnight = 1795392000;  // 2026-11-23
  ObjectPath p =
      at("s3/AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/23/"
         "123456789010_vpcflowlogs_us-east-1_fl-0abc_20261123T0605Z_1a2b.log.gz");
  EXPECT_EQ(p.account, "123456789010");
  EXPECT_EQ(p.region, "us-east-1");
  EXPECT_EQ(p.flow_log_id, "fl-0abc");
  EXPECT_EQ(p.begin, midnight + 6 * 3600 + 300);
  EXPECT_EQ(p.end, *p.begin + 300);
  p = at("AWSLogs/123456789010/vpcflowlogs/us-gov-west-1/2026/11/23/07/x.log.gz");
  EXPECT_EQ(p.region, "us-gov-west-1");
  EXPECT_EQ(p.begin, midnight + 7 * 3600);
  EXPECT_EQ(p.end, midnight + 8 * 3600);
  p = at(
      "b/AWSLogs/aws-account-id=123456789010/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=11/day=23/x");
  EXPECT_EQ(p.account, "123456789010");
  EXPECT_EQ(p.region, "eu-west-1");
  EXPECT_EQ(p.begin, midnight);
  EXPECT_EQ(p.end, midnight + 86400);
  p = at("AWSLogs/aws-account-id=1/service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=11/day=23/hour=23/x");
  EXPECT_EQ(p.account, "");
  EXPECT_EQ(p.begin, midnight + 23 * 3600);
  for (const char* silent : {"", "/", "flow.log", "2026/11/23/x.log", "vpcflowlogs/us-east-1/2026/11/23/x",
                             "1_vpcflowlogs_us-east-1_fl-1_20261123T0605Z_h.log", "year=2026/month=13/day=1/x",
                             "AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/99/x"}) {
    EXPECT_FALSE(at(silent).begin) << silent;
  }
  EXPECT_EQ(at("123456789010_vpcflowlogs_us-east-1_fl-1_2026112ZT0605Z_h.log").region, "us-east-1");
  EXPECT_FALSE(at("123456789010_vpcflowlogs_us-east-1_fl-1_20261123T2460Z_h.log").begin);
}

TEST(ObjectPath, LateAndLongRecordsAreNotMissed) {
  // A record may start a window before its end, end anywhere in the slot, and be delivered late.
  ObjectPath path;
  path.begin = 100'000;
  path.end = 100'300;
  const auto may = [&](std::optional<int64_t> start, std::optional<int64_t> end) {
    return MayHold(path, {start, end, {}, {}});
  };
  EXPECT_TRUE(may(100'299, std::nullopt));
  EXPECT_FALSE(may(100'300, std::nullopt));
  EXPECT_TRUE(may(std::nullopt, 100'000 - 600));        // a window of ten minutes that ends in the slot
  EXPECT_TRUE(may(std::nullopt, 100'000 - 600 - 659));  // and came late
  EXPECT_FALSE(may(std::nullopt, 100'000 - 600 - 660));
  EXPECT_TRUE(MayHold({}, {1, 2, {"1"}, {"x"}}));  // says nothing
  path.account = "123456789010";
  EXPECT_TRUE(MayHold(path, {{}, {}, {"1", "123456789010"}, {"us-east-1"}}));
  EXPECT_FALSE(MayHold(path, {{}, {}, {"1"}, {}}));
}

TEST(Source, TheSameObjectTwiceIsReadOnce) {
  TempDir dir;
  const std::string log = vpcflow_testing::kHeader + vpcflow_testing::Line("10.0.0.1", 22, 5);
  std::string other = log;
  other[other.size() - 10] = other[other.size() - 10] == '1' ? '2' : '1';  // as long, and different
  for (const char* name : {"a.log", "b.log", "c.log"}) dir.Write(name, log);
  dir.Write("d.log", other);
  dir.Write("empty1.log", "");
  dir.Write("empty2.log", "");
  dir.Write("z.log.gz", Gzip(log));
  const std::vector<Source> sources = *Source::Expand(dir.path());
  PlanSpec spec;
  spec.aggs = {{"n", "count()"}};
  Report report;
  for (int threads : {1, 2}) {
    ScanOptions options;
    options.threads = threads;
    EXPECT_EQ(vpcflow_testing::RunToJson(spec, sources, options, &report), "{\"n\": 3}\n");
    EXPECT_EQ(report.duplicates, 2u);
    EXPECT_EQ(report.sources, 5u);
    EXPECT_THAT(report.warnings, testing::Contains(testing::HasSubstr("b.log has the same bytes as")));
    options.duplicates = Duplicates::kAll;
    EXPECT_EQ(vpcflow_testing::RunToJson(spec, sources, options, &report), "{\"n\": 5}\n");
  }
  Reader reader(sources, {});
  size_t records = 0;
  while (reader.Next()) ++records;
  EXPECT_EQ(records, 3u);
  EXPECT_THAT(FindDuplicates(sources),
              testing::ElementsAre(kNoDuplicate, 0, 0, kNoDuplicate, kNoDuplicate, kNoDuplicate, kNoDuplicate));
}

// Which of them is read depends on neither the threads nor what is of the same size and beginning beside them.
TEST(Source, OfTheSameObjectsTheFirstIsRead) {
  TempDir dir;
  constexpr int kObjects = 60, kTexts = 7;  // object i has text (i * i) % 7: 0, 1, 4, 2
  for (int i = 0; i < kObjects; ++i) {
    std::string log = vpcflow_testing::kHeader;
    for (int line = 0; line < 50; ++line)
      log += vpcflow_testing::Line("10.0.0.1", 22, line == 49 ? 1000 + i * i % kTexts : 1000);
    dir.Write(absl::StrCat(100 + i, ".log"), log);
  }
  const std::vector<Source> sources = *Source::Expand(dir.path());
  PlanSpec spec;
  spec.located = true;
  spec.select = {"bytes"};
  spec.where = "bytes > 1000";
  std::string wanted;
  for (int threads = 1; threads <= 8; ++threads) {
    ScanOptions options;
    options.threads = threads;
    Report report;
    const std::string rows = vpcflow_testing::RunToJson(spec, sources, options, &report);
    if (threads == 1) wanted = rows;
    EXPECT_EQ(rows, wanted);
    for (const char* read : {"101.log", "102.log", "103.log"}) EXPECT_THAT(rows, testing::HasSubstr(read));
    EXPECT_EQ(report.sources, 4u);
    EXPECT_EQ(report.duplicates, static_cast<uint64_t>(kObjects - 4));
    EXPECT_EQ(report.warnings.size(), 5u);
    EXPECT_THAT(report.warnings[0], testing::HasSubstr("104.log has the same bytes as"));
  }
}

TEST(Source, DuplicatesAreFoundWhenTheirTurnComes) {
  TempDir dir;
  for (const char* name : {"a.log", "b.log"})
    dir.Write(name, vpcflow_testing::kHeader + vpcflow_testing::Line("10.0.0.1", 22, 5));
  Reader reader(*Source::Expand(dir.path()), {});
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.report().duplicates, 0u);
  EXPECT_FALSE(reader.Next());
  EXPECT_EQ(reader.report().duplicates, 1u);
}

}  // namespace vpcflow
