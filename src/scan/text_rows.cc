// Text blocks to columns: lines are split once, values are parsed when their column is loaded.
#include <algorithm>
#include <utility>

#include "src/scan/rows.h"
#include "vpcflow/lines/split.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

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
  line_tokens_.resize(format.size());
}

bool TextRows::Next() {
  Clear();
  rows_.clear();
  tokens_.clear();
  while (!stopped_ && rows_.empty() && segment_ < block_->segments.size()) {
    const Segment& segment = block_->segments[segment_];
    if (format_ != segment.format.get()) BindFormat(*segment.format);
    while (!stopped_ && line_ < segment.last && rows_.size() < kBatchRows) TakeLine(line_++);
    if (line_ == segment.last && ++segment_ < block_->segments.size()) line_ = block_->segments[segment_].first;
  }
  batch_.rows = rows_.size();
  bad_.assign(rows_.size(), 0);
  return !rows_.empty();
}

// Splits a line and notes where the values of the slots stand.
void TextRows::TakeLine(size_t line) {
  const SeparatorIndex& index = block_->index;
  const size_t width = format_->size();
  const uint32_t* end = index.positions.data() + index.newlines[line];
  const uint32_t* first = line == 0 ? index.positions.data() : index.positions.data() + index.newlines[line - 1] + 1;
  const auto begin = static_cast<uint32_t>(LineBegin(*block_, line));
  const auto taken = static_cast<uint32_t>(tokens_.size());
  Token status;
  if (index.simple() && static_cast<size_t>(end - first) + 1 == width && *end - begin <= options_.max_line_bytes) {
    const auto token = [&](int column) { return Token{column == 0 ? begin : first[column - 1] + 1, first[column]}; };
    for (int column : columns_) tokens_.push_back(column < 0 ? Token{} : token(column));
    if (status_column_ >= 0) status = token(status_column_);
  } else {
    bool blank = false;
    uint32_t at = 0;
    const Errc e = CutLine(*block_, line, width, options_.max_line_bytes, line_tokens_.data(), &blank, &at);
    if (e != Errc::kOk) return Reject(line, e, at, "");
    if (blank) {
      ++report_->blank_lines;
      return;
    }
    for (int column : columns_) tokens_.push_back(column < 0 ? Token{} : line_tokens_[static_cast<size_t>(column)]);
    if (status_column_ >= 0) status = line_tokens_[static_cast<size_t>(status_column_)];
  }
  const LogStatus s = ParseLogStatus({block_->block.text.data() + status.begin, status.end - status.begin});
  ++CounterOf(s, report_);
  status_.push_back(s);
  rows_.push_back({taken, static_cast<uint32_t>(line)});
  batch_.offsets.push_back(block_->block.offset + begin);
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
  const size_t line = rows_[row].line;
  --CounterOf(status_[row], report_);
  Reject(line, reason, token.begin - static_cast<uint32_t>(LineBegin(*block_, line)), slots_[slot].name);
}

// Parses the values of a slot with T::Convert(text, size, &value); `-` is null, and so is every value of a field that
// the format lacks.
template <class T, class Value>
void TextRows::LoadAs(size_t slot, std::vector<Value>* out, Value null) {
  const char* data = block_->block.text.data();
  out->resize(rows_.size());
  if (columns_[slot] < 0) {
    std::fill(out->begin(), out->end(), null);
    return;
  }
  for (size_t row = 0; row < rows_.size(); ++row) {
    const Token token = tokens_[rows_[row].tokens + slot];
    const char* text = data + token.begin;
    const size_t size = token.end - token.begin;
    Value value = null;
    if (size != 1 || *text != '-') {
      const Errc e = T::Convert(text, size, slots_[slot].field, &batch_.v6, &value);
      if (e != Errc::kOk) {
        value = null;
        RejectRow(row, slot, e, token);
      }
    }
    (*out)[row] = value;
  }
}

namespace {

struct ToInteger {
  static Errc Convert(const char* p, size_t n, Field field, std::vector<Ip>*, int64_t* out) {
    uint64_t value = 0;
    const Errc e = ParseUint(p, n, Info(field).max, &value);
    *out = static_cast<int64_t>(value);
    return e;
  }
};

struct ToTime {
  static Errc Convert(const char* p, size_t n, Field, std::vector<Ip>*, int64_t* out) {
    return ParseFlowTime(p, n, out);
  }
};

struct ToAddress {
  static Errc Convert(const char* p, size_t n, Field, std::vector<Ip>* v6, AddressCode* out) {
    uint32_t v4;
    if (ParseIpv4(p, p + n, &v4)) {
      *out = kCodeV4 | v4;
      return Errc::kOk;
    }
    Ip ip;
    if (!ParseIpv6(p, p + n, &ip)) return Errc::kNotAnAddress;
    if (ip.is_v4()) {
      *out = kCodeV4 | ip.v4();
    } else {
      *out = kCodeV6 | v6->size();
      v6->push_back(ip);
    }
    return Errc::kOk;
  }
};

struct ToText {
  static Errc Convert(const char* p, size_t n, Field, std::vector<Ip>*, std::string_view* out) {
    *out = {p, n};
    return Errc::kOk;
  }
};

}  // namespace

void TextRows::Load(size_t slot) {
  if (loaded_[slot] != 0) return;
  loaded_[slot] = 1;
  Column& column = batch_.columns[slot];
  switch (column.kind) {
    case Kind::kInt32:
    case Kind::kInt64: return LoadAs<ToInteger>(slot, &column.ints, kNullInt);
    case Kind::kTime: return LoadAs<ToTime>(slot, &column.ints, kNullInt);
    case Kind::kAddress: return LoadAs<ToAddress>(slot, &column.addresses, kNullAddress);
    case Kind::kText: return LoadAs<ToText>(slot, &column.texts, std::string_view());
  }
}

void TextRows::Keep(std::span<const uint8_t> keep) {
  if (std::find(keep.begin(), keep.end(), uint8_t{0}) == keep.end()) return;
  Compact(&rows_, keep);
  KeepBatch(keep);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
