// Text blocks to columns: values are parsed when their column is loaded, the plain ones by a kernel.
#include <algorithm>
#include <utility>

#include "src/container/inner_text.h"
#include "src/scan/rows.h"
#include "vpcflow/internal/digits.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kMaxFastDigits = 16;  // what a kernel takes

constexpr uint64_t WordOf(std::string_view text) {
  uint64_t word = 0;
  for (size_t i = 0; i < text.size(); ++i) word |= uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  return word;
}

// ParseLogStatus of the record whose first token this is. No branch on it: NODATA comes unforeseeably.
inline LogStatus StatusOf(const TokenColumn& c, uint32_t first) {
  const uint32_t begin = c.begins[first] + c.bias, end = c.ends[first], size = end - begin;
  if (end < 8) return ParseLogStatus({c.data + begin, size});
  const uint64_t word = size - 1 < 8 ? Load8(c.data + end - 8) >> (64 - 8 * size) : 0;
  static_assert(static_cast<int>(ParseLogStatus("OK")) == 0 && static_cast<int>(ParseLogStatus("NODATA")) == 1 &&
                static_cast<int>(ParseLogStatus("SKIPDATA")) == 2 && static_cast<int>(LogStatus::kOther) == 3);
  return static_cast<LogStatus>(3 - 3 * (word == WordOf("OK")) - 2 * (word == WordOf("NODATA")) -
                                (word == WordOf("SKIPDATA")));
}

}  // namespace

TextRows::TextRows(std::vector<FieldRef> slots, const ScanOptions& options, Report* report)
    : Rows(slots),
      slots_(std::move(slots)),
      options_(options),
      report_(report),
      columns_(slots_.size(), -1),
      left_(slots_.size()) {}

void TextRows::Start(const ResolvedBlock& block) {
  block_ = &block;
  batch_.source = block.source;
  format_ = nullptr;
  segment_ = 0;
  line_ = block.segments.empty() ? 0 : block.segments[0].first;
  if (block.block.long_line) Reject(0, Errc::kLineTooLong, 0, "");
}

void TextRows::BindFormat(const Format& format) {
  format_ = &format;
  for (size_t i = 0; i < slots_.size(); ++i) {
    columns_[i] = slots_[i].field != Field::kUnknown ? format.IndexOf(slots_[i].field) : format.IndexOf(slots_[i].name);
  }
  status_column_ = format.IndexOf(Field::kLogStatus);
}

bool TextRows::Next() {
  Clear();
  bool any = false;
  while (!stopped_ && !any && segment_ < block_->segments.size()) {
    const Segment& segment = block_->segments[segment_];
    if (format_ != segment.format.get()) BindFormat(*segment.format);
    any = TakeLines(segment.last);
    if (line_ == segment.last && ++segment_ < block_->segments.size()) line_ = block_->segments[segment_].first;
  }
  if (!any) return false;
  batch_.rows = records_.size();
  bad_.assign(records_.size(), 0);
  return true;
}

// The records among the next lines, at most a batch of them, and their log status; false if there are none, wanted or
// not.
bool TextRows::TakeLines(size_t last) {
  const size_t width = format_->size(), max_bytes = options_.max_line_bytes;
  const bool careful = !block_->index.bad().empty() || block_->block.no_records, has_status = status_column_ >= 0;
  const uint64_t offset = block_->block.offset;
  const TextLine* const lines = block_->index.lines().data();
  const TokenColumn status_tokens = ColumnOf(std::max(status_column_, 0));
  // Batches of about the same size: after a short one, columns would be filled with zeros to their full size again.
  const size_t batches = std::max<size_t>((last - line_ + kBatchRows - 1) / kBatchRows, 1);
  const size_t most = (last - line_ + batches - 1) / batches;
  records_.resize(most);
  batch_.offsets.resize(most);
  status_.resize(most);
  uint32_t* const records = records_.data();
  uint64_t* const offsets = batch_.offsets.data();
  LogStatus* const status = status_.data();
  const bool all = !traffic_only_;
  size_t n = 0, taken = 0, at = line_;
  uint64_t nodata = 0, skipdata = 0;
  for (; at < last && n < most; ++at) {
    const TextLine& line = lines[at];
    if ((careful || line.count != width || line.end - line.begin > max_bytes) && !CheckWithCare(at)) {
      if (stopped_) break;
      continue;
    }
    records[n] = line.first;
    offsets[n] = offset + line.begin;
    status[n] = has_status ? StatusOf(status_tokens, line.first) : LogStatus::kOther;
    nodata += status[n] == LogStatus::kNoData;
    skipdata += status[n] == LogStatus::kSkipData;
    ++taken;
    n += all | IsTraffic(status[n]);
  }
  line_ = at;
  records_.resize(n);
  batch_.offsets.resize(n);
  status_.resize(n);
  report_->nodata += nodata;
  report_->skipdata += skipdata;
  report_->ok += taken - nodata - skipdata;
  return taken > 0;
}

bool TextRows::CheckWithCare(size_t line) {
  bool blank = false;
  uint32_t at = 0;
  const Errc e = CheckLine(*block_, line, format_->size(), options_.max_line_bytes, &blank, &at);
  if (e != Errc::kOk) Reject(line, e, at, "");
  if (blank) ++report_->blank_lines;
  return e == Errc::kOk && !blank;
}

TokenColumn TextRows::ColumnOf(int column) const {
  const TokenSpan tokens = block_->index.tokens();
  const std::string_view text = block_->block.text;
  return {text.data(), text.size(),     tokens.begins + column, tokens.ends + column,
          tokens.bias, records_.data(), records_.size()};
}

void TextRows::Reject(size_t line, Errc reason, uint32_t at, std::string field) {
  if (options_.on_error == OnError::kStop) stopped_ = true;
  AddReject(*block_, line, reason, at, std::move(field), report_);
}

size_t TextRows::LineOf(uint32_t row) const {
  // Blank lines before it have the same first token.
  const std::span<const TextLine> lines = block_->index.lines();
  const auto behind = std::upper_bound(lines.begin(), lines.end(), records_[row],
                                       [](uint32_t first, const TextLine& line) { return first < line.first; });
  return static_cast<size_t>(behind - lines.begin()) - 1;
}

// Rows with malformed values become rejects, each for its leftmost one, or in OnError::kNull they are only counted.
void TextRows::SettleMalformed() {
  if (options_.on_error == OnError::kNull) {
    report_->nulled_values += malformed_.size();
  } else {
    std::sort(malformed_.begin(), malformed_.end(), [this](const Malformed& a, const Malformed& b) {
      return std::pair(a.row, columns_[a.slot]) < std::pair(b.row, columns_[b.slot]);
    });
    for (const Malformed& m : malformed_) {
      if (bad_[m.row] != 0) continue;
      bad_[m.row] = 1;
      --CounterOf(status_[m.row], report_);
      const size_t line = LineOf(m.row);
      Reject(line, m.reason, PlaceInLine(*block_, line, m.token.begin), slots_[m.slot].name);
    }
  }
  malformed_.clear();
}

template <class Value, class Convert>
void TextRows::LoadLeft(size_t slot, std::span<const uint32_t> left, Value null, std::vector<Value>* out,
                        Convert convert) {
  const TokenColumn c = ColumnOf(columns_[slot]);
  for (const uint32_t row : left) {
    const Token token = {c.begins[records_[row]] + c.bias, c.ends[records_[row]]};
    const char* text = c.data + token.begin;
    const size_t size = token.end - token.begin;
    Value value = null;
    if (size != 1 || *text != '-') {
      const Errc e = convert(text, size, &value);
      if (e != Errc::kOk) {
        value = null;
        malformed_.push_back({row, slot, e, token});
      }
    }
    (*out)[row] = value;
  }
}

void TextRows::LoadTexts(size_t slot) {
  const TokenColumn c = ColumnOf(columns_[slot]);
  TextDictionary& dictionary = *dictionaries_[slot];
  uint32_t* const codes = batch_.columns[slot].texts.data();
  const auto code_of = [&](uint32_t row) {
    const uint32_t at = c.records[row], begin = c.begins[at] + c.bias;
    const std::string_view text(c.data + begin, c.ends[at] - begin);
    return dictionary.Code(block_->escaped ? OuterText(text, &outer_text_) : text);
  };
  if (columns_[slot] == status_column_) {  // parsed already
    if (status_generation_ != dictionary.generation()) status_codes_.fill(0);
    status_generation_ = dictionary.generation();
    const std::array<uint32_t, 4> known = status_codes_;
    bool all = true;
    for (uint32_t row = 0; row < c.count; ++row) {
      codes[row] = known[static_cast<size_t>(status_[row])];
      all &= codes[row] != 0;
    }
    for (uint32_t row = 0; !all && row < c.count; ++row) {
      if (codes[row] != 0) continue;
      codes[row] = code_of(row);
      if (status_[row] != LogStatus::kOther) status_codes_[static_cast<size_t>(status_[row])] = codes[row];
    }
    return;
  }
  if (block_->escaped) {  // the kernel compares texts as they stand
    for (uint32_t row = 0; row < c.count; ++row) codes[row] = code_of(row);
    return;
  }
  std::vector<uint32_t>& left = left_[slot];
  left.resize(std::max(left.size(), c.count));
  const size_t n_left = ActiveKernels().texts(c, dictionary.recent(), codes, left.data());
  for (size_t i = 0; i < n_left; ++i) codes[left[i]] = code_of(left[i]);
}

void TextRows::LoadAddresses(size_t slot) {
  std::vector<AddressCode>& addresses = batch_.columns[slot].addresses;
  std::vector<uint32_t>& left = left_[slot];
  left.resize(records_.size());
  const TokenColumn column = ColumnOf(columns_[slot]);
  const size_t n = ConvertAddresses(column, addresses.data(), left.data());
  LoadLeft(slot, {left.data(), n}, kNullAddress, &addresses, [&](const char* text, size_t size, AddressCode* out) {
    Ip ip;
    if (!ParseIp(text, text + size, &ip)) return Errc::kNotAnAddress;
    *out = AddressOf(ip);
    return Errc::kOk;
  });
}

void TextRows::LoadIntegers() {
  std::sort(integers_.begin(), integers_.end(), [&](size_t a, size_t b) { return columns_[a] < columns_[b]; });
  integer_columns_.clear();
  for (const size_t slot : integers_) {
    const bool time = batch_.columns[slot].kind == Kind::kTime;
    left_[slot].resize(records_.size());
    integer_columns_.push_back({static_cast<uint32_t>(columns_[slot]),
                                static_cast<uint32_t>(time ? kMaxTimeDigits : kMaxFastDigits),
                                time ? kMaxTimeSeconds : Info(slots_[slot].field).max, batch_.columns[slot].ints.data(),
                                left_[slot].data(), 0});
  }
  ActiveKernels().integers(ColumnOf(0), integer_columns_.data(), integer_columns_.size());
  for (size_t i = 0; i < integers_.size(); ++i) {
    const size_t slot = integers_[i];
    Column& column = batch_.columns[slot];
    const bool time = column.kind == Kind::kTime;
    const uint64_t max = Info(slots_[slot].field).max;
    LoadLeft(slot, {left_[slot].data(), integer_columns_[i].n_left}, kNullInt, &column.ints,
             [&](const char* text, size_t size, int64_t* out) {
               if (time) return ParseFlowTime(text, size, out);
               uint64_t value = 0;
               const Errc e = ParseUint(text, size, max, &value);
               *out = static_cast<int64_t>(value);
               return e;
             });
  }
}

void TextRows::LoadFields(std::span<const size_t> slots) {
  integers_.clear();
  for (const size_t slot : slots) {
    if (loaded_[slot] != 0) continue;
    loaded_[slot] = 1;
    Column& column = batch_.columns[slot];
    const size_t n = records_.size();
    const bool absent = columns_[slot] < 0;
    if (column.kind == Kind::kText) {
      column.texts.resize(n);
      absent ? std::fill(column.texts.begin(), column.texts.end(), kNullText) : LoadTexts(slot);
    } else if (column.kind == Kind::kAddress) {
      column.addresses.resize(n);
      absent ? std::fill(column.addresses.begin(), column.addresses.end(), kNullAddress) : LoadAddresses(slot);
    } else {
      column.ints.resize(n);
      absent ? std::fill(column.ints.begin(), column.ints.end(), kNullInt) : integers_.push_back(slot);
    }
  }
  if (!integers_.empty()) LoadIntegers();
  if (!malformed_.empty()) SettleMalformed();
}

void TextRows::Keep(std::span<const uint8_t> keep) {
  if (std::find(keep.begin(), keep.end(), uint8_t{0}) == keep.end()) return;
  Compact(&records_, keep);
  KeepBatch(keep);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
