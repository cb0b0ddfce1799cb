// StateWriter and StateReader: the bytes of saved aggregations. Little endian; whole numbers as LEB128 or as words of
// eight bytes; a sealed blob is
//
//   "VPCS"  version (1 byte)  kind (1 byte)  0 0  length of the payload (8 bytes)  payload  checksum (8 bytes)
//
// Example:
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
// bytes that are left can hold, so that nobody makes room for nothing.
//
// The checksum finds damage, not malice: each step of it is a bijection of what went before, so any change within eight
// aligned bytes is found for certain, any other but for one in 2^64.
#ifndef VPCFLOW_STATE_BYTES_H_
#define VPCFLOW_STATE_BYTES_H_

#include <cstdint>
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

// Writes numbers and texts behind one another. For one thread.
class StateWriter {
 public:
  void Byte(uint8_t value) { bytes_ += static_cast<char>(value); }
  // Writes LEB128: 1 byte for less than 128, 10 at most.
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

// Reads what a StateWriter wrote, in the same order. For one thread; the bytes must outlive it.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  // Returns whether all bytes were read.
  bool done() const { return rest_.empty(); }
  size_t left() const { return rest_.size(); }
  // Marks the state as wrong, for values that are there but cannot be.
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  uint8_t Byte();
  uint64_t Number();
  uint64_t Word();
  int64_t Signed() { return static_cast<int64_t>(Word()); }
  uint32_t Fixed32();
  std::string_view Raw(uint64_t size);
  std::string_view Text() { return Raw(Number()); }
  // Reads a count of items of at least `item_bytes` each; more than the bytes left can hold is a failure.
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

// Returns a sealed blob of a payload.
std::string Seal(StateKind kind, std::string_view payload);

// Finds the payload of a blob of this kind. `payload` points into the blob, which must outlive it. Any bytes are safe.
StateError Unseal(StateKind kind, std::string_view blob, std::string_view* payload);

VPCFLOW_NAMESPACE_END

#include "vpcflow/state/bytes-inl.h"

#endif  // VPCFLOW_STATE_BYTES_H_
