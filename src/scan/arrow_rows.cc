#include "src/scan/arrow_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
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
  const bool same_batch = rows.batch == batch_array_ && rows.columns == table_;
  table_ = rows.columns;
  batch_array_ = rows.batch;
  next_ = first_ = rows.first;
  last_ = rows.last;
  number_of_first_ = rows.number;
  if (same_batch) return;
  const auto bind = [&](int child, std::optional<ArrowColumn>* out) {
    out->reset();
    if (child >= 0)
      out->emplace(*table_->schema->children[child], *batch_array_->children[child], batch_array_->offset);
  };
  bind(table_->status_child, &status_column_);
  for (size_t slot = 0; slot < slots_.size(); ++slot) {
    std::optional<ArrowColumn>& column = columns_[slot];
    bind(table_->children[slot], &column);
    if (!column) continue;
    // Each entry of a dictionary is read once, unless the dictionary is of many more rows than the batch.
    const size_t entries = column->entries();
    const bool few = entries <= static_cast<size_t>(batch_array_->length) + kBatchRows && column->type().is_text();
    entries_[slot].codes.assign(few ? entries : 0, kUnread);
    entries_[slot].v6.clear();
  }
}

bool ArrowRows::Next() {
  Clear();
  rows_.clear();
  batch_.offsets.clear();
  // Rows of a table that are null as a whole are no records.
  while (rows_.size() < kBatchRows && next_ < last_) {
    const size_t row = next_++;
    if (IsUnsetBit(*batch_array_, static_cast<size_t>(batch_array_->offset) + row)) continue;
    rows_.push_back(row);
    batch_.offsets.push_back(number_of_first_ + (row - first_));
  }
  batch_.rows = rows_.size();
  bad_.assign(batch_.rows, 0);
  status_.assign(batch_.rows, LogStatus::kOther);
  TakeStatus();
  report_->lines += batch_.rows;
  return batch_.rows > 0;
}

void ArrowRows::TakeStatus() {
  const bool texts = status_column_ && status_column_->type().is_text();
  for (size_t i = 0; i < batch_.rows; ++i) {
    if (texts && !status_column_->IsNull(rows_[i]))
      status_[i] = ParseLogStatus(AsAwsWrites(Field::kLogStatus, status_column_->Text(rows_[i]), &scratch_));
    ++CounterOf(status_[i], report_);
  }
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

AddressCode ArrowRows::AddV6(const Ip& ip) {
  batch_.v6.push_back(ip);
  return kCodeV6 | (batch_.v6.size() - 1);
}

Errc ArrowRows::ReadAddress(std::string_view text, AddressCode* out) {
  Ip ip;
  if (!ParseIp(text, &ip)) {
    text = AsAwsWrites(Spelling::kAddress, text, &scratch_);
    if (text == kNull) return Errc::kOk;
    if (!ParseIp(text, &ip)) return Errc::kNotAnAddress;
  }
  *out = ip.is_v4() ? kCodeV4 | ip.v4() : AddV6(ip);
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
  } else if (column.WholeNumbers(rows_, out.ints.data())) {
    return CheckWhole(slot, &out);
  }
  for (size_t i = 0; i < batch_.rows; ++i) {
    if (column.IsNull(rows_[i])) continue;
    if (const Errc e = ReadValue(column, slot, i, &out); e != Errc::kOk) RejectRow(i, slot, e);
  }
}

void ArrowRows::LoadTextEntries(size_t slot, Column* out) {
  Entries& own = entries_[slot];
  TextDictionary& dictionary = *dictionaries_[slot];
  const ArrowColumn& column = *columns_[slot];
  if (own.generation != dictionary.generation()) std::fill(own.codes.begin(), own.codes.end(), kUnread);
  own.generation = dictionary.generation();
  for (size_t i = 0; i < batch_.rows; ++i) {
    const std::optional<size_t> entry = column.EntryOf(rows_[i]);
    if (!entry) continue;
    uint64_t& code = own.codes[*entry];
    if (code == kUnread) {
      const ArrowColumn& texts = column.dictionary();
      const std::string_view text =
          texts.IsNull(*entry) ? std::string_view() : TextOf(texts, *entry, slots_[slot].field);
      code = text.data() == nullptr ? kNullText : dictionary.Code(text);
    }
    out->texts[i] = static_cast<uint32_t>(code);
  }
}

void ArrowRows::LoadAddressEntries(size_t slot, Column* out) {
  Entries& own = entries_[slot];
  const ArrowColumn& column = *columns_[slot];
  const ArrowColumn& texts = column.dictionary();
  for (size_t i = 0; i < batch_.rows; ++i) {
    const std::optional<size_t> entry = column.EntryOf(rows_[i]);
    if (!entry) continue;
    uint64_t& code = own.codes[*entry];
    if (code == kUnread) {
      AddressCode read = kNullAddress;
      const Errc e = texts.IsNull(*entry) ? Errc::kOk : ReadAddress(texts.Text(*entry), &read);
      code = e == Errc::kOk ? read : kMalformed;
      if (e == Errc::kOk && read >= kCodeV6) {  // of this batch of rows; the entry is for all
        own.v6.push_back(batch_.v6.back());
        batch_.v6.pop_back();
        code = kCodeV6 | (own.v6.size() - 1);
      }
    }
    if (code == kMalformed) {
      RejectRow(i, slot, Errc::kNotAnAddress);
    } else {
      out->addresses[i] = code < kCodeV6 ? code : AddV6(own.v6[static_cast<uint32_t>(code)]);
    }
  }
}

// Numbers as they came from the column; rejects what the field does not take.
void ArrowRows::CheckWhole(size_t slot, Column* out) {
  const FieldInfo& info = Info(slots_[slot].field);
  const bool time = info.kind == Kind::kTime, milliseconds = time && !columns_[slot]->type().time;
  const int64_t max = time ? kLatestTime : static_cast<int64_t>(info.max);
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
