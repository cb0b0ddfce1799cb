// Layers of packing, blobs, and what is refused.
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "src/container/binary.h"
#include "src/container/blob.h"
#include "src/container/known_formats.h"
#include "src/container/leading_time.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using vpcflow_testing::Deflated;
using vpcflow_testing::Gzip;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;

std::string Base64(const std::string& bytes, bool url = false) {
  return url ? absl::WebSafeBase64Escape(bytes) : absl::Base64Escape(bytes);
}

std::string ReadAll(const Source& source, absl::Status* status, uint64_t most = 0, size_t chunk = 1000) {
  std::string out, buffer(chunk, '\0');
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenText(source, nullptr, nullptr, nullptr, nullptr, most);
  *status = stream.status();
  while (stream.ok()) {
    const absl::StatusOr<size_t> n = (*stream)->Read(buffer.data(), buffer.size());
    *status = n.status();
    if (!n.ok() || *n == 0) break;
    out.append(buffer, 0, *n);
  }
  return out;
}

TEST(Layers, AreUnpackedUpToFour) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += Line("10.0.0." + std::to_string(i % 250), i, i);
  const std::vector<std::string> packed = {Gzip(Gzip(text)),
                                           Gzip(Deflated(text, 15)),
                                           Deflated(text, 15, 1),
                                           Deflated(text, 15, 4),
                                           Deflated(text, 15, 9),
                                           Deflated(text.substr(0, 5000), 15) + "\n" + Deflated(text.substr(5000), 15),
                                           Gzip(text.substr(0, 777)) + "\n" + Gzip(text.substr(777)) + "\r\n",
                                           Gzip(Gzip(Gzip(Deflated(text, 15))))};
  for (const std::string& bytes : packed) {
    for (const size_t chunk : {1u, 1000u, 1u << 20}) {
      absl::Status status;
      EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(bytes)), &status, 0, chunk), text);
      EXPECT_TRUE(status.ok()) << status;
    }
  }
  absl::Status status;
  const std::string five = Gzip(Gzip(Gzip(Gzip(Gzip(text)))));
  EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(five)), &status), "");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("packed more than 4 times"));
}

TEST(Layers, EachUnpacksToNoMoreThanAskedFor) {
  std::string empty_members, text(100'000, 'a');
  for (int i = 0; i < 10'000; ++i) empty_members += Gzip("");
  const std::vector<std::string> large = {Gzip(Gzip(text)), Gzip(empty_members), Deflated(text, 15)};
  for (const std::string& bytes : large) {
    absl::Status status;
    EXPECT_LE(ReadAll(Source::Bytes("x", std::string_view(bytes)), &status, 1000).size(), 1000u);
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange) << status;
  }
}

TEST(Layers, DamageIsTold) {
  const std::string text = kHeader + Line("10.0.0.1", 22, 40), zlib = Deflated(text, 15);
  for (size_t n = 2; n < zlib.size(); ++n) {
    absl::Status status;
    const std::string cut = zlib.substr(0, n);
    EXPECT_THAT(text, StartsWith(ReadAll(Source::Bytes("x", std::string_view(cut)), &status)));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << n;
  }
  absl::Status status;
  const std::string behind = zlib + "garbage", inner = Gzip(Gzip(text).substr(0, 60));
  EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(behind)), &status), text);
  EXPECT_THAT(std::string(status.message()), HasSubstr("behind its last zlib stream"));
  ReadAll(Source::Bytes("x", std::string_view(inner)), &status);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  const std::string plain = "x^2 is no zlib, which is told by its first sixteen bytes\n";
  EXPECT_EQ(ReadAll(Source::Bytes("x", std::string_view(plain)), &status), plain);
}

// One frame of zstd, whose blocks end where `flushed` texts do.
std::string Zstd(const std::vector<std::string>& flushed, bool sized) {
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  size_t size = 0;
  for (const std::string& text : flushed) size += text.size();
  if (sized) ZSTD_CCtx_setPledgedSrcSize(context.get(), size);
  std::string out(ZSTD_compressBound(size) + 32 * (flushed.size() + 1), '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (const std::string& text : flushed) {
    ZSTD_inBuffer from{text.data(), text.size(), 0};
    ZSTD_compressStream2(context.get(), &to, &from, ZSTD_e_flush);
  }
  ZSTD_inBuffer none{nullptr, 0, 0};
  ZSTD_compressStream2(context.get(), &to, &none, ZSTD_e_end);
  out.resize(to.pos);
  return out;
}

// What zstd's own decoder makes of bytes that it gets one by one: all before the damage.
std::string ZstdReference(const std::string& packed) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::string out(1 << 21, '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (const char& byte : packed) {
    ZSTD_inBuffer from{&byte, 1, 0};
    if (ZSTD_isError(ZSTD_decompressStream(context.get(), &to, &from))) break;
  }
  out.resize(to.pos);
  return out;
}

// What zlib makes of streams or members one behind the other.
std::string ZlibReference(const std::string& packed, int bits) {
  std::string out(1 << 21, '\0');
  size_t at = 0, written = 0;
  for (int result = Z_STREAM_END; result == Z_STREAM_END && at < packed.size();) {
    z_stream zlib{};
    inflateInit2(&zlib, bits);
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + at));
    zlib.avail_in = static_cast<uInt>(packed.size() - at);
    zlib.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    zlib.avail_out = static_cast<uInt>(out.size() - written);
    result = inflate(&zlib, Z_NO_FLUSH);
    at += zlib.total_in;
    written += zlib.total_out;
    inflateEnd(&zlib);
  }
  out.resize(written);
  return out;
}

// Random texts of records, some of which compress badly.
std::vector<std::string> SomeTexts(std::mt19937* random) {
  std::vector<std::string> texts(1 + (*random)() % 6);
  for (std::string& text : texts) {
    for (size_t i = (*random)() % 900; i > 0; --i)
      text += Line("10.0.0." + std::to_string((*random)() % 250), static_cast<int>((*random)() % 65536),
                   static_cast<int64_t>(i));
    for (size_t i = (*random)() % 4 == 0 ? 3000 : 0; i > 0; --i) text += static_cast<char>((*random)());
  }
  return texts;
}

// Cuts, flips, overwrites, or adds garbage behind.
std::string WithDamage(std::string packed, std::mt19937* random) {
  const size_t at = 4 + (*random)() % (packed.size() - 4);
  switch ((*random)() % 4) {
    case 0: return packed.substr(0, at);
    case 1: packed[at] = static_cast<char>(packed[at] ^ (1 << (*random)() % 8)); return packed;
    case 2: packed[at] = static_cast<char>((*random)()); return packed;
    default: return packed + "garbage behind it";
  }
}

// T2: damage swallows nothing that could be read: what stands before it comes out, the same for any amount that is read
// or handed over at a time, of what can be read again and what cannot, and as of the libraries' own decoders.
TEST(Layers, TextBeforeDamageIsThatOfTheReference) {
  std::mt19937 random(20261130);
  size_t damaged = 0, longer = 0;
  for (int round = 0; round < 90; ++round) {
    const int kind = round % 3;
    std::string packed;
    for (size_t streams = 1 + random() % 3; streams > 0; --streams) {
      const std::vector<std::string> texts = SomeTexts(&random);
      if (kind == 0) packed += Zstd(texts, random() % 2 == 0);
      for (const std::string& text : texts)
        if (kind != 0) packed += Deflated(text, kind == 1 ? 15 : 15 + 16, static_cast<int>(random() % 10));
    }
    const std::string bytes = WithDamage(std::move(packed), &random);
    const std::string wanted = kind == 0 ? ZstdReference(bytes) : ZlibReference(bytes, kind == 1 ? 15 : 15 + 16);
    for (const size_t chunk : {size_t{100}, size_t{131072}, size_t{1} << 21, 1 + random() % 5000}) {
      const size_t step = random() % 2 == 0 ? 1 + random() % 3000 : size_t{1} << 20;
      size_t at = 0;
      const Source once = Source::Stream("x", [&](char* buffer, size_t size) -> absl::StatusOr<size_t> {
        const size_t n = std::min({size, step, bytes.size() - at});
        std::memcpy(buffer, bytes.data() + at, n);
        at += n;
        return n;
      });
      absl::Status status;
      const std::string got = ReadAll(once, &status, 0, chunk);
      damaged += status.code() == absl::StatusCode::kDataLoss;
      if (kind == 2 && got.size() > wanted.size()) {  // ISA-L behind damaged tables of codes
        ASSERT_TRUE(got.starts_with(wanted));
        ++longer;
        continue;
      }
      ASSERT_TRUE(got == wanted) << round << " " << chunk << " " << step << ": " << got.size() << " " << wanted.size();
      ASSERT_TRUE(ReadAll(Source::Bytes("x", std::string_view(bytes)), &status, 0, chunk) == wanted);
    }
  }
  EXPECT_GT(damaged, 300u);
  EXPECT_LT(longer, 10u);
}

TEST(Blob, IsUnpackedWhateverItIsPackedBy) {
  const std::string line = Line("10.0.0.1", 22, 40), json = "{\"message\": \"" + line.substr(0, 40) + "\"}";
  for (const std::string& text : {line, json, line.substr(0, line.size() - 1), line + line}) {
    for (const bool url : {false, true}) {
      const std::vector<std::string> blobs = {Base64(text, url),
                                              Base64(Base64(text, url), url),
                                              Base64(Gzip(text), url),
                                              Base64(Base64(Gzip(text), url), url),
                                              Base64(Gzip(Base64(Gzip(text), url)), url),
                                              Base64(Deflated(text, 15), url),
                                              Base64(Deflated(text, -15), url),
                                              Base64(Gzip(Gzip(text)), url)};
      for (const std::string& blob : blobs) {
        EXPECT_EQ(internal::UnpackBlob(blob), text) << blob;
        EXPECT_TRUE(internal::IsBlob(blob)) << blob;
      }
    }
  }
}

TEST(Blob, IsEmptyIfItIsNone) {
  std::string deep = Line("10.0.0.1", 22, 40), noise;
  for (int i = 0; i < 12; ++i) deep = Base64(deep);
  for (int i = 0; i < 300; ++i) noise += static_cast<char>(i * 7 + i / 3);
  const std::string cut = Base64(Gzip(Line("10.0.0.1", 22, 40))).substr(0, 60);
  for (const std::string& blob : {std::string(), std::string("A"), std::string("===="), Line("10.0.0.1", 22, 40), deep,
                                  Base64(noise), cut, std::string(5000, 'A'), std::string("srcaddr")})
    EXPECT_EQ(internal::UnpackBlob(blob), "") << blob.substr(0, 100);
  for (const std::string text : {"", "version", "pkt-src-aws-service", "interface-id", "-", "ACCEPT"})
    EXPECT_FALSE(internal::IsBlob(text)) << text;
  EXPECT_FALSE(internal::IsBlob(Line("10.0.0.1", 22, 40)));
}

TEST(LeadingTime, IsTakenWithItsZone) {
  for (const std::string time :
       {"2025-11-29T07:06:40", "2025-11-29T07:06:40Z", "2025-11-29 07:06:40.000000+00:00", "2025-11-29 07:06:40 UTC",
        "2025-11-29T07:06:40.1-0530", "[2025-11-29 07:06:40]", "2025/11/29 07:06:40 +0000", "Nov 29 07:06:40",
        "Nov  9 07:06:40", "<134>Nov 29 07:06:40", "<134>1 2025-11-29T07:06:40.003Z", "2025-11-29 07:06:40,123"}) {
    EXPECT_EQ(internal::LeadingTime(time + " 2 1234"), time.size()) << time;
    EXPECT_EQ(internal::LeadingTime(time + " GMTX"), time.size()) << time;
    for (size_t n = 0; n < time.size(); ++n) EXPECT_LE(internal::LeadingTime(time.substr(0, n)), n);
  }
  EXPECT_EQ(internal::LeadingTime("2025-11-29T07:06:40Z,2 1234"), 20u);
  EXPECT_EQ(internal::LeadingTime("2025-11-29T07:06:40,2 1234"), 19u);
  for (const std::string none : {"", "2 123456789010", "2025-11-29", "2025-11-29T07:06", "2025-11-29T07:06:40x",
                                 "[2025-11-29T07:06:40 ", "<>Nov 29 07:06:40 ", "1764400000 2"})
    EXPECT_EQ(internal::LeadingTime(none), 0u) << none;
}

TEST(KnownFormats, TellRecords) {
  const std::string line = Line("10.0.0.1", 22, 40);
  EXPECT_TRUE(internal::IsKnownRecord(line.substr(0, line.size() - 1)));
  for (const std::string& text : {std::string(), std::string("2"), "eni-1-all " + line.substr(0, line.size() - 1),
                                  kHeader, Line("10.0.0.300", 22, 40), line.substr(2, line.size() - 3)})
    EXPECT_FALSE(internal::IsKnownRecord(text)) << text;
}

TEST(Binary, IsNamed) {
  const std::pair<std::string, std::string> named[] = {
      {std::string("PK\3\4\0", 5), "a zip archive"},
      {std::string("PK\3\4\24\0\0\0[Content_Types].xml", 27), "an Excel workbook"},
      {std::string("\xFD\x37zXZ\0", 6), "xz"},
      {std::string("\xFF\xFEv\0e\0", 6), "UTF-16"},
      {std::string("v\0e\0r\0s\0i\0o\0n\0", 14), "UTF-16"},
      {std::string("\0\0\0v\0\0\0e\0\0\0r", 12), "UTF-32"},
      {"PAR1", "Parquet"},
      {"age-encryption.org/v1\n-> X25519 x\n", "a file encrypted by age"},
      {std::string("ARROW1\0\0", 8), "Arrow"},
      {std::string("ORC\n\6\22", 6), "ORC"},
      {std::string("\1\2\3\4", 4), "binary data"},
      {"  <html>", "an HTML page"},
  };
  for (const auto& [head, what] : named) {
    EXPECT_THAT(internal::SeemsToBeBinary(head, "x"), StartsWith(what));
    EXPECT_EQ(internal::SeemsToBeBinary(kHeader + head, "x").find(what), std::string::npos);
  }
  EXPECT_THAT(internal::SeemsToBeBinary("\x8b\x80\xff", "a.BR"), StartsWith("brotli by its name"));
  for (const std::string text : {"", "\n", "2 1 eni", "\xEF\xBB\xBFversion", "PK", "ORCHARD", "MZ 1", "caf\xC3\xA9",
                                 "caf\xC3", "BZh is a name", "<134>1 x"})
    EXPECT_EQ(internal::SeemsToBeBinary(text, "x"), "") << text;
}

}  // namespace
}  // namespace vpcflow
