// TextDictionary: the different texts of a column, each with a number, so that a column of repeating texts is a column
// of numbers.
//
// Example:
//   vpcflow::TextDictionary texts;
//   const uint32_t code = texts.Code("ACCEPT");   // 1
//   texts.text(code);                             // "ACCEPT", until Clear
//   texts.Code("-");                              // 0: null, which has no text
//
// The caller bounds its memory, by size(), bytes() and Clear between batches. `generation` changes with Clear, so
// that others can keep what they found out about codes.
#ifndef VPCFLOW_RECORD_TEXT_DICTIONARY_H_
#define VPCFLOW_RECORD_TEXT_DICTIONARY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "vpcflow/internal/digits.h"
#include "vpcflow/internal/recent_text.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one at once through const members; changes are for one thread alone.
class TextDictionary {
 public:
  TextDictionary() { Clear(); }
  TextDictionary(const TextDictionary&) = delete;
  TextDictionary& operator=(const TextDictionary&) = delete;

  // Returns the code of a text, and adds it if it is new. Expected O(text.size()).
  uint32_t Code(std::string_view text) {
    const uint32_t code = Find(text);
    if (text.size() - 1 < internal::kRecentBytes && !recent_.empty()) {
      char end[internal::kRecentBytes] = {};
      std::memcpy(end + internal::kRecentBytes - text.size(), text.data(), text.size());
      internal::RecentText recent;
      for (size_t w = 0; w < 4; ++w) recent.words[w] = internal::Load8(end + 8 * w);
      recent.code = code;
      recent_[internal::RecentText::Slot(recent.words[3])] = recent;
    }
    return code;
  }
  // Returns kRecentTexts of the texts that Code was asked for last: kernels look here first.
  const internal::RecentText* recent() & {
    if (recent_.empty())
      recent_.resize(internal::kRecentTexts);  // not before: a scan may have many columns, and few lines
    return recent_.data();
  }
  std::string_view text(uint32_t code) const& { return texts_[code]; }
  std::string_view text(uint32_t code) const&& = delete;

  // Codes are 1 to size().
  size_t size() const { return texts_.size() - 1; }
  size_t bytes() const { return bytes_; }
  uint64_t generation() const { return generation_; }
  void Clear() {
    slots_.assign(64, Slot{});
    std::fill(recent_.begin(), recent_.end(), internal::RecentText());
    mask_ = slots_.size() - 1;
    texts_.assign(1, std::string_view());
    storage_.clear();
    room_ = bytes_ = 0;
    ++generation_;
  }

 private:
  static constexpr uint64_t kOdd[2] = {0xA0761D6478BD642Full, 0xE7037ED1A0B428DBull};
  struct Slot {
    uint64_t hash = 0;
    uint32_t code = 0;
  };

  static uint64_t Load(const char* p, size_t n = 8) {
    uint64_t x = 0;
    if (n > 0) std::memcpy(&x, p, n);
    return x;
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

  uint32_t Find(std::string_view text) {
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
  std::vector<internal::RecentText> recent_;
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
