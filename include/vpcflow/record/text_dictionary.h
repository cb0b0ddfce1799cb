// TextDictionary: the different texts of a column, each with a number, so that a column of repeating texts is a column
// of numbers.
//
//   vpcflow::TextDictionary texts;
//   const uint32_t code = texts.Code("ACCEPT");   // 1; 0 stands for null
//   texts.text(code);                             // "ACCEPT", until Clear
//
// Whoever fills it bounds it: with size() and bytes(), and Clear between batches. `generation` changes with Clear, so
// that others can keep what they found out about codes.
#ifndef VPCFLOW_RECORD_TEXT_DICTIONARY_H_
#define VPCFLOW_RECORD_TEXT_DICTIONARY_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

class TextDictionary {
 public:
  TextDictionary() { Clear(); }
  TextDictionary(const TextDictionary&) = delete;
  TextDictionary& operator=(const TextDictionary&) = delete;

  // The code of a text, a new one if it was not there. `readable`: bytes from text.data() on that may be read (more
  // than text.size() spares copying short texts). Expected O(text.size()).
  uint32_t Code(std::string_view text, size_t readable = 0) {
    const Words words = WordsOf(text, std::max(readable, text.size()));
    for (uint64_t at = words.hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.code == 0) return Insert(text, words);
      if (slot.words == words.words && slot.size == text.size() && (text.size() <= 32 || texts_[slot.code] == text))
        return slot.code;
    }
  }
  std::string_view text(uint32_t code) const { return texts_[code]; }

  // Codes are 1 to size().
  size_t size() const { return texts_.size() - 1; }
  size_t bytes() const { return bytes_; }
  uint64_t generation() const { return generation_; }
  void Clear() {
    slots_.assign(64, Slot{});
    mask_ = slots_.size() - 1;
    texts_.assign(1, std::string_view());
    storage_.clear();
    room_ = bytes_ = 0;
    ++generation_;
  }

 private:
  struct FourWords {
    uint64_t a = 0, b = 0, c = 0, d = 0;
    bool operator==(const FourWords& o) const { return ((a ^ o.a) | (b ^ o.b) | (c ^ o.c) | (d ^ o.d)) == 0; }
  };
  struct Slot {
    FourWords words;  // the first and last 16 bytes of the text: all there is to a text of at most 32
    uint32_t size = 0;
    uint32_t code = 0;
  };
  struct Words {
    FourWords words;
    uint64_t hash;
  };

  static constexpr uint64_t kOdd[3] = {0xA0761D6478BD642Full, 0x8EBC6AF09C88C6E3ull, 0xE7037ED1A0B428DBull};

  static uint64_t Load(const char* p, size_t n = 8) {
    uint64_t x = 0;
    std::memcpy(&x, p, n);
    return x;
  }
  static uint64_t Mix(uint64_t a, uint64_t b) {
    __extension__ const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  Words WordsOf(std::string_view text, size_t readable) const {
    const size_t n = text.size();
    const char* p = text.data();
    Words w{{}, seed_ ^ n};
    if (n > 16) {
      w.words = {Load(p), Load(p + 8), Load(p + n - 16), Load(p + n - 8)};
      for (size_t at = 16; at + 16 < n; at += 8) w.hash = Mix(w.hash ^ Load(p + at), kOdd[0]);
      w.hash = Mix(w.hash ^ w.words.b, w.words.c ^ kOdd[1]);
    } else if (n >= 8) {
      w.words.a = Load(p);
      w.words.d = Load(p + n - 8);
    } else if (readable >= 8 && std::endian::native == std::endian::little) {
      w.words.a = Load(p) & ((uint64_t{1} << 8 * n) - 1);
    } else if (n > 0) {
      w.words.a = Load(p, n);
    }
    w.hash = Mix(w.hash ^ w.words.a, w.words.d ^ kOdd[2]);
    return w;
  }

  [[gnu::noinline]] uint32_t Insert(std::string_view text, const Words& words) {
    if (texts_.size() * 2 > mask_) Grow();
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
    Place({words.words, static_cast<uint32_t>(text.size()), code}, words.hash);
    return code;
  }
  void Place(const Slot& slot, uint64_t hash) {
    uint64_t at = hash & mask_;
    while (slots_[at].code != 0) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
  void Grow() {
    mask_ = mask_ * 2 + 1;
    slots_.assign(mask_ + 1, Slot{});
    for (uint32_t code = 1; code < texts_.size(); ++code) {
      const Words words = WordsOf(texts_[code], texts_[code].size());
      Place({words.words, static_cast<uint32_t>(texts_[code].size()), code}, words.hash);
    }
  }

  // Where the object lies differs from run to run, so collisions cannot be prepared.
  const uint64_t seed_ = reinterpret_cast<uintptr_t>(this) * 0x9E3779B97F4A7C15ull;
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
