// All kernels on many generated lines, plain and damaged, must write the same bytes. VPCFLOW_KERNEL_LINES lines of each
// format; `make soak` asks for 10,000,000 in all.
#include <array>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <span>

#include "src/simd/kernels.h"
#include "unit/testing.h"
#include "vpcflow/lines/token_index.h"
#include "vpcflow/record/text_dictionary.h"

namespace vpcflow {
namespace {

using internal::Kernels;

// What a kernel wrote, and what its column kernels wrote for every token of the text: positions of tokens, lines and
// bad bytes; values and the tokens left over.
std::string Written(const Kernels& kernels, std::string_view text, TokenIndex* index) {
  std::string out;
  const auto put = [&](const auto* values, size_t n) {
    out.append(reinterpret_cast<const char*>(values), n * sizeof *values);
  };
  kernels.index(text.data(), text.size(), index->Reserve(text.size()));
  std::vector<uint32_t> records(index->token_count()), left(index->token_count());
  for (uint32_t i = 0; i < records.size(); ++i) {
    records[i] = i;
    const Token token = index->token(i);
    put(&token, 1);
  }
  put(index->lines().data(), index->line_count());
  put(index->bad().data(), index->bad().size());
  const TokenSpan tokens = index->tokens();
  const internal::TokenColumn column = {text.data(), text.size(),    tokens.begins, tokens.ends,
                                        tokens.bias, records.data(), records.size()};
  // A kernel may leave more than another: what it leaves is made up for the slow way, as the engine does.
  const auto integers = [&](const internal::TokenColumn& of, std::span<const uint32_t> places) {
    std::vector<std::vector<int64_t>> values(places.size(), std::vector<int64_t>(of.count));
    std::vector<std::vector<uint32_t>> rows_left(places.size(), std::vector<uint32_t>(of.count));
    std::vector<internal::IntegerColumn> columns;
    for (size_t c = 0; c < places.size(); ++c) {
      const uint64_t max = places[c] % 3 == 0 ? 65535 : places[c] % 3 == 1 ? 255 : uint64_t{1} << 62;
      columns.push_back({places[c], places[c] % 2 == 0 ? 16u : 13u, max, values[c].data(), rows_left[c].data(), 0});
    }
    kernels.integers(of, columns.data(), columns.size());
    for (size_t c = 0; c < columns.size(); ++c) {
      for (size_t i = 0; i < columns[c].n_left; ++i) {
        const uint32_t row = rows_left[c][i];
        const Token t = index->token(of.records[row] + columns[c].place);
        const std::string_view token = text.substr(t.begin, t.end - t.begin);
        uint64_t value = 0;
        const bool good =
            token.size() <= columns[c].max_digits && ParseUint(token, columns[c].max, &value) == Errc::kOk;
        values[c][row] = token == "-" ? internal::kNullInteger : good ? static_cast<int64_t>(value) : -1;
      }
      put(values[c].data(), values[c].size());
    }
  };
  integers(column, std::array{0u});
  // The tokens taken as records of 29, several columns at once: sparse, side by side, more than eight, far apart.
  constexpr uint32_t kWidth = 29;
  for (uint32_t i = 0; i < records.size() / kWidth; ++i) records[i] = i * kWidth;
  internal::TokenColumn wide = column;
  wide.count = records.size() / kWidth;
  integers(wide, std::array{0u, 5u, 6u, 7u, 8u, 9u, 10u, 11u});
  integers(wide, std::array{0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u, 13u, 14u, 28u});
  integers(wide, std::array{3u, 9u, 17u, 20u, 22u});
  std::iota(records.begin(), records.end(), 0u);
  std::vector<uint64_t> addresses(records.size());
  const size_t n = kernels.addresses(column, addresses.data(), left.data());
  std::vector<uint64_t> words(2 * n);
  std::vector<uint8_t> good(n);
  kernels.ipv6(column, left.data(), n, words.data(), good.data());
  for (size_t i = 0; i < n; ++i) {
    const Token t = index->token(left[i]);
    Ip ip;
    const bool any = ParseIp(text.data() + t.begin, text.data() + t.end, &ip);
    if (good[i] != 0) {
      EXPECT_TRUE(any && ip == (Ip{words[2 * i], words[2 * i + 1]}))
          << kernels.name << " " << text.substr(t.begin, t.end - t.begin);
    }
    addresses[left[i]] = !any ? 0 : ip.is_v4() ? kCodeV4 | ip.v4() : ip.hi ^ ip.lo;
  }
  put(addresses.data(), addresses.size());
  // A column of the records of 29, twice: the second time most texts are among the recent ones.
  for (uint32_t i = 0; i < wide.count; ++i) records[i] = i * kWidth;
  TextDictionary texts;
  std::vector<uint32_t> codes(wide.count);
  for (int round = 0; round < 2; ++round) {
    const size_t n_left = kernels.texts(wide, texts.recent(), codes.data(), left.data());
    for (size_t i = 0; i < n_left; ++i) {
      const Token t = index->token(records[left[i]]);
      codes[left[i]] = texts.Code(text.substr(t.begin, t.end - t.begin));
    }
    put(codes.data(), codes.size());
    put(left.data(), n_left);
  }
  return out;
}

TEST(SameKernels, OnGeneratedAndDamagedLines) {
  const char* asked = std::getenv("VPCFLOW_KERNEL_LINES");
  const uint64_t lines = asked == nullptr ? 20'000 : std::strtoull(asked, nullptr, 10);
  const internal::BuiltKernels* all;
  const size_t n_kernels = internal::AllKernels(&all);
  std::mt19937_64 random(11);
  uint64_t seen = 0;
  for (const char* name : {"default", "v5", "v11", "tgw"}) {
    for (uint64_t done = 0; done < lines; done += 20'000) {
      SynthOptions options;
      FormatError error;
      ASSERT_TRUE(Format::Parse(name, &options.format, &error));
      options.records = std::min<uint64_t>(20'000, lines - done);
      options.seed = done + 1;
      options.peers = 5000;
      options.noise_sources = 2000;
      options.ipv6_share = 0.2;
      absl::StatusOr<std::string> log = SynthesizeText(options);
      ASSERT_TRUE(log.ok()) << log.status();
      std::string text = *std::move(log);
      if (done / 20'000 % 2 == 1) {  // every other piece is damaged, in bytes, and in blanks and line ends
        for (size_t i = 0; i < text.size() / 500; ++i) {
          char& c = text[random() % text.size()];
          c = random() % 2 == 0 ? static_cast<char>(random()) : " \n\r\t\x7f\0"[random() % 6];
        }
      }
      TokenIndex index;
      std::string first;
      for (size_t k = 0; k < n_kernels; ++k) {
        if (!all[k].usable) continue;
        std::string written = Written(*all[k].kernels, text, &index);
        if (first.empty()) {
          first = std::move(written);
          seen += index.line_count();
        } else {
          ASSERT_TRUE(written == first) << all[k].kernels->name << ", " << name << ", lines from " << done;
        }
      }
    }
  }
  RecordProperty("lines", std::to_string(seen));
  std::cout << seen << " lines, the same by all kernels\n";
}

}  // namespace
}  // namespace vpcflow
