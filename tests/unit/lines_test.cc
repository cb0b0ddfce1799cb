#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <set>

#include "src/simd/kernels.h"
#include "unit/testing.h"
#include "vpcflow/record/batch.h"

namespace vpcflow {
namespace {

// What an index says, to be compared.
struct Indexed {
  struct Line {
    uint32_t begin, end;
    std::vector<std::pair<uint32_t, uint32_t>> tokens;
    friend bool operator==(const Line&, const Line&) = default;
  };
  std::vector<Line> lines;
  std::vector<uint32_t> bad;
  friend bool operator==(const Indexed&, const Indexed&) = default;
};

// The obvious way: byte by byte.
Indexed Obvious(std::string_view text) {
  Indexed out;
  Indexed::Line line{0, 0, {}};
  bool in_token = false;
  for (uint32_t i = 0; i <= text.size(); ++i) {
    const bool end = i == text.size();
    if (end && line.begin == i) break;  // nothing stands behind the last line end
    const auto c = static_cast<unsigned char>(end ? '\n' : text[i]);
    const bool separator = c <= 0x20 || c == 0x7F;
    if (!separator && !in_token) line.tokens.push_back({i, 0});
    if (separator && in_token) line.tokens.back().second = i;
    in_token = !separator;
    const bool line_end_follows = i + 1 >= text.size() || text[i + 1] == '\n';
    if (separator && c != ' ' && c != '\t' && c != '\n' && !(c == '\r' && line_end_follows)) out.bad.push_back(i);
    if (c != '\n') continue;
    line.end = i;
    out.lines.push_back(line);
    line = {i + 1, 0, {}};
  }
  return out;
}

Indexed Seen(const TokenIndex& index) {
  Indexed out;
  for (const TextLine& line : index.lines()) {
    Indexed::Line& to = out.lines.emplace_back(Indexed::Line{line.begin, line.end, {}});
    const TokenSpan tokens = index.tokens_of(line);
    for (size_t i = 0; i < line.count; ++i) to.tokens.emplace_back(tokens[i].begin, tokens[i].end);
  }
  out.bad.assign(index.bad().begin(), index.bad().end());
  return out;
}

// Every kernel that this processor can run.
std::vector<const internal::Kernels*> UsableKernels() {
  const internal::BuiltKernels* all;
  const size_t n = internal::AllKernels(&all);
  std::vector<const internal::Kernels*> usable;
  for (size_t i = 0; i < n; ++i) {
    if (all[i].usable) usable.push_back(all[i].kernels);
  }
  return usable;
}

void ExpectAllSee(std::string_view text) {
  const Indexed expected = Obvious(text);
  TokenIndex index;
  for (const internal::Kernels* kernels : UsableKernels()) {
    kernels->index(text.data(), text.size(), index.Reserve(text.size()));
    ASSERT_TRUE(Seen(index) == expected) << kernels->name << ": " << internal::Printable(text, 1000);
    for (const TextLine& line : index.lines()) {
      ASSERT_FALSE(index.lines_begin_low() && line.begin < text.size() &&
                   static_cast<unsigned char>(text[line.begin]) >= 'a')
          << kernels->name << ": " << internal::Printable(text, 1000);
    }
  }
}

TEST(Kernels, ThePortableOnesAndThoseOfThisProcessor) {
  std::set<std::string> names;
  for (const internal::Kernels* kernels : UsableKernels()) names.insert(kernels->name);
  EXPECT_TRUE(names.contains("swar"));
#if defined(__x86_64__)
  const internal::BuiltKernels* all;
  if (internal::AllKernels(&all) == 1) GTEST_SKIP() << "built without xsimd";
  EXPECT_TRUE(names.contains("sse2"));
  EXPECT_EQ(names.contains("avx2"), __builtin_cpu_supports("avx2") != 0);
#endif
}

TEST(Kernels, EveryByteAtEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t at = 0; at < 130; ++at) {
      std::string text(130, 'x');
      text[at] = static_cast<char>(byte);
      ExpectAllSee(text);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Kernels, RandomTexts) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 300, '\0');
    const uint64_t separators = random() % 20 + 1;  // from dense to rare
    for (char& c : text)
      c = random() % separators == 0 ? " \n\t\r\x7f\0 \n "[random() % 9] : static_cast<char>(random());
    ExpectAllSee(text);
    if (HasFatalFailure()) return;
  }
}

// Text of plain records, in which something else begins anywhere.
TEST(Kernels, FromPlainTextToAnyText) {
  std::string plain;
  for (int i = 0; i < 40; ++i) plain += "2 123456789010 eni-1235b8ca123456789 172.31.16.139 203.0.113.12 0 OK\n";
  for (size_t at = 0; at < 400; ++at) {
    for (const char* odd : {"  ", "\r\n", "\t", "\x01", " \n", "\n\n"}) {
      ExpectAllSee(plain.substr(0, at) + odd + plain.substr(at, 300));
      if (HasFatalFailure()) return;
    }
  }
}

// Lines of the same number of tokens are noted another way, and each text tells which way is tried first on the next.
TEST(Kernels, LinesOfTheSameNumberOfTokens) {
  const auto lines = [](std::initializer_list<size_t> counts, size_t times) {
    std::string text;
    for (size_t i = 0; i < times; ++i) {
      for (const size_t count : counts) {
        for (size_t t = 0; t < count; ++t) text += std::string(1 + (i + t) % 5, '7') + (t + 1 < count ? ' ' : '\n');
      }
    }
    return text;
  };
  const std::string even = lines({3}, 100), sum = lines({3}, 30) + lines({4, 2}, 10), one = "1 2 3\n",
                    open = even + "1 2";
  const std::vector<std::string> texts = {
      even, sum,         lines({4, 2}, 9), lines({3}, 50) + "1\n",        "1 2\n" + lines({3}, 50), one,
      open, even + "\n", "\n" + even,      even + "version a b\n" + even, "\xEF\xBB\xBF" + even,    even + "1 2\t3\n",
      "\n", ""};
  const internal::Kernels* const portable = UsableKernels()[0];
  for (const internal::Kernels* kernels : UsableKernels()) {
    for (const std::string& before : texts) {
      for (const std::string& text : texts) {
        TokenIndex index;
        for (const std::string& t : {before, text})
          kernels->index(t.data(), t.size(), index.Reserve(1000 + text.size()));
        ASSERT_TRUE(Seen(index) == Obvious(text)) << kernels->name << ": " << before << "then " << text;
      }
    }
  }
  for (const std::string& text : texts) ExpectAllSee(text);
  TokenIndex index;
  const auto low = [&](const std::string& text) {
    portable->index(text.data(), text.size(), index.Reserve(2000));
    return index.lines_begin_low();
  };
  EXPECT_TRUE(low(even));
  EXPECT_FALSE(low(sum));   // not known
  EXPECT_FALSE(low(even));  // nor is it looked for behind that
  EXPECT_TRUE(low(even));
  EXPECT_FALSE(low("a 2 3\n" + even));
  EXPECT_FALSE(low(even + "b 2 3\n"));
  EXPECT_TRUE(low("Z ~ ~\n" + even));
}

// Nothing is read outside the text: it stands between two pages that cannot be read.
TEST(Kernels, T25NothingBeyondTheText) {
  const size_t page = 4096;
  char* map = static_cast<char*>(mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(map, MAP_FAILED);
  mprotect(map, page, PROT_NONE);
  mprotect(map + 2 * page, page, PROT_NONE);
  TokenIndex index;
  std::vector<uint32_t> left(page), records(page);
  std::vector<int64_t> ints(page);
  std::vector<uint64_t> addresses(page);
  std::vector<uint32_t> codes(page);
  std::vector<uint64_t> words(2 * page);
  std::vector<uint8_t> good(page);
  TextDictionary texts;
  for (const char* pattern : {"2001:db8::1:2 ", "12345 ", "1 ", "10.0.0.1 ", "12345\r\n", "  12.1.255.0"}) {
    for (size_t i = 0; i < page; ++i) map[page + i] = pattern[i % std::strlen(pattern)];
    for (const internal::Kernels* kernels : UsableKernels()) {
      for (size_t size = 0; size <= page; ++size) {
        for (const char* text : {map + 2 * page - size, map + page}) {  // ends at the page; begins after one
          kernels->index(text, size, index.Reserve(size));
          if (size > 100 && size % 64 != 0) continue;
          for (uint32_t i = 0; i < index.token_count(); ++i) records[i] = i;
          const TokenSpan tokens = index.tokens();
          const internal::TokenColumn column = {text,        size,           tokens.begins,      tokens.ends,
                                                tokens.bias, records.data(), index.token_count()};
          internal::IntegerColumn integers = {0, 16, 1000, ints.data(), left.data(), 0};
          kernels->integers(column, &integers, 1);
          kernels->addresses(column, addresses.data(), left.data());
          kernels->ipv6(column, records.data(), column.count, words.data(), good.data());
          kernels->texts(column, texts.recent(), codes.data(), left.data());
          constexpr size_t kWidth = 8;  // tokens taken as records, so that several columns are converted at once
          internal::TokenColumn wide = column;
          wide.count = index.token_count() / kWidth;
          for (uint32_t i = 0; i < wide.count; ++i) records[i] = i * kWidth;
          std::vector<internal::IntegerColumn> columns;
          for (uint32_t c = 0; c < kWidth; ++c)
            columns.push_back({c, 16, 1000, ints.data() + c * page / kWidth, left.data() + c * page / kWidth, 0});
          kernels->integers(wide, columns.data(), columns.size());
        }
      }
    }
  }
  munmap(map, 3 * page);
}

// The values of a column of texts by every kernel, those it leaves converted the slow way, against the slow way alone.
void ExpectAllConvert(const std::vector<std::string>& texts) {
  std::string text(20, ' ');
  text += '\n';
  for (const std::string& t : texts) text += t + " ";
  text += std::string(20, ' ');
  TokenIndex index;
  IndexTokens(text.data(), text.size(), &index);
  ASSERT_EQ(index.token_count(), texts.size());
  std::vector<uint32_t> records(texts.size()), left(texts.size());
  std::iota(records.begin(), records.end(), 0u);
  const TokenSpan tokens = index.tokens();
  const internal::TokenColumn column = {text.data(), text.size(),    tokens.begins, tokens.ends,
                                        tokens.bias, records.data(), texts.size()};
  constexpr int64_t kError = -1;
  for (const internal::Kernels* kernels : UsableKernels()) {
    for (const auto& [digits, max] : {std::pair<size_t, uint64_t>{16, 255},
                                      {16, 65535},
                                      {13, uint64_t{1} << 31},
                                      {16, std::numeric_limits<int64_t>::max()}}) {
      std::vector<int64_t> ints(texts.size());
      const auto parse = [&](const std::string& t) {
        uint64_t value = 0;
        if (t == "-") return kNullInt;
        const bool good = (t.size() <= digits || digits == 16) && ParseUint(t, max, &value) == Errc::kOk;
        return good ? static_cast<int64_t>(value) : kError;
      };
      internal::IntegerColumn integers = {0, static_cast<uint32_t>(digits), max, ints.data(), left.data(), 0};
      kernels->integers(column, &integers, 1);
      for (size_t i = 0; i < integers.n_left; ++i) ints[left[i]] = parse(texts[left[i]]);
      for (size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(ints[i], parse(texts[i])) << kernels->name << " " << texts[i];
    }
    std::vector<uint64_t> addresses(texts.size());
    const auto parse = [&](const std::string& t) {
      uint32_t v4 = 0;
      return ParseIpv4(t.data(), t.data() + t.size(), &v4) ? kCodeV4 | v4 : 0;
    };
    const size_t n = kernels->addresses(column, addresses.data(), left.data());
    for (size_t i = 0; i < n; ++i) addresses[left[i]] = parse(texts[left[i]]);
    for (size_t i = 0; i < texts.size(); ++i)
      ASSERT_EQ(addresses[i], parse(texts[i])) << kernels->name << " " << texts[i];
  }
}

TEST(Kernels, ConvertAllPortsAndNumbersOfEveryLength) {
  std::vector<std::string> texts;
  for (int i = 0; i <= 70000; ++i) texts.push_back(std::to_string(i));
  for (size_t length = 1; length <= 24; ++length) {
    for (char digit : {'0', '1', '9'}) texts.push_back(std::string(length, digit));
    for (size_t at = 0; at < length; ++at) {
      for (char c : {'-', '/', ':', 'a', '\x80', '\xFF', '.', '+'}) {
        texts.push_back(std::string(length, '1'));
        texts.back()[at] = c;
      }
    }
  }
  for (const char* t : {"2147483647", "2147483648", "2147483649", "9223372036854775807", "9223372036854775808",
                        "18446744073709551616", "0000001418530010"})
    texts.emplace_back(t);
  ExpectAllConvert(texts);
}

TEST(Kernels, ConvertAddresses) {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {  // every octet at every place, and beyond
    const std::string n = std::to_string(i);
    texts.insert(texts.end(), {n + ".1.22.133", "1." + n + ".22.133", "1.22." + n + ".133", "1.22.133." + n});
  }
  const std::string parts[] = {"0",   "7",   "00",  "07",  "10",  "99",   "000", "010",
                               "100", "199", "255", "256", "999", "1000", "a",   ""};
  for (const auto& a : parts) {
    for (const auto& b : parts) {
      for (const auto& c : parts) {
        for (const auto& d : parts) texts.push_back(a + "." + b + "." + c + "." + d);
      }
    }
  }
  std::mt19937 random(5);
  for (int i = 0; i < 50'000; ++i) {
    std::string t(random() % 17 + 1, '0');
    for (char& c : t) c = "0123456789....:-x\xFF"[random() % 18];
    texts.push_back(t);
  }
  ExpectAllConvert(texts);
}

// Every IPv4 address by every kernel and by the scalar parser, and back: all 2^32 of them with VPCFLOW_IPV4_STEP=1
// (make soak), a sample otherwise.
TEST(Kernels, T6EveryIpv4Address) {
  const char* asked = std::getenv("VPCFLOW_IPV4_STEP");
  const uint64_t step = asked == nullptr ? 16381 : std::strtoull(asked, nullptr, 10);
  ASSERT_GT(step, 0u);
  constexpr size_t kBatch = 4096;
  TokenIndex index;
  std::string text;
  std::vector<uint32_t> wanted, left(kBatch), records(kBatch);
  std::iota(records.begin(), records.end(), 0u);
  std::vector<uint64_t> got(kBatch);
  const std::string edge(16, ' ');  // kernels leave what is near to the edges of the text
  for (uint64_t next = 0; next < uint64_t{1} << 32;) {
    text = edge;
    wanted.clear();
    for (; wanted.size() < kBatch && next < uint64_t{1} << 32; next += step) {
      const auto address = static_cast<uint32_t>(next);
      wanted.push_back(address);
      const std::string shown = ToString(Ip::V4(address));
      text += shown;
      text += ' ';
      uint32_t parsed = 0;
      ASSERT_TRUE(ParseIpv4(shown.data(), shown.data() + shown.size(), &parsed)) << shown;
      ASSERT_EQ(parsed, address) << shown;
    }
    text += edge;
    for (const internal::Kernels* kernels : UsableKernels()) {
      kernels->index(text.data(), text.size(), index.Reserve(text.size()));
      const TokenSpan tokens = index.tokens();
      const internal::TokenColumn column = {text.data(), text.size(),    tokens.begins, tokens.ends,
                                            tokens.bias, records.data(), wanted.size()};
      ASSERT_EQ(kernels->addresses(column, got.data(), left.data()), 0u) << kernels->name << text;
      for (size_t i = 0; i < wanted.size(); ++i) ASSERT_EQ(got[i], kCodeV4 | wanted[i]) << kernels->name;
    }
  }
}

TEST(TextDictionary, NumbersTexts) {
  TextDictionary texts;
  std::vector<std::string> all;
  for (size_t length = 0; length < 70; ++length) {
    for (size_t at = 0; at < std::max<size_t>(length, 1); ++at) {  // texts that differ in one byte
      all.emplace_back(length, 'x');
      if (length > 0) all.back()[at] = 'y';
    }
  }
  for (uint32_t round = 0; round < 2; ++round) {
    for (uint32_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(texts.Code(all[i] + ""), i + 1) << i;
    }
  }
  for (uint32_t i = 0; i < all.size(); ++i) ASSERT_EQ(texts.text(i + 1), all[i]);
  for (int round = 0; round < 2; ++round) EXPECT_EQ(texts.Code("-"), kNullText);
  EXPECT_EQ(texts.text(kNullText).data(), nullptr);
  const uint64_t before = texts.generation();
  texts.Clear();
  EXPECT_NE(texts.generation(), before);
  EXPECT_EQ(texts.size(), 0u);
}

// Texts of all lengths that differ in one byte, among others: a kernel gives each the number that it had, or leaves it;
// a text that was asked for last is not left, unless it is too long or too near to the beginning of the block.
TEST(Kernels, RecentTexts) {
  std::vector<std::string> all;
  for (size_t length = 1; length < 40; ++length) {
    for (size_t at = 0; at < length; ++at) {
      all.emplace_back(length, 'x');
      all.back()[at] = 'y';
    }
  }
  all.emplace_back("-");
  for (const internal::Kernels* kernels : UsableKernels()) {
    for (const std::string& before : {std::string(40, 'z'), std::string("a")}) {
      const std::string other = before + std::string(40, 'y');  // bytes before a text do not count
      std::string text;
      for (const std::string& t : all) text += before + " " + t + " " + other + "\n";
      TokenIndex index;
      kernels->index(text.data(), text.size(), index.Reserve(text.size()));
      std::vector<uint32_t> records;
      for (const TextLine& line : index.lines()) records.push_back(line.first + 1);
      const TokenSpan tokens = index.tokens();
      TextDictionary texts;
      for (uint32_t i = 0; i < all.size(); ++i) {
        const internal::TokenColumn column = {
            text.data(), text.size(), tokens.begins, tokens.ends, tokens.bias, &records[i], 1};
        uint32_t code = 0, left = 1;
        for (int round = 0; round < 2; ++round) {  // unknown, then known
          const size_t n = kernels->texts(column, texts.recent(), &code, &left);
          const bool known = round == 1 && all[i].size() <= internal::kRecentBytes &&
                             tokens.ends[records[i]] >= internal::kRecentBytes;
          ASSERT_EQ(n, known ? 0u : 1u) << kernels->name << " " << all[i];
          if (n == 1) {
            ASSERT_EQ(left, 0u);
            code = texts.Code(all[i]);
          }
          ASSERT_EQ(code, all[i] == "-" ? kNullText : i + 1) << kernels->name << " " << all[i];
        }
      }
    }
  }
}

// IPv6 texts, whole and damaged, between texts: what a kernel converts is what the scalar parser says, and the usual
// shapes are converted.
TEST(Kernels, Ipv6) {
  std::mt19937_64 random(6);
  std::vector<std::string> all = {"1:2:3:4:5:6:7:8",
                                  "1::8",
                                  "1:2:3:4:5:6::8",
                                  "1::3:4:5:6:7:8",
                                  "1:2:3:4:5:6:7::8",
                                  "1:2::5::8",
                                  "1:::8",
                                  "::1",
                                  "1::",
                                  "::",
                                  ":1:2:3:4:5:6:7:8",
                                  "1:2:3:4:5:6:7:",
                                  "12345::1",
                                  "1:2:3:4:5:6:7:8:9",
                                  "1:2:3",
                                  "::ffff:1.2.3.4",
                                  "0:0:0:0:0:ffff:102:304",
                                  "2001:DB8::aBcD",
                                  "2001:db8::g",
                                  "2001:db8::@",
                                  "fe80::1%eth0",
                                  "1:2:3:4:5:6:7:88888"};
  for (int i = 0; i < 20'000; ++i) {
    Ip ip{random(), random()};
    if (i % 3 != 0) ip.lo &= 0xFFFF;
    if (i % 5 == 0) ip.hi &= ~uint64_t{0} << (random() % 64);
    all.push_back(ToString(ip));
    if (i % 4 == 0) all.back()[random() % all.back().size()] = "0123456789abcdefABCDEF:.gG@`/"[random() % 29];
  }
  std::string text(20, 'x');
  text += ' ';
  for (const std::string& t : all) text += t + " ";
  text += std::string(80, 'y');
  TokenIndex index;
  IndexTokens(text.data(), text.size(), &index);
  ASSERT_EQ(index.token_count(), all.size() + 2);
  std::vector<uint32_t> records(all.size()), rows(all.size());
  std::iota(records.begin(), records.end(), 1u);
  std::iota(rows.begin(), rows.end(), 0u);
  const TokenSpan tokens = index.tokens();
  const internal::TokenColumn column = {text.data(), text.size(),    tokens.begins, tokens.ends,
                                        tokens.bias, records.data(), records.size()};
  for (const internal::Kernels* kernels : UsableKernels()) {
    std::vector<uint64_t> words(2 * all.size());
    std::vector<uint8_t> good(all.size());
    kernels->ipv6(column, rows.data(), rows.size(), words.data(), good.data());
    size_t converted = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      if (good[i] == 0) continue;
      ++converted;
      Ip ip;
      ASSERT_TRUE(ParseIp(all[i], &ip)) << kernels->name << " " << all[i];
      ASSERT_EQ(ip, (Ip{words[2 * i], words[2 * i + 1]})) << kernels->name << " " << all[i];
    }
    const bool has = std::string_view(kernels->name) == "avx512vbmi2";
    EXPECT_GE(converted, has ? all.size() / 2 : 0) << kernels->name;
    for (size_t i = 0; has && i < 4; ++i) EXPECT_EQ(good[i], 1) << kernels->name << " " << all[i];
  }
}

}  // namespace
}  // namespace vpcflow
