#include "src/container/blob.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "src/container/binary.h"
#include "src/container/json_splitter.h"
#include "src/source/decompress/deflate.h"
#include "vpcflow/source/decompress.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int kMaxDepth = 8;
constexpr size_t kMaxBytes = size_t{64} << 20;
constexpr size_t kBeginning = 4096;  // looked at, of a text

// Values of the alphabets of RFC 4648, 4 and 5, or 64 and above.
constexpr uint8_t kPadding = 64, kLineEnd = 65, kOther = 66;
constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> out{};
  out.fill(kOther);
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kLetters.size(); ++i) out[static_cast<unsigned char>(kLetters[i])] = static_cast<uint8_t>(i);
  out['-'] = 62;
  out['_'] = 63;
  out['='] = kPadding;
  out['\r'] = out['\n'] = kLineEnd;
  return out;
}();

// False if the text is no base64. Padding may be missing at the end, and stand where two texts were put together.
bool DecodeBase64(std::string_view text, std::string* out) {
  out->clear();
  out->reserve(text.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  int have = 0;  // characters of the four that make three bytes
  const auto end_of_four = [&] {
    if (have == 1) return false;
    if (have >= 2) *out += static_cast<char>(bits >> (have == 2 ? 4 : 10));
    if (have == 3) *out += static_cast<char>(bits >> 2);
    have = 0;
    return true;
  };
  for (const char c : text) {
    const uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kOther) return false;
    if (value == kLineEnd) continue;
    if (value == kPadding) {
      if (!end_of_four()) return false;
      continue;
    }
    bits = (bits << 6) | value;
    if (++have == 4) {
      *out += static_cast<char>(bits >> 16);
      *out += static_cast<char>(bits >> 8);
      *out += static_cast<char>(bits);
      have = 0;
    }
  }
  return end_of_four();
}

// Appends what a stream gives. False if that is too much or ends with an error.
bool ReadAll(absl::StatusOr<std::unique_ptr<ByteStream>> stream, std::string* out) {
  constexpr size_t kStep = size_t{64} << 10;
  if (!stream.ok()) return false;
  while (true) {
    const size_t have = out->size();
    if (have > kMaxBytes) return false;
    out->resize(have + kStep);
    absl::StatusOr<size_t> n = (*stream)->Read(out->data() + have, kStep);
    out->resize(have + (n.ok() ? *n : 0));
    if (!n.ok() || *n == 0) return n.ok();
  }
}

absl::StatusOr<std::unique_ptr<ByteStream>> OpenDeflate(std::string_view bytes) {
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = Source::Bytes("blob", bytes).Open(nullptr);
  if (!stream.ok()) return stream;
  return UnpackDeflate("blob", *std::move(stream), /*raw=*/true);
}

// Gzip, zstd, zlib or, which has no beginning of its own, deflate.
bool Unpack(std::string_view bytes, std::string* out) {
  out->clear();
  if (ReadAll(OpenText(Source::Bytes("blob", bytes), nullptr), out) && *out != bytes) return true;
  out->clear();
  return ReadAll(OpenDeflate(bytes), out);
}

bool IsTextBegun(std::string_view text) {
  return !text.empty() && IsText(text.substr(0, kBeginning)) && text.find_first_of(" {[") < kBeginning;
}

}  // namespace

std::string UnpackBlob(std::string_view blob) {
  std::string text, inner;
  if (!DecodeBase64(blob, &text)) return "";
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    if (IsTextBegun(text)) {
      JsonSplitter::Pad(&text);
      return text;
    }
    if (!DecodeBase64(text, &inner) && !Unpack(text, &inner)) return "";
    text.swap(inner);
  }
  return "";
}

bool IsBlob(std::string_view text) {
  constexpr size_t kShortest = 16, kUnpacked = 256;
  constexpr std::string_view kPackings[] = {"\x1F\x8B\x08", "\x28\xB5\x2F\xFD", "x\x01", "x\x5E", "x\x9C", "x\xDA"};
  if (text.find_first_of(" \t,") != std::string_view::npos) return false;
  std::string decoded(text.substr(0, kBeginning)), inner;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    if (decoded.size() < kShortest || !DecodeBase64(decoded.substr(0, decoded.size() / 4 * 4), &inner)) return false;
    decoded.swap(inner);
    for (const std::string_view packing : kPackings) {
      if (decoded.starts_with(packing)) return true;
    }
    if (IsTextBegun(decoded)) return true;
    if (!IsText(decoded)) break;
  }
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenDeflate(decoded);
  std::string unpacked(kUnpacked, '\0');
  const absl::StatusOr<size_t> n = stream.ok() ? (*stream)->Read(unpacked.data(), kUnpacked) : stream.status();
  return n.ok() && *n >= kShortest && IsTextBegun(std::string_view(unpacked).substr(0, *n));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
