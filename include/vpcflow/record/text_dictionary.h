// TextDictionary: the different texts of a column, each with a number, so that a column of repeating texts is a column
// of numbers.
//
//   vpcflow::TextDictionary texts;
//   const uint32_t code = texts.Code("ACCEPT");   // 1
//   texts.text(code);                             // "ACCEPT", until Clear
//   texts.Code("-");                              // 0: null, which has no text
//
// Whoever fills it bounds it: with size() and bytes(), and Clear between batches. `generation` changes with Clear, so
// that others can keep what they found out about codes.
#ifndef VPCFLOW_RECORD_TEXT_DICTIONARY_H_
#define VPCFLOW_RECORD_TEXT_DICTIONARY_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "vpcflow/base/digits.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

class TextDictionary {
 public:
  TextDictionary() { Clear(); }
  TextDictionary(const TextDictionary&) = delete;
  TextDictionary& operator=(const TextDictionary&) = delete;

  // The code of a text, a new one if it was not there. Expected O(text.size()).
  uint32_t Code(std::string_view text) {
    char copy[16] = {};
    if (text.size() >= 16) return CodeBefore(text.data() + text.size(), text.size());
    if (!text.empty()) std::memcpy(copy + 16 - text.size(), text.data(), text.size());
    return CodeBefore(copy + 16, text.size());
  }
  // The same for the `size` bytes before `end`. Sixteen bytes before `end` must be readable, whatever the size.
  uint32_t CodeBefore(const char* end, size_t size) {
    // Most texts come again and again: look first where the last one with these last eight bytes was.
    const Keep& keep = kKeep[std::min<size_t>(size, 16)];
    const uint64_t last = internal::Load8(end - 8) >> keep.shift, before = internal::Load8(end - 16) & keep.before;
    Recent& recent = recent_[last * kOdd[0] >> (64 - kRecentBits)];
    if (((recent.last ^ last) | (recent.before ^ before) | (recent.size ^ size)) == 0 &&
        SameButLast16(end - size, size, recent.text))
      return recent.code;
    const uint32_t code = Find({end - size, size});
    recent = {last, before, texts_[code].data(), static_cast<uint32_t>(size), code};
    return code;
  }
  std::string_view text(uint32_t code) const { return texts_[code]; }

  // Codes are 1 to size().
  size_t size() const { return texts_.size() - 1; }
  size_t bytes() const { return bytes_; }
  uint64_t generation() const { return generation_; }
  void Clear() {
    slots_.assign(64, Slot{});
    recent_.assign(size_t{1} << kRecentBits, Recent{});
    mask_ = slots_.size() - 1;
    texts_.assign(1, std::string_view());
    storage_.clear();
    room_ = bytes_ = 0;
    ++generation_;
  }

 private:
  static constexpr int kRecentBits = 12;
  static constexpr uint64_t kOdd[2] = {0xA0761D6478BD642Full, 0xE7037ED1A0B428DBull};
  struct Recent {
    uint64_t last = 0;    // its last eight bytes, or all there are
    uint64_t before = 0;  // the eight before those
    const char* text = nullptr;
    uint32_t size = UINT32_MAX;
    uint32_t code = 0;
  };
  // How to take a text of 0 to 16 bytes out of the two words that end where it ends.
  struct Keep {
    uint64_t before;  // a mask of the first word
    uint64_t shift;   // of the last word
  };
  static constexpr std::array<Keep, 17> kKeep = [] {
    std::array<Keep, 17> keep{};
    for (uint64_t n = 0; n <= 16; ++n)
      keep[n] = {n > 8 ? ~uint64_t{0} << (128 - 8 * n) : 0, n == 0 ? 63 : n < 8 ? 64 - 8 * n : 0};
    return keep;
  }();
  struct Slot {
    uint64_t hash = 0;
    uint32_t code = 0;
  };

  static uint64_t Load(const char* p, size_t n = 8) {
    uint64_t x = 0;
    if (n > 0) std::memcpy(&x, p, n);
    return x;
  }
  static bool SameButLast16(const char* text, size_t size, const char* other) {
    for (size_t at = 0; at + 16 < size; at += 8) {
      if (Load(text + at) != Load(other + at)) return false;
    }
    return true;
  }
  static uint64_t Mix(uint64_t a, uint64_t b) {
    __extension__ const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  uint64_t HashOf(std::string_view text) const {
    uint64_t hash = seed_ ^ text.size();
    size_t at = 0;
    for (; at + 8 < text.size(); at += 8) hash = Mix(hash ^ Load(text.data() + at), kOdd[0]);
    return Mix(hash ^ Load(text.data() + at, text.size() - at), kOdd[1]);
  }

  [[gnu::noinline]] uint32_t Find(std::string_view text) {
    if (text == "-") return 0;
    const uint64_t hash = HashOf(text);
    uint64_t at = hash & mask_;
    for (; slots_[at].code != 0; at = (at + 1) & mask_) {
      if (slots_[at].hash == hash && texts_[slots_[at].code] == text) return slots_[at].code;
    }
    if (text.size() > room_) {
      room_ = std::max<size_t>(text.size(), size_t{16} * 1024);
      storage_.emplace_back(new char[room_]);
      end_ = storage_.back().get();
    }
    if (!text.empty()) std::memcpy(end_, text.data(), text.size());
    const auto code = static_cast<uint32_t>(texts_.size());
    texts_.emplace_back(text.empty() ? "" : end_, text.size());
    end_ += text.size();
    room_ -= text.size();
    bytes_ += text.size();
    slots_[at] = {hash, code};
    if (texts_.size() * 2 > mask_) Grow();
    return code;
  }
  void Grow() {
    std::vector<Slot> old((mask_ + 1) * 2);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.code == 0) continue;
      uint64_t at = slot.hash & mask_;
      while (slots_[at].code != 0) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
  }

  // Where the object lies differs from run to run, so collisions cannot be prepared.
  const uint64_t seed_ = reinterpret_cast<uintptr_t>(this) * 0x9E3779B97F4A7C15ull;
  std::vector<Recent> recent_;
  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
  std::vector<std::string_view> texts_;  // by code
  std::vector<std::unique_ptr<char[]>> storage_;
  char* end_ = nullptr;  // of what is used of the last piece of storage
  size_t room_ = 0;
  size_t bytes_ = 0;
  uint64_t generation_ = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RECORD_TEXT_DICTIONARY_H_
