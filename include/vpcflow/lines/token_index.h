// TokenIndex: the offsets of the lines and fields of a block of text.
//
// Tokens (fields) are separated by runs of spaces or tabs; blanks around a line and a CR before its end are fine. Any
// other control byte (0x00 to 0x1F, 0x7F) makes its line invalid and is noted in `bad`. One pass finds them all; what
// follows (parsers, columns, record views) only looks positions up.
//
// Example:
//   vpcflow::TokenIndex index;
//   vpcflow::IndexTokens("2 eni-1\n", 8, &index);
//   index.line(0).count;          // 2
//   index.token(1);               // {2, 7}
//
// The kernel here is the portable one, on eight bytes at a time; the engine has others for SSE2, AVX2, AVX-512 and NEON
// that write the same. None reads outside [data, data + size).
#ifndef VPCFLOW_LINES_TOKEN_INDEX_H_
#define VPCFLOW_LINES_TOKEN_INDEX_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "vpcflow/internal/text_indexer.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// The longest text that can be indexed, in bytes: offsets have 32 bits.
inline constexpr size_t kMaxIndexedBytes = UINT32_MAX - 65;

// A half-open range of offsets in the text.
struct Token {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// A view of consecutive tokens. Where `begins` is not explicit it is `ends - 1` with a bias of 1.
struct TokenSpan {
  const uint32_t* begins = nullptr;
  const uint32_t* ends = nullptr;
  uint32_t bias = 0;
  Token operator[](size_t i) const { return {begins[i] + bias, ends[i]}; }
};

// Any number of threads may use one at once through const members; changes are for one thread alone.
class TokenIndex {
 public:
  size_t line_count() const { return arrays_.line_count; }
  const TextLine& line(size_t i) const& { return arrays_.lines[i]; }
  std::span<const TextLine> lines() const& { return {arrays_.lines, arrays_.line_count}; }
  size_t token_count() const { return arrays_.tokens; }
  Token token(size_t i) const { return tokens()[i]; }
  // Returns all tokens of the text; those of a line begin at line.first. They borrow the index.
  TokenSpan tokens() const& {
    if (arrays_.explicit_begins) return {arrays_.begins, arrays_.ends, 0};
    return {arrays_.ends - 1, arrays_.ends, 1};
  }
  TokenSpan tokens_of(const TextLine& line) const& {
    TokenSpan span = tokens();
    span.begins += line.first;
    span.ends += line.first;
    return span;
  }
  // Returns true if no line starts with a lower-case letter, so that none can be a header.
  bool lines_begin_low() const { return arrays_.lines_begin_low; }
  // Returns the offsets of invalid control bytes, ascending. They borrow the index.
  std::span<const uint32_t> bad() const& { return {arrays_.bad, arrays_.bad_count}; }
  const TextLine& line(size_t i) const&& = delete;
  std::span<const TextLine> lines() const&& = delete;
  TokenSpan tokens() const&& = delete;
  TokenSpan tokens_of(const TextLine& line) const&& = delete;
  std::span<const uint32_t> bad() const&& = delete;
  // Returns the offset of the first invalid control byte of a line, or line.end.
  uint32_t BadIn(const TextLine& line) const;

  // Removes a byte order mark from the beginning of a line. Returns false if there is none.
  bool SkipByteOrderMark(const char* data, size_t line);

  // Returns arrays, for kernels, with room for a text of `size` bytes. Memory: 28 bytes per byte of text are set aside,
  // those that the tokens need are touched.
  TokenArrays* Reserve(size_t size);

 private:
  std::unique_ptr<uint32_t[]> words_;
  std::unique_ptr<TextLine[]> lines_;
  size_t capacity_ = 0;
  TokenArrays arrays_;
};

inline TokenArrays* TokenIndex::Reserve(size_t size) {
  if (capacity_ < size + 65 || words_ == nullptr) {
    capacity_ = size + 65;
    words_.reset(new uint32_t[3 * capacity_ + 1]);  // not zeroed
    lines_.reset(new TextLine[capacity_]);
    arrays_.ends = words_.get() + 1;
    arrays_.begins = arrays_.ends + capacity_;
    arrays_.bad = arrays_.begins + capacity_;
    arrays_.lines = lines_.get();
  }
  return &arrays_;
}

inline uint32_t TokenIndex::BadIn(const TextLine& line) const {
  const std::span<const uint32_t> all = bad();
  const auto at = std::lower_bound(all.begin(), all.end(), line.begin);
  return at == all.end() || *at > line.end ? line.end : *at;
}

inline bool TokenIndex::SkipByteOrderMark(const char* data, size_t line) {
  TextLine& of = arrays_.lines[line];
  if (of.end - of.begin < 3 || std::memcmp(data + of.begin, "\xEF\xBB\xBF", 3) != 0) return false;
  if (!arrays_.explicit_begins) {
    for (size_t i = 0; i < arrays_.tokens; ++i) arrays_.begins[i] = token(i).begin;
    arrays_.explicit_begins = true;
  }
  if (arrays_.ends[of.first] == of.begin + 3) {  // nothing but the mark
    ++of.first;
    --of.count;
  } else {
    arrays_.begins[of.first] += 3;
  }
  return true;
}

namespace internal {

// Bitmaps from words of eight bytes.
struct SwarBits {
  static constexpr uint64_t kOnes = 0x0101010101010101ull;
  static constexpr uint64_t kHighs = 0x8080808080808080ull;

  static uint64_t Word(const char* p) {
    uint64_t x;
    std::memcpy(&x, p, 8);
    if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
    return x;
  }
  // Returns 0x80 in each byte of x that equals c; exact in every byte.
  static constexpr uint64_t BytesEqual(uint64_t x, uint8_t c) {
    const uint64_t y = x ^ (kOnes * c);
    return ~(((y & ~kHighs) + ~kHighs) | y) & kHighs;
  }
  // Returns the high bits of the bytes, side by side.
  static constexpr uint64_t Gather(uint64_t highs) { return (highs >> 7) * 0x0102040810204080ull >> 56; }

  static Bitmaps Load(const char* p) {
    Bitmaps m{0, 0, 0};
    for (unsigned i = 0; i < 8; ++i) {
      const uint64_t x = Word(p + size_t{i} * 8), low = x & ~kHighs;
      // Adding 0x5F carries into the high bit from 0x21 on, adding 1 only for 0x7F.
      const uint64_t separators = (~(low + kOnes * 0x5F) | (low + kOnes)) & ~x & kHighs;
      const uint64_t not_blank = separators & ((low ^ kOnes * ' ') + kOnes * 0x7F);
      m.separators |= Gather(separators) << (8 * i);
      if (not_blank != 0) {
        const uint64_t line_ends = BytesEqual(x, '\n');
        m.line_ends |= Gather(line_ends) << (8 * i);
        m.odd |= Gather(not_blank & ~line_ends) << (8 * i);
      }
    }
    return m;
  }
  static void Flatten(uint64_t bits, uint32_t base, uint32_t* out) { FlattenBits(bits, base, out); }
  static uint64_t Equal(const char* p, char c) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i)
      bits |= Gather(BytesEqual(Word(p + size_t{i} * 8), static_cast<uint8_t>(c))) << (8 * i);
    return bits;
  }
};

}  // namespace internal

// Indexes [data, data + size). A text longer than kMaxIndexedBytes leaves `out` without lines. Reuses the memory of
// `out`. O(size).
inline void IndexTokens(const char* data, size_t size, TokenIndex* out) {
  if (size > kMaxIndexedBytes) size = 0;
  internal::TextIndexer<internal::SwarBits>(data, size, out->Reserve(size)).Run();
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_LINES_TOKEN_INDEX_H_
