#include "src/scan/arrow_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <utility>

#include "src/format/spelling.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kNull = "-";

std::string DecimalText(WholeNumber value) {
  std::string out;
  const bool negative = value < 0;
  do {
    const auto digit = static_cast<int>(value % 10);
    out.insert(out.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    value /= 10;
  } while (value != 0);
  return negative ? "-" + out : out;
}

// A number as text: of one with a fraction, the shortest that reads back alike.
std::string NumberTextOf(const ArrowColumn& column, size_t row) {
  WholeNumber whole = 0;
  if (column.Whole(row, &whole) == Errc::kOk) return DecimalText(whole);
  if (column.type().layout != ArrowType::Layout::kFloat) return "a decimal";
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), column.Float(row));
  return {buffer.data(), end};
}

}  // namespace

bool HoldsKind(const ArrowType& type, Kind kind) {
  if (type.layout == ArrowType::Layout::kNull || type.is_text()) return true;
  if (kind == Kind::kAddress || !type.is_number()) return false;
  return !type.time || kind == Kind::kTime;
}

const char* WhatHolds(Kind kind) {
  switch (kind) {
    case Kind::kAddress: return "an address is read from text";
    case Kind::kText: return "this field is read from text and numbers";
    case Kind::kTime: return "a time is read from timestamps, dates, numbers and text";
    default: return "this field is read from integers, whole floats and decimals, and text";
  }
}

std::string_view ArrowText(const ArrowColumn& column, size_t row, Field field, std::string* scratch) {
  if (column.IsNull(row)) return kNull;
  if (column.type().is_text()) return column.Text(row);
  WholeNumber whole = 0;
  const bool seconds = Info(field).kind == Kind::kTime && column.Whole(row, &whole) != Errc::kOutOfRange;
  *scratch = seconds ? DecimalText(whole) : NumberTextOf(column, row);
  return *scratch;
}

ArrowRows::ArrowRows(const std::vector<FieldRef>& slots, const ScanOptions& options, Report* report, const Rows* beside)
    : Rows(slots, beside),
      slots_(slots),
      options_(options),
      report_(report),
      columns_(slots.size()),
      entries_(slots.size()) {}

void ArrowRows::Start(const ResolvedBlock& block) {
  const TableRows& rows = block.table;
  batch_.source = block.source;
  name_ = block.name;
  next_ = first_ = rows.first;
  last_ = rows.last;
  number_of_first_ = rows.number;
  if (rows.batch == batch_array_ && rows.columns == table_) return;
  const auto before = std::exchange(batch_array_, rows.batch);  // what columns_ are of, until each is bound
  const auto table_before = std::exchange(table_, rows.columns);
  Bind(table_->status_child, &status_column_, &status_entries_);
  for (size_t slot = 0; slot < slots_.size(); ++slot) Bind(table_->children[slot], &columns_[slot], &entries_[slot]);
}

void ArrowRows::Bind(int child, std::optional<ArrowColumn>* column, KnownEntries* known) {
  std::optional<ArrowColumn> bound;
  if (child >= 0) bound.emplace(*table_->schema->children[child], *batch_array_->children[child], batch_array_->offset);
  const bool shared = bound && *column && bound->SharesEntries(**column);
  column->swap(bound);
  const size_t entries = *column && (*column)->type().is_text() ? (*column)->entries() : 0;
  if (shared && known->codes.size() == entries) return;
  // Each entry of a dictionary is read once, unless the dictionary is of many more rows than the batch, and of no other.
  const bool few = shared || entries <= static_cast<size_t>(batch_array_->length) + kBatchRows;
  known->codes.assign(few && entries < kNoEntry ? entries : 0, kUnread);
  known->v6.clear();
}

bool ArrowRows::Next() {
  Clear();
  if (next_ == last_) return false;
  const size_t begin = next_;
  next_ = std::min(last_, next_ + kBatchRows);
  rows_.resize(next_ - begin);
  std::iota(rows_.begin(), rows_.end(), begin);
  // Rows of a table that are null as a whole are no records.
  const auto is_null = [&](size_t row) {
    return IsUnsetBit(*batch_array_, static_cast<size_t>(batch_array_->offset) + row);
  };
  if (batch_array_->buffers[0] != nullptr) std::erase_if(rows_, is_null);
  report_->lines += rows_.size();
  TakeStatus();
  batch_.rows = rows_.size();
  batch_.offsets.resize(batch_.rows);
  for (size_t i = 0; i < batch_.rows; ++i) batch_.offsets[i] = number_of_first_ + (rows_[i] - first_);
  bad_.assign(batch_.rows, 0);
  return true;
}

LogStatus ArrowRows::ReadStatus(const ArrowColumn& column, size_t row) {
  if (column.IsNull(row)) return LogStatus::kOther;
  return ParseLogStatus(AsAwsWrites(Field::kLogStatus, column.Text(row), &scratch_));
}

void ArrowRows::TakeStatus() {
  status_.assign(rows_.size(), LogStatus::kOther);
  if (status_column_ && status_column_->type().is_text()) {
    const ArrowColumn& column = *status_column_;
    if (status_entries_.codes.empty()) {
      for (size_t i = 0; i < rows_.size(); ++i) status_[i] = ReadStatus(column, rows_[i]);
    } else {
      const std::span<const uint32_t> entries = EntriesOf(column);
      for (size_t i = 0; i < rows_.size(); ++i) {
        if (entries[i] == kNoEntry) continue;
        uint64_t& code = status_entries_.codes[entries[i]];
        if (code == kUnread) code = static_cast<uint64_t>(ReadStatus(column.dictionary(), entries[i]));
        status_[i] = static_cast<LogStatus>(code);
      }
    }
  }
  const auto nodata = std::count(status_.begin(), status_.end(), LogStatus::kNoData);
  const auto skipdata = std::count(status_.begin(), status_.end(), LogStatus::kSkipData);
  report_->nodata += static_cast<uint64_t>(nodata);
  report_->skipdata += static_cast<uint64_t>(skipdata);
  report_->ok += rows_.size() - static_cast<uint64_t>(nodata + skipdata);
  if (!traffic_only_ || nodata + skipdata == 0) return;
  size_t kept = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    rows_[kept] = rows_[i];
    status_[kept] = status_[i];
    kept += static_cast<size_t>(IsTraffic(status_[i]));
  }
  rows_.resize(kept);
  status_.resize(kept);
}

std::span<const uint32_t> ArrowRows::EntriesOf(const ArrowColumn& column) {
  row_entries_.resize(rows_.size());
  column.Entries(rows_, row_entries_.data());
  return row_entries_;
}

void ArrowRows::LoadFields(std::span<const size_t> slots) {
  for (const size_t slot : slots) {
    if (loaded_[slot] == 0) LoadColumn(slot);
    loaded_[slot] = 1;
  }
}

void ArrowRows::Keep(std::span<const uint8_t> keep) {
  Compact(&rows_, keep);
  KeepBatch(keep);
}

Errc ArrowRows::ReadAddress(std::string_view text, AddressCode* out) {
  Ip ip;
  if (!ParseIp(text, &ip)) {
    text = AsAwsWrites(Spelling::kAddress, text, &scratch_);
    if (text == kNull) return Errc::kOk;
    if (!ParseIp(text, &ip)) return Errc::kNotAnAddress;
  }
  *out = AddressOf(ip);
  return Errc::kOk;
}

Errc ArrowRows::ReadNumber(const ArrowColumn& column, size_t row, Field field, int64_t* out) {
  const FieldInfo& info = Info(field);
  const bool time = info.kind == Kind::kTime;
  if (column.type().is_text()) {
    const std::string_view text = AsAwsWrites(field, column.Text(row), &scratch_);
    if (text == kNull) return Errc::kOk;
    if (time) return ParseFlowTime(text.data(), text.size(), out);
    uint64_t value = 0;
    const Errc e = ParseUint(text, info.max, &value);
    if (e == Errc::kOk) *out = static_cast<int64_t>(value);
    return e;
  }
  WholeNumber value = 0;
  const Errc e = column.Whole(row, &value);
  if (e != Errc::kOk && !(time && e == Errc::kNotANumber)) return e;  // seconds may have a fraction
  if (time && !column.type().time && value > static_cast<WholeNumber>(kMaxTimeSeconds)) value /= 1000;
  const WholeNumber max = time ? WholeNumber{kLatestTime} : static_cast<WholeNumber>(info.max);
  if (value < 0 || value > max) return Errc::kOutOfRange;
  *out = static_cast<int64_t>(value);
  return Errc::kOk;
}

std::string_view ArrowRows::TextOf(const ArrowColumn& column, size_t row, Field field) {
  if (!column.type().is_text()) number_ = NumberTextOf(column, row);
  const std::string_view text =
      AsAwsWrites(field, column.type().is_text() ? column.Text(row) : std::string_view(number_), &scratch_);
  return text == kNull ? std::string_view() : text;
}

Errc ArrowRows::ReadValue(const ArrowColumn& column, size_t slot, size_t i, Column* out) {
  const size_t row = rows_[i];
  switch (out->kind) {
    case Kind::kAddress: return ReadAddress(column.Text(row), &out->addresses[i]);
    case Kind::kText: {
      WholeNumber ignored = 0;
      if (column.type().layout == ArrowType::Layout::kDecimal) {
        if (const Errc e = column.Whole(row, &ignored); e != Errc::kOk) return e;
      }
      const std::string_view text = TextOf(column, row, slots_[slot].field);
      if (text.data() != nullptr) out->texts[i] = dictionaries_[slot]->Code(text);
      return Errc::kOk;
    }
    default: return ReadNumber(column, row, slots_[slot].field, &out->ints[i]);
  }
}

void ArrowRows::LoadColumn(size_t slot) {
  Column& out = batch_.columns[slot];
  const bool address = out.kind == Kind::kAddress, text = out.kind == Kind::kText;
  if (address) out.addresses.assign(batch_.rows, kNullAddress);
  if (text) out.texts.assign(batch_.rows, kNullText);
  if (!address && !text) out.ints.assign(batch_.rows, kNullInt);
  if (!columns_[slot]) return;
  const ArrowColumn& column = *columns_[slot];
  if (!HoldsKind(column.type(), out.kind)) return;  // all null, as was checked
  if (address || text) {
    if (!entries_[slot].codes.empty()) return text ? LoadTextEntries(slot, &out) : LoadAddressEntries(slot, &out);
    if (address) return LoadAddresses(slot, &out);
  } else if (column.WholeNumbers(rows_, out.ints.data())) {
    return CheckWhole(slot, &out);
  }
  for (size_t i = 0; i < batch_.rows; ++i) LoadValue(slot, i, &out);
}

void ArrowRows::LoadValue(size_t slot, size_t i, Column* out) {
  const ArrowColumn& column = *columns_[slot];
  if (column.IsNull(rows_[i])) return;
  if (const Errc e = ReadValue(column, slot, i, out); e != Errc::kOk) RejectRow(i, slot, e);
}

// Addresses row by row, by the kernels of lines: their texts are put side by side for that.
void ArrowRows::LoadAddresses(size_t slot, Column* out) {
  constexpr size_t kEdge = 64, kLongest = 48;  // what kernels load around a token; no address is longer
  const ArrowColumn& column = *columns_[slot];
  const size_t n = batch_.rows;
  if (n == 0) return;
  texts_.resize(2 * kEdge + n * kLongest);
  for (std::vector<uint32_t>* numbers : {&begins_, &ends_, &records_, &left_}) numbers->resize(n);
  size_t end = kEdge;
  for (size_t i = 0; i < n; ++i) {
    std::string_view text = column.IsNull(rows_[i]) ? kNull : column.Text(rows_[i]);
    if (text.empty() || text.size() > kLongest) text = "?";  // for LoadValue
    begins_[i] = static_cast<uint32_t>(end);
    text.copy(texts_.data() + end, text.size());
    end += text.size();
    ends_[i] = static_cast<uint32_t>(end);
    records_[i] = static_cast<uint32_t>(i);
  }
  const TokenColumn tokens{texts_.data(), end + kEdge, begins_.data(), ends_.data(), 0, records_.data(), n};
  const size_t n_left = ConvertAddresses(tokens, out->addresses.data(), left_.data());
  for (size_t i = 0; i < n_left; ++i) {
    out->addresses[left_[i]] = kNullAddress;
    LoadValue(slot, left_[i], out);
  }
}

void ArrowRows::LoadTextEntries(size_t slot, Column* out) {
  KnownEntries& own = entries_[slot];
  TextDictionary& dictionary = *dictionaries_[slot];
  const ArrowColumn& column = *columns_[slot];
  if (own.generation != dictionary.generation()) std::fill(own.codes.begin(), own.codes.end(), kUnread);
  own.generation = dictionary.generation();
  const std::span<const uint32_t> entries = EntriesOf(column);
  for (size_t i = 0; i < entries.size(); ++i) {
    const size_t entry = entries[i];
    if (entry == kNoEntry) continue;
    uint64_t& code = own.codes[entry];
    if (code == kUnread) {
      const ArrowColumn& texts = column.dictionary();
      const std::string_view text = texts.IsNull(entry) ? std::string_view() : TextOf(texts, entry, slots_[slot].field);
      code = text.data() == nullptr ? kNullText : dictionary.Code(text);
    }
    out->texts[i] = static_cast<uint32_t>(code);
  }
}

void ArrowRows::LoadAddressEntries(size_t slot, Column* out) {
  KnownEntries& own = entries_[slot];
  const ArrowColumn& column = *columns_[slot];
  const std::span<const uint32_t> entries = EntriesOf(column);
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i] == kNoEntry) continue;
    uint64_t& code = own.codes[entries[i]];
    if (code == kUnread) code = ReadEntry(column.dictionary(), entries[i], &own);
    if (code < kCodeV6) {
      out->addresses[i] = code;
    } else if (code == kMalformed) {
      RejectRow(i, slot, Errc::kNotAnAddress);
    } else {
      out->addresses[i] = AddressOf(own.v6[static_cast<uint32_t>(code)]);
    }
  }
}

uint64_t ArrowRows::ReadEntry(const ArrowColumn& texts, size_t entry, KnownEntries* known) {
  AddressCode read = kNullAddress;
  if (!texts.IsNull(entry) && ReadAddress(texts.Text(entry), &read) != Errc::kOk) return kMalformed;
  if (read < kCodeV6) return read;
  known->v6.push_back(batch_.v6.back());  // of this batch of rows; the entry is for all
  batch_.v6.pop_back();
  return kCodeV6 | (known->v6.size() - 1);
}

// Numbers as they came from the column; rejects what the field does not take.
void ArrowRows::CheckWhole(size_t slot, Column* out) {
  const FieldInfo& info = Info(slots_[slot].field);
  const bool time = info.kind == Kind::kTime, milliseconds = time && !columns_[slot]->type().time;
  const int64_t max = time ? kLatestTime : static_cast<int64_t>(info.max);
  const int64_t plain = milliseconds ? static_cast<int64_t>(kMaxTimeSeconds) : max;
  bool all_plain = true;
  for (const int64_t value : out->ints) all_plain &= value == kNullInt || (value >= 0 && value <= plain);
  if (all_plain) return;
  for (size_t i = 0; i < batch_.rows; ++i) {
    int64_t& value = out->ints[i];
    if (value == kNullInt) continue;
    if (milliseconds && value > static_cast<int64_t>(kMaxTimeSeconds)) value /= 1000;
    if (value >= 0 && value <= max) continue;
    value = kNullInt;
    RejectRow(i, slot, Errc::kOutOfRange);
  }
}

void ArrowRows::RejectRow(size_t i, size_t slot, Errc reason) {
  if (options_.on_error == OnError::kNull) {
    ++report_->nulled_values;
    return;
  }
  if (bad_[i] != 0) return;
  bad_[i] = 1;
  --CounterOf(status_[i], report_);
  ++report_->rejects_by_reason[static_cast<size_t>(reason)];
  stopped_ |= options_.on_error == OnError::kStop;
  const ArrowColumn& column = *columns_[slot];
  std::string excerpt = Printable(
      column.type().is_text() ? column.Text(rows_[i]) : std::string_view(NumberTextOf(column, rows_[i])), 200);
  report_->rejects.push_back({batch_.source, *name_, batch_.offsets[i] + 1, batch_.offsets[i], 1, slots_[slot].name,
                              reason, std::move(excerpt)});
  if (report_->rejects.size() >= 2 * Report::kMaxRejectSamples) report_->TrimRejects();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
