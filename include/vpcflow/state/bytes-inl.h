// Definitions of bytes.h; include that.
#ifndef VPCFLOW_STATE_BYTES_INL_H_
#define VPCFLOW_STATE_BYTES_INL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

VPCFLOW_NAMESPACE_BEGIN

inline uint8_t StateReader::Byte() {
  if (rest_.empty()) return Refuse();
  const auto value = static_cast<uint8_t>(rest_[0]);
  rest_.remove_prefix(1);
  return value;
}

inline uint64_t StateReader::Number() {
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

inline uint64_t StateReader::Word() {
  if (rest_.size() < 8) return Refuse();
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
  rest_.remove_prefix(8);
  return value;
}

inline uint32_t StateReader::Fixed32() {
  if (rest_.size() < 4) return Refuse();
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
  rest_.remove_prefix(4);
  return value;
}

inline std::string_view StateReader::Raw(uint64_t size) {
  if (size > rest_.size()) {
    Fail();
    return {};
  }
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

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

#endif  // VPCFLOW_STATE_BYTES_INL_H_
