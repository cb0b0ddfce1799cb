// Text blocks to columns: values are parsed when their column is loaded, the plain ones by a kernel.
#include <algorithm>
#include <utility>

#include "src/scan/rows.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kMaxFastDigits = 16;  // what a kernel takes

}  // namespace

TextRows::TextRows(std::vector<FieldRef> slots, const ScanOptions& options, Report* report)
    : Rows(slots), slots_(std::move(slots)), options_(options), report_(report), columns_(slots_.size(), -1) {}

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
  records_.clear();
  lines_.clear();
  while (!stopped_ && records_.empty() && segment_ < block_->segments.size()) {
    const Segment& segment = block_->segments[segment_];
    if (format_ != segment.format.get()) BindFormat(*segment.format);
    TakeLines(segment.last);
    if (line_ == segment.last && ++segment_ < block_->segments.size()) line_ = block_->segments[segment_].first;
  }
  batch_.rows = records_.size();
  bad_.assign(records_.size(), 0);
  TakeStatus();
  return !records_.empty();
}

// The records among the next lines, at most a batch of them.
void TextRows::TakeLines(size_t last) {
  const size_t width = format_->size();
  const bool careful = !block_->index.bad().empty();
  const uint64_t offset = block_->block.offset;
  const std::span<const TextLine> lines = block_->index.lines();
  records_.resize(kBatchRows);
  lines_.resize(kBatchRows);
  batch_.offsets.resize(kBatchRows);
  size_t n = 0;
  for (; !stopped_ && line_ < last && n < kBatchRows; ++line_) {
    const TextLine& line = lines[line_];
    if ((careful || line.count != width || line.end - line.begin > options_.max_line_bytes) && !CheckWithCare(line_))
      continue;
    records_[n] = line.first;
    lines_[n] = static_cast<uint32_t>(line_);
    batch_.offsets[n] = offset + line.begin;
    ++n;
  }
  records_.resize(n);
  lines_.resize(n);
  batch_.offsets.resize(n);
}

bool TextRows::CheckWithCare(size_t line) {
  bool blank = false;
  uint32_t at = 0;
  const Errc e = CheckLine(*block_, block_->index.line(line), format_->size(), options_.max_line_bytes, &blank, &at);
  if (e != Errc::kOk) Reject(line, e, at, "");
  if (blank) ++report_->blank_lines;
  return e == Errc::kOk && !blank;
}

void TextRows::TakeStatus() {
  status_.assign(records_.size(), LogStatus::kOther);
  uint64_t nodata = 0, skipdata = 0;
  if (status_column_ >= 0) {
    const TokenColumn c = ColumnOf(status_column_);
    for (size_t row = 0; row < records_.size(); ++row) {
      const uint32_t begin = c.begins[records_[row]] + c.bias;
      const LogStatus status = ParseLogStatus({c.data + begin, c.ends[records_[row]] - begin});
      status_[row] = status;
      nodata += status == LogStatus::kNoData;
      skipdata += status == LogStatus::kSkipData;
    }
  }
  report_->nodata += nodata;
  report_->skipdata += skipdata;
  report_->ok += records_.size() - nodata - skipdata;
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

// Notes a malformed value: the row will be dropped, or in OnError::kNull it is only counted.
void TextRows::RejectRow(size_t row, size_t slot, Errc reason, Token token) {
  if (options_.on_error == OnError::kNull) {
    ++report_->nulled_values;
    return;
  }
  if (bad_[row] != 0) return;
  bad_[row] = 1;
  const size_t line = lines_[row];
  --CounterOf(status_[row], report_);
  Reject(line, reason, token.begin - block_->index.line(line).begin, slots_[slot].name);
}

template <class Value, class Convert>
void TextRows::LoadLeft(size_t slot, size_t n, Value null, std::vector<Value>* out, Convert convert) {
  const TokenColumn c = ColumnOf(columns_[slot]);
  for (size_t i = 0; i < n; ++i) {
    const size_t row = left_[i];
    const Token token = {c.begins[records_[row]] + c.bias, c.ends[records_[row]]};
    const char* text = c.data + token.begin;
    const size_t size = token.end - token.begin;
    Value value = null;
    if (size != 1 || *text != '-') {
      const Errc e = convert(text, size, &value);
      if (e != Errc::kOk) {
        value = null;
        RejectRow(row, slot, e, token);
      }
    }
    (*out)[row] = value;
  }
}

void TextRows::LoadTexts(size_t slot, std::vector<uint32_t>* out) {
  const TokenColumn c = ColumnOf(columns_[slot]);
  TextDictionary& dictionary = *dictionaries_[slot];
  uint32_t* codes = out->data();
  for (size_t row = 0; row < c.count; ++row) {
    const uint32_t at = c.records[row], end = c.ends[at], size = end - c.begins[at] - c.bias;
    codes[row] = end >= 16 ? dictionary.CodeBefore(c.data + end, size) : dictionary.Code({c.data + end - size, size});
  }
}

void TextRows::Load(size_t slot) {
  if (loaded_[slot] != 0) return;
  loaded_[slot] = 1;
  Column& column = batch_.columns[slot];
  const size_t n = records_.size();
  const bool absent = columns_[slot] < 0;
  left_.resize(n);
  if (column.kind == Kind::kText) {
    column.texts.resize(n);
    if (absent) return std::fill(column.texts.begin(), column.texts.end(), kNullText);
    LoadTexts(slot, &column.texts);
  } else if (column.kind == Kind::kAddress) {
    column.addresses.resize(n);
    if (absent) return std::fill(column.addresses.begin(), column.addresses.end(), kNullAddress);
    const size_t left = ActiveKernels().addresses(ColumnOf(columns_[slot]), column.addresses.data(), left_.data());
    LoadLeft(slot, left, kNullAddress, &column.addresses, [&](const char* text, size_t size, AddressCode* out) {
      Ip ip;
      if (!ParseIp(text, text + size, &ip)) return Errc::kNotAnAddress;
      *out = ip.is_v4() ? kCodeV4 | ip.v4() : kCodeV6 | batch_.v6.size();
      if (!ip.is_v4()) batch_.v6.push_back(ip);
      return Errc::kOk;
    });
  } else {
    column.ints.resize(n);
    if (absent) return std::fill(column.ints.begin(), column.ints.end(), kNullInt);
    const bool time = column.kind == Kind::kTime;
    const uint64_t max = Info(slots_[slot].field).max;
    const size_t left = ActiveKernels().integers(ColumnOf(columns_[slot]), time ? kMaxTimeDigits : kMaxFastDigits,
                                                 time ? kMaxTimeSeconds : max, column.ints.data(), left_.data());
    LoadLeft(slot, left, kNullInt, &column.ints, [&](const char* text, size_t size, int64_t* out) {
      if (time) return ParseFlowTime(text, size, out);
      uint64_t value = 0;
      const Errc e = ParseUint(text, size, max, &value);
      *out = static_cast<int64_t>(value);
      return e;
    });
  }
}

void TextRows::Keep(std::span<const uint8_t> keep) {
  if (std::find(keep.begin(), keep.end(), uint8_t{0}) == keep.end()) return;
  Compact(&records_, keep);
  Compact(&lines_, keep);
  KeepBatch(keep);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
