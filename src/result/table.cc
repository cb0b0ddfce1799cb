#include "vpcflow/result/table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>

#include "vpcflow/format/field.h"
#include "vpcflow/result/wide.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

// The text of an address as five numbers that compare like it.
using TextKey = std::array<uint64_t, 5>;

TextKey AddressTextKey(const Ip& ip) {
  char text[sizeof(TextKey)] = {};
  FormatIp(ip, text);
  TextKey key;
  std::memcpy(key.data(), text, sizeof key);
  if constexpr (std::endian::native == std::endian::little) {
    for (uint64_t& word : key) word = __builtin_bswap64(word);
  }
  return key;
}

template <class Keys>
std::vector<int32_t> RanksOf(const Keys& keys) {
  std::vector<int32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int32_t a, int32_t b) { return keys[static_cast<size_t>(a)] < keys[static_cast<size_t>(b)]; });
  std::vector<int32_t> ranks(keys.size());
  for (size_t i = 0; i < order.size(); ++i) ranks[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
  return ranks;
}

// For each dictionary entry, its place in the order of texts.
std::vector<int32_t> DictionaryRanks(const TableColumn& column) {
  if (column.type == ColumnType::kText) return RanksOf(column.texts);
  std::vector<TextKey> keys;
  keys.reserve(column.addresses.size());
  for (const Ip& ip : column.addresses) keys.push_back(AddressTextKey(ip));
  return RanksOf(keys);
}

template <class Value>
void Permute(Array<Value>* values, const std::vector<uint32_t>& order) {
  if (values->empty()) return;
  Array<Value> out;
  out.reserve(order.size());
  for (uint32_t row : order) out.push_back((*values)[row]);
  *values = std::move(out);
}

// Values as words in the same order; those of a column from 0 on, or falling from there, and null behind them all.
template <class Word, class Values>
std::vector<Word> SortWords(const TableColumn& column, bool descending, size_t rows, const Values& word_of) {
  std::vector<Word> words(rows);
  Word least = ~Word{0}, most = 0;
  for (size_t row = 0; row < rows; ++row) {
    if (column.is_null(row)) continue;
    words[row] = word_of(row);
    least = std::min(least, words[row]);
    most = std::max(most, words[row]);
  }
  if (least > most) return words;  // nothing but null
  for (size_t row = 0; row < rows; ++row) {
    if (!column.is_null(row)) {
      words[row] = descending ? most - words[row] : words[row] - least;
    } else {
      words[row] = most - least + 1;
    }
  }
  return words;
}

// Sorts `order` by the words of its rows, and leaves equal ones as they are: by digits of 11 bits, from the last on.
void SortByWords(const std::vector<uint64_t>& words, std::vector<uint32_t>* order) {
  constexpr int kDigit = 11;
  const uint64_t most = words.empty() ? 0 : *std::max_element(words.begin(), words.end());
  std::vector<uint32_t> next(order->size());
  for (int shift = 0; shift < 64 && most >> shift != 0; shift += kDigit) {
    const auto digit = [&](uint32_t row) { return words[row] >> shift & ((1u << kDigit) - 1); };
    std::array<uint32_t, (1u << kDigit) + 1> begin{};
    for (const uint32_t row : *order) ++begin[digit(row) + 1];
    for (size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
    for (const uint32_t row : *order) next[begin[digit(row)]++] = row;
    order->swap(next);
  }
}

// Sorts `order` by one column; the sort is stable, so the last key sorted is the first that counts.
void SortBy(const TableColumn& column, bool descending, std::vector<uint32_t>* order) {
  const size_t rows = order->size();
  const auto sort = [&](const auto& word_of) {
    SortByWords(SortWords<uint64_t>(column, descending, rows, word_of), order);
  };
  constexpr uint64_t kSign = uint64_t{1} << 63;
  const auto of_signed = [](int64_t value) { return static_cast<uint64_t>(value) ^ kSign; };
  switch (column.type) {
    case ColumnType::kInt32:
    case ColumnType::kBool: return sort([&](size_t r) { return of_signed(column.i32[r]); });
    case ColumnType::kInt64:
    case ColumnType::kTime: return sort([&](size_t r) { return of_signed(column.i64[r]); });
    case ColumnType::kFloat64:
      return sort([&](size_t r) {
        const uint64_t bits = std::bit_cast<uint64_t>(column.f64[r] + 0.0);  // -0 is 0
        return (bits & kSign) != 0 ? ~bits : bits | kSign;
      });
    case ColumnType::kInt128: {
      const std::vector<uint128> words = SortWords<uint128>(
          column, descending, rows, [&](size_t r) { return column.i128[r] ^ kNullInt128; });  // the sign
      std::stable_sort(order->begin(), order->end(), [&](uint32_t a, uint32_t b) { return words[a] < words[b]; });
      return;
    }
    case ColumnType::kAddress:
    case ColumnType::kText: {
      const std::vector<int32_t> ranks = DictionaryRanks(column);
      return sort([&](size_t r) { return static_cast<uint64_t>(ranks[static_cast<size_t>(column.i32[r])]); });
    }
  }
}

}  // namespace

int CompareAddressText(const Ip& a, const Ip& b) {
  const TextKey x = AddressTextKey(a), y = AddressTextKey(b);
  return x < y ? -1 : y < x ? 1 : 0;
}

bool TableColumn::is_null(size_t row) const {
  switch (type) {
    case ColumnType::kInt32:
    case ColumnType::kBool: return i32[row] == kNullInt32;
    case ColumnType::kAddress:
    case ColumnType::kText: return i32[row] == kNullCode;
    case ColumnType::kInt64:
    case ColumnType::kTime: return i64[row] == kNullInt64;
    case ColumnType::kFloat64: return std::isnan(f64[row]);
    case ColumnType::kInt128: return i128[row] == kNullInt128;
  }
  return true;
}

std::string TableColumn::ToText(size_t row) const {
  switch (type) {
    case ColumnType::kInt32: return std::to_string(i32[row]);
    case ColumnType::kBool: return i32[row] != 0 ? "true" : "false";
    case ColumnType::kInt64: return std::to_string(i64[row]);
    case ColumnType::kTime: return std::to_string(i64[row] / kMicrosPerSecond);
    case ColumnType::kAddress: return ToString(addresses[static_cast<size_t>(i32[row])]);
    case ColumnType::kText: return texts[static_cast<size_t>(i32[row])];
    case ColumnType::kInt128:
      return i128[row] < kNullInt128 ? Total(i128[row]).ToString() : "-" + Total(-i128[row]).ToString();
    case ColumnType::kFloat64: {
      char text[32];
      return std::string(text, std::to_chars(text, text + sizeof text, f64[row]).ptr);
    }
  }
  return "";
}

std::optional<size_t> Table::Find(std::string_view name) const {
  const std::string wanted = CanonicalName(name);
  for (size_t i = 0; i < columns.size(); ++i) {
    if (CanonicalName(columns[i].name) == wanted) return i;
  }
  return std::nullopt;
}

void SortTable(Table* table, const std::vector<SortKey>& keys) {
  std::vector<uint32_t> order(table->rows);
  std::iota(order.begin(), order.end(), 0u);
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    if (const std::optional<size_t> column = table->Find(key->column))
      SortBy(table->columns[*column], key->descending, &order);
  }
  for (TableColumn& column : table->columns) {
    Permute(&column.i32, order);
    Permute(&column.i64, order);
    Permute(&column.f64, order);
    Permute(&column.i128, order);
  }
}

void SliceTable(Table* table, size_t begin, size_t count) {
  begin = std::min(begin, table->rows);
  count = std::min(count, table->rows - begin);
  for (TableColumn& column : table->columns) {
    const auto slice = [&](auto* values) {
      if (!values->empty()) values->slice(begin, count);
    };
    slice(&column.i32);
    slice(&column.i64);
    slice(&column.f64);
    slice(&column.i128);
  }
  table->rows = count;
}

Table CoverageTable(const Coverage& coverage) {
  Table table;
  table.columns.resize(5);
  constexpr const char* kNames[] = {"interface_id", "seen", "start", "end", "minutes"};
  constexpr ColumnType kTypes[] = {ColumnType::kText, ColumnType::kText, ColumnType::kTime, ColumnType::kTime,
                                   ColumnType::kInt64};
  for (size_t c = 0; c < table.columns.size(); ++c) {
    table.columns[c].name = kNames[c];
    table.columns[c].type = kTypes[c];
  }
  TableColumn &interfaces = table.columns[0], &seen = table.columns[1], &start = table.columns[2];
  TableColumn &end = table.columns[3], &minutes = table.columns[4];
  for (const Seen s : {Seen::kAbsent, Seen::kNoData, Seen::kOk, Seen::kSkipData}) seen.texts.emplace_back(SeenName(s));
  for (const Coverage::Interval& interval : coverage.Value()) {
    if (interfaces.texts.empty() || interfaces.texts.back() != interval.interface)
      interfaces.texts.push_back(interval.interface);
    interfaces.i32.push_back(static_cast<int32_t>(interfaces.texts.size()) - 1);
    seen.i32.push_back(static_cast<int32_t>(interval.seen));
    start.i64.push_back(interval.start * kMicrosPerSecond);
    end.i64.push_back(interval.end * kMicrosPerSecond);
    minutes.i64.push_back((interval.end - interval.start) / 60);
    ++table.rows;
  }
  return table;
}

VPCFLOW_NAMESPACE_END
