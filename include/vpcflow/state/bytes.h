// StateWriter and StateReader: what aggregations are saved as. Little endian; whole numbers as LEB128 or as words of
// eight bytes; a sealed blob is
//
//   "VPCS"  version (1 byte)  kind (1 byte)  0 0  length of the payload (8 bytes)  payload  checksum (8 bytes)
//
//   vpcflow::StateWriter out;
//   out.Number(7);
//   std::string blob = vpcflow::Seal(vpcflow::StateKind::kAggregation, out.bytes());
//   std::string_view payload;
//   if (vpcflow::Unseal(vpcflow::StateKind::kAggregation, blob, &payload) == vpcflow::StateError::kNone) {
//     vpcflow::StateReader in(payload);
//     uint64_t seven = in.Number();
//     bool whole = in.ok() && in.done();
//   }
//
// Blobs come from anywhere. A reader never reads beyond its bytes; the first thing that is not there makes ok() false,
// and all that is read from then on is 0 or empty. Counts are to be read with Count, which refuses more items than the
// bytes that are left can hold, so that nobody makes room for what is not there.
//
// The checksum finds damage, not malice: each step of it is a bijection of what went before, so any change within eight
// aligned bytes is found for certain, any other but for one in 2^64.
#ifndef VPCFLOW_STATE_BYTES_H_
#define VPCFLOW_STATE_BYTES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

enum class StateKind : uint8_t { kAggregation = 1, kSketch = 2, kAccumulator = 3 };

enum class StateError : uint8_t { kNone, kNotAState, kOtherKind, kNewerVersion, kCut, kChecksum, kContent };

constexpr std::string_view StateErrorText(StateError error) {
  switch (error) {
    case StateError::kNone: return "";
    case StateError::kNotAState: return "these bytes are no state of vpcflow";
    case StateError::kOtherKind: return "this is a state of another kind";
    case StateError::kNewerVersion: return "this state was written by a newer version of vpcflow";
    case StateError::kCut: return "this state is cut, or has bytes behind its end";
    case StateError::kChecksum: return "this state is damaged (wrong checksum)";
    case StateError::kContent: return "this state holds what its kind cannot have";
  }
  return "";
}

// For one thread.
class StateWriter {
 public:
  void Byte(uint8_t value) { bytes_ += static_cast<char>(value); }
  // 1 byte for less than 128, 10 at most.
  void Number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  void Word(uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(value >> shift);
  }
  void Signed(int64_t value) { Word(static_cast<uint64_t>(value)); }
  void Fixed32(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(value >> shift);
  }
  void Raw(std::string_view bytes) { bytes_.append(bytes); }
  void Text(std::string_view text) {
    Number(text.size());
    Raw(text);
  }
  const std::string& bytes() const& { return bytes_; }
  const std::string& bytes() const&& = delete;

 private:
  std::string bytes_;
};

// For one thread.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  // Whether all of it was read.
  bool done() const { return rest_.empty(); }
  size_t left() const { return rest_.size(); }
  // For what is there but cannot be.
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  uint8_t Byte() {
    if (rest_.empty()) return Refuse();
    const auto value = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return value;
  }
  uint64_t Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Byte();
      if (shift == 63 && byte > 1) break;
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift > 0) break;  // each number has one spelling
        return value;
      }
    }
    return Refuse();
  }
  uint64_t Word() {
    if (rest_.size() < 8) return Refuse();
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
    rest_.remove_prefix(8);
    return value;
  }
  int64_t Signed() { return static_cast<int64_t>(Word()); }
  uint32_t Fixed32() {
    if (rest_.size() < 4) return Refuse();
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
    rest_.remove_prefix(4);
    return value;
  }
  std::string_view Raw(uint64_t size) {
    if (size > rest_.size()) {
      Fail();
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view Text() { return Raw(Number()); }
  // A count of items of at least `item_bytes` each.
  uint64_t Count(size_t item_bytes) {
    const uint64_t n = Number();
    if (n > rest_.size() / item_bytes) return Refuse();
    return n;
  }

 private:
  uint8_t Refuse() {
    Fail();
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

namespace internal {

inline constexpr std::string_view kStateMagic = "VPCS";
inline constexpr uint8_t kStateVersion = 1;
inline constexpr size_t kStateHead = 16, kStateTail = 8;

inline uint64_t StateChecksum(std::string_view bytes) {
  uint64_t sum = 0x9E3779B97F4A7C15ull ^ bytes.size();
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t n = bytes.size() < 8 ? bytes.size() : 8;
    for (size_t i = 0; i < n; ++i) word |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
    bytes.remove_prefix(n);
    sum = (sum ^ word) * 0xD6E8FEB86659FD93ull;
    sum ^= sum >> 32;
  }
  return sum;
}

}  // namespace internal

// A blob of a payload.
inline std::string Seal(StateKind kind, std::string_view payload) {
  StateWriter out;
  for (const char c : internal::kStateMagic) out.Byte(static_cast<uint8_t>(c));
  out.Byte(internal::kStateVersion);
  out.Byte(static_cast<uint8_t>(kind));
  out.Byte(0);
  out.Byte(0);
  out.Word(payload.size());
  std::string blob = out.bytes();
  blob.append(payload);
  StateWriter tail;
  tail.Word(internal::StateChecksum(blob));
  return blob + tail.bytes();
}

// The payload of a blob, which must stay.
inline StateError Unseal(StateKind kind, std::string_view blob, std::string_view* payload) {
  using namespace internal;
  if (!blob.starts_with(kStateMagic)) return StateError::kNotAState;
  if (blob.size() < kStateHead + kStateTail) return StateError::kCut;
  StateReader head(blob.substr(kStateMagic.size()));
  const uint8_t version = head.Byte(), found = head.Byte();
  head.Byte();
  head.Byte();
  if (version > kStateVersion) return StateError::kNewerVersion;
  if (head.Word() != blob.size() - kStateHead - kStateTail) return StateError::kCut;
  if (StateReader(blob.substr(blob.size() - kStateTail)).Word() !=
      StateChecksum(blob.substr(0, blob.size() - kStateTail)))
    return StateError::kChecksum;
  if (found != static_cast<uint8_t>(kind)) return StateError::kOtherKind;
  *payload = blob.substr(kStateHead, blob.size() - kStateHead - kStateTail);
  return StateError::kNone;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_STATE_BYTES_H_
