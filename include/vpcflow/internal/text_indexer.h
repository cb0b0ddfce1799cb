// The indexing of a text, 64 bytes at a time, over any source of bitmaps. Kernels for other instruction sets
// instantiate it with bitmaps of their own (src/simd), so this header uses nothing but built-in types: a function of
// the standard library, compiled there, could be handed by the linker to everybody.
//
// A `Bits` has, for the 64 bytes at p, bit i standing for byte i:
//   static Bitmaps Load(const char* p);               separators, line ends, separators other than ' ' and '\n'
//   static uint64_t Equal(const char* p, char c);
//   static void Flatten(uint64_t bits, uint32_t base, uint32_t* out);   as FlattenBits
#ifndef VPCFLOW_INTERNAL_TEXT_INDEXER_H_
#define VPCFLOW_INTERNAL_TEXT_INDEXER_H_

#include <stddef.h>
#include <stdint.h>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// One line of a text, in offsets into the text and into its tokens.
struct TextLine {
  uint32_t begin;  // of its first byte
  uint32_t end;    // of its line end; the size of the text if it has none
  uint32_t first;  // its first token
  uint32_t count;  // of its tokens
};

// The arrays that indexing a text fills. Room: size + 65 entries each, ends[-1] included; see TokenIndex.
struct TokenArrays {
  uint32_t* begins = nullptr;
  uint32_t* ends = nullptr;  // ends[-1] can be written
  TextLine* lines = nullptr;
  uint32_t* bad = nullptr;  // offsets of control bytes that no line may hold
  size_t tokens = 0;
  size_t line_count = 0;
  size_t bad_count = 0;
  // `begins` is filled. If not, every token begins one byte behind the end of the one before it.
  bool explicit_begins = false;
  // True if no line starts with a lower-case letter, so that none can be a header.
  bool lines_begin_low = false;
  // How many tokens each line of the text before had, if all had as many; these lines may have as many.
  bool uniform = true;
};

namespace internal {

struct Bitmaps {
  uint64_t separators;  // bytes <= 0x20, and 0x7F
  uint64_t line_ends;
  uint64_t odd;
};

// Returns the number of bits set.
constexpr int CountBits(uint64_t bits) {
#if defined(__POPCNT__) || defined(__aarch64__)
  return __builtin_popcountll(bits);
#else  // the built-in is a function call here
  bits -= bits >> 1 & 0x5555555555555555ull;
  bits = (bits & 0x3333333333333333ull) + (bits >> 2 & 0x3333333333333333ull);
  return static_cast<int>(((bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Full) * 0x0101010101010101ull >> 56);
#endif
}

// Returns the position of the lowest bit; any number if none is set.
inline uint32_t LowestBit(uint64_t bits) {
#if defined(__BMI__)
  return static_cast<uint32_t>(__builtin_ia32_tzcnt_u64(bits));
#else
  return static_cast<uint32_t>(__builtin_ctzll(bits | uint64_t{1} << 63));
#endif
}

// Writes base plus the place of each bit; up to 15 entries more than there are bits.
inline void FlattenBits(uint64_t bits, uint32_t base, uint32_t* out) {
  // Most often there are 6 to 11 (fields of a record are 7 bytes long on average): one step, no branch on the number.
  do {
    for (int i = 0; i < 12; ++i) {
      out[i] = base + LowestBit(bits);
      bits &= bits - 1;
    }
    out += 12;
  } while (bits != 0);
}

template <class Bits>
class TextIndexer {
 public:
  TextIndexer(const char* data, size_t size, TokenArrays* out) : data_(data), size_(size), out_(*out), result_(out) {
    out_.ends[-1] = UINT32_MAX;  // so that the first token begins at ends[-1] + 1 = 0
    out_.tokens = out_.line_count = out_.bad_count = 0;
    out_.explicit_begins = out_.lines_begin_low = false;
  }

  void Run() {
    const bool whole = size_ > 0 && data_[size_ - 1] == '\n';
    if (whole && out_.uniform && Simple<false>() >= size_ && NoteUniformLines()) {
      *result_ = out_;
      return;
    }
    before_ = 1;
    size_t at = Simple<true>();
    if (at < size_) {
      MakeBegins();
      for (; at < size_; at += 64) Careful(at);
    }
    Close();
    SettleLines();
    *result_ = out_;
  }

 private:
  // The 64 bytes from `at` on, made up with token bytes behind the end of the text.
  const char* Bytes(size_t at, uint64_t* valid) {
    if (size_ - at >= 64) {
      *valid = ~uint64_t{0};
      return data_ + at;
    }
    *valid = (uint64_t{1} << (size_ - at)) - 1;
    for (size_t i = 0; i < 64; ++i) tail_[i] = at + i < size_ ? data_[at + i] : 'x';
    return tail_;
  }

  // Text of one ' ' between two tokens and no other control byte than '\n': tokens are what stands between separators.
  // Returns where it ends. All that the loop changes is in registers: members would be written in every step. Lines are
  // noted, or only counted.
  template <bool kNoteLines>
  __attribute__((noinline)) size_t Simple() {
    const TokenArrays out = out_;
    const char* const data = data_;
    const size_t size = size_;
    size_t at = 0, tokens = 0, lines = 0;
    uint64_t before = before_;
    const auto step = [&](const char* p) __attribute__((always_inline)) {
      const Bitmaps m = Bits::Load(p);
      if ((m.odd | (m.separators & (m.separators << 1 | before))) != 0) return false;
      before = m.separators >> 63;
      Bits::Flatten(m.separators, static_cast<uint32_t>(at), out.ends + tokens);
      if constexpr (kNoteLines) {
        NoteLines(m.line_ends, m.separators, at, tokens, out.lines, &lines);
      } else {
        lines += static_cast<size_t>(CountBits(m.line_ends));
      }
      tokens += static_cast<size_t>(CountBits(m.separators));
      at += 64;
      return true;
    };
    bool simple = true;
    while (simple && at + 64 <= size) simple = step(data + at);
    uint64_t valid;
    if (simple && at < size) step(Bytes(at, &valid));
    before_ = before;
    out_.tokens = tokens;
    out_.line_count = lines;
    return at;
  }

  // Any text.
  void Careful(size_t at) {
    uint64_t valid;
    const char* p = Bytes(at, &valid);
    const Bitmaps m = Bits::Load(p);
    const uint64_t after = m.separators << 1 | before_;  // bytes behind a separator
    const uint64_t ends = m.separators & ~after;
    const size_t first = out_.tokens;
    Flatten(~m.separators & after & valid, at, out_.begins, &begun_);
    Flatten(ends, at, out_.ends, &out_.tokens);
    NoteLines(m.line_ends, ends, at, first, out_.lines, &out_.line_count);
    // A CR belongs to the line end if that, or the end of the text, follows.
    const bool last = at + 64 >= size_;
    uint64_t before_line_end = m.line_ends >> 1;
    before_line_end |= last ? uint64_t{1} << (size_ - at - 1) : uint64_t{data_[at + 64] == '\n'} << 63;
    const uint64_t bad = m.odd & ~Bits::Equal(p, '\t') & ~(Bits::Equal(p, '\r') & before_line_end);
    if (bad != 0) Flatten(bad, at, out_.bad, &out_.bad_count);
    before_ = m.separators >> 63;
  }

  // Starts to write the beginnings of tokens, which cannot be derived from here on.
  void MakeBegins() {
    out_.explicit_begins = true;
    begun_ = out_.tokens + (before_ == 0 ? 1 : 0);  // one may be open
    for (size_t i = 0; i < begun_; ++i) out_.begins[i] = out_.ends[static_cast<ptrdiff_t>(i) - 1] + 1;
  }

  static void Flatten(uint64_t bits, size_t at, uint32_t* out, size_t* count) {
    Bits::Flatten(bits, static_cast<uint32_t>(at), out + *count);
    *count += static_cast<size_t>(CountBits(bits));
  }

  // Notes where lines end and how many tokens there are up to there; SettleLines makes lines of that. There is one line
  // end or none, unforeseeably (lines are longer than 64 bytes on average), so the first is written without a branch.
  static void NoteLines(uint64_t line_ends, uint64_t token_ends, size_t at, size_t first, TextLine* lines, size_t* n) {
    NoteLine(line_ends, token_ends, at, first, lines + *n);
    *n += line_ends != 0;
    for (uint64_t more = line_ends & (line_ends - 1); __builtin_expect(more != 0, false); more &= more - 1)
      NoteLine(more, token_ends, at, first, lines + (*n)++);
  }
  static void NoteLine(uint64_t line_ends, uint64_t token_ends, size_t at, size_t first, TextLine* line) {
    const uint64_t up_to = line_ends ^ (line_ends - 1);  // the bits to the lowest line end and it
    line->end = static_cast<uint32_t>(at) + LowestBit(line_ends);
    line->count = static_cast<uint32_t>(first) + static_cast<uint32_t>(CountBits(token_ends & up_to));
  }
  void SettleLines() {
    uint32_t begin = 0, first = 0, other = 0;
    for (size_t i = 0; i < out_.line_count; ++i) {
      TextLine& line = out_.lines[i];
      const uint32_t tokens = line.count;
      line = {begin, line.end, first, tokens - first};
      other |= line.count ^ out_.lines[0].count;
      begin = line.end + 1;
      first = tokens;
    }
    out_.uniform = other == 0 && !out_.explicit_begins;
  }

  // The lines of simple text that were only counted: if every n-th token ends at a line end, and there are no
  // more, they all have the same number of tokens. False if not. Noting lines in every step costs 2 ns a record more.
  bool NoteUniformLines() {
    const char* const data = data_;
    const size_t lines = out_.line_count;
    size_t width = 1;
    while (data[out_.ends[width - 1]] != '\n') ++width;  // the last byte is one
    if (width * lines != out_.tokens) return false;
    const uint32_t *end_at = out_.ends + width - 1, count = static_cast<uint32_t>(width);
    TextLine* const out = out_.lines;
    uint32_t begin = 0, first = 0;
    unsigned other = 0, high = 0;
    for (size_t i = 0; i < lines; ++i) {
      const uint32_t end = *end_at;
      high |= static_cast<unsigned char>(data[begin]) + 0x100u - 'a';  // bit 8 from 'a' on
      other |= static_cast<unsigned>(data[end] ^ '\n');
      out[i] = {begin, end, first, count};
      begin = end + 1;
      first += count;
      end_at += width;
    }
    if (other != 0) return false;
    out_.lines_begin_low = (high & 0x100) == 0;
    return true;
  }

  // Closes the line and the token that are still open at the end of the text.
  void Close() {
    if (size_ == 0 || data_[size_ - 1] == '\n') return;
    // The made-up bytes were seen as bytes of a token; only the last byte of the text tells.
    const auto last = static_cast<unsigned char>(data_[size_ - 1]);
    if (last > 0x20 && last != 0x7F) out_.ends[out_.tokens++] = static_cast<uint32_t>(size_);
    TextLine& line = out_.lines[out_.line_count++];
    line.end = static_cast<uint32_t>(size_);
    line.count = static_cast<uint32_t>(out_.tokens);
  }

  const char* data_;
  size_t size_;
  TokenArrays out_;  // a copy, so that the counters can stay in registers
  TokenArrays* result_;
  uint64_t before_ = 1;  // 1 if the byte before is a separator, as the beginning of the text counts
  size_t begun_ = 0;     // tokens begun, if begins are explicit
  alignas(64) char tail_[64];
};

}  // namespace internal

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_INTERNAL_TEXT_INDEXER_H_
