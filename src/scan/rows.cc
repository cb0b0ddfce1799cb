// What all kinds of rows share.
#include "src/scan/rows.h"

#include <algorithm>
#include <utility>

#include "src/scan/arrow_rows.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kMaxTexts = size_t{1} << 16;
constexpr size_t kMaxTextBytes = size_t{8} << 20;

}  // namespace

Rows::Rows(const std::vector<FieldRef>& slots, const Rows* beside) : looked_up_(slots.size()), loaded_(slots.size()) {
  batch_.columns.resize(slots.size());
  dictionaries_.resize(slots.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    batch_.columns[i].kind = slots[i].kind();
    if (slots[i].kind() != Kind::kText) continue;
    dictionaries_[i] = beside != nullptr ? beside->dictionaries_[i] : std::make_shared<TextDictionary>();
    batch_.columns[i].dictionary = dictionaries_[i].get();
    if (slots[i].lookup == nullptr) continue;
    // The plan has put what it needs among the slots.
    const auto slot_of = [&](auto same) {
      return static_cast<size_t>(std::find_if(slots.begin(), slots.end(), same) - slots.begin());
    };
    LookedUp& own = looked_up_[i];
    own.labels = slots[i].lookup->labels.get();
    own.record = slots[i].lookup->record.get();
    for (const FieldRef& of : slots[i].lookup->of)
      own.of.push_back(slot_of([&](const FieldRef& f) { return f == of; }));
    if (own.labels != nullptr && own.labels->timed())
      own.start = static_cast<int>(slot_of([](const FieldRef& f) { return f.field == Field::kStart; }));
    any_looked_up_ = true;
  }
}

void Rows::Load(std::span<const size_t> slots) {
  if (!any_looked_up_) return LoadFields(slots);
  fields_.clear();
  for (const size_t slot : slots) {
    const LookedUp& own = looked_up_[slot];
    if (own.of.empty()) fields_.push_back(slot);
    fields_.insert(fields_.end(), own.of.begin(), own.of.end());
    if (own.start >= 0) fields_.push_back(static_cast<size_t>(own.start));
  }
  LoadFields(fields_);
  for (const size_t slot : slots) {
    if (!looked_up_[slot].of.empty() && loaded_[slot] == 0) LookUp(slot);
  }
}

void Rows::LookUp(size_t slot) {
  loaded_[slot] = 1;
  LookedUp& own = looked_up_[slot];
  TextDictionary& dictionary = *dictionaries_[slot];
  if (own.record != nullptr) return LabelRecords(own, dictionary, &batch_.columns[slot].texts);
  if (own.generation != dictionary.generation()) own.codes.assign(own.labels->label_count(), 0);
  own.generation = dictionary.generation();
  const Column& from = batch_.columns[own.of[0]];
  const Column* start = own.start < 0 ? nullptr : &batch_.columns[static_cast<size_t>(own.start)];
  std::vector<uint32_t>& out = batch_.columns[slot].texts;
  out.assign(batch_.rows, kNullText);
  for (size_t row = 0; row < batch_.rows; ++row) {
    const int64_t time = start == nullptr || start->ints[row] == kNullInt ? 0 : start->ints[row];
    uint32_t label = Labels::kNone;
    switch (from.kind) {
      case Kind::kAddress:
        if (from.addresses[row] != kNullAddress)
          label = own.labels->OfAddress(batch_.address(from.addresses[row]), time);
        break;
      case Kind::kText:
        if (from.texts[row] != kNullText) label = own.labels->OfText(from.dictionary->text(from.texts[row]), time);
        break;
      default:
        if (from.ints[row] != kNullInt) label = own.labels->OfNumber(from.ints[row], time);
    }
    if (label == Labels::kNone) continue;
    uint32_t& code = own.codes[label];
    if (code == 0) code = dictionary.Code(own.labels->label(label));
    out[row] = code;
  }
}

void Rows::LabelRecords(LookedUp& own, TextDictionary& dictionary, std::vector<uint32_t>* out) {
  if (own.generation != dictionary.generation()) own.codes_by_number.clear();
  own.generation = dictionary.generation();
  numbers_.assign(batch_.rows, RecordLabels::kNone);
  own.record->Label(batch_, own.of, numbers_);
  out->assign(batch_.rows, kNullText);
  uint64_t last = RecordLabels::kNone;
  uint32_t last_code = kNullText;
  for (size_t row = 0; row < batch_.rows; ++row) {
    if (numbers_[row] == RecordLabels::kNone) continue;
    if (numbers_[row] != last) {
      last = numbers_[row];
      const auto [at, added] = own.codes_by_number.try_emplace(last);
      if (added) at->second = dictionary.Code(own.record->Text(last));
      last_code = at->second;
    }
    (*out)[row] = last_code;
  }
}

void Rows::Clear() {
  batch_.rows = 0;
  batch_.v6.clear();
  std::fill(loaded_.begin(), loaded_.end(), uint8_t{0});
  for (const auto& dictionary : dictionaries_) {
    if (dictionary != nullptr && (dictionary->size() > kMaxTexts || dictionary->bytes() > kMaxTextBytes))
      dictionary->Clear();
  }
}

void Rows::KeepBatch(std::span<const uint8_t> keep) {
  Compact(&status_, keep);
  Compact(&bad_, keep);
  Compact(&batch_.offsets, keep);
  batch_.rows = batch_.offsets.size();
  for (size_t slot = 0; slot < loaded_.size(); ++slot) {
    if (loaded_[slot] == 0) continue;
    Column& column = batch_.columns[slot];
    if (column.kind == Kind::kAddress) {
      Compact(&column.addresses, keep);
    } else if (column.kind == Kind::kText) {
      Compact(&column.texts, keep);
    } else {
      Compact(&column.ints, keep);
    }
  }
}

void Rows::DropBad() {
  if (std::find(bad_.begin(), bad_.end(), uint8_t{1}) == bad_.end()) return;
  std::vector<uint8_t> keep(bad_.size());
  for (size_t i = 0; i < keep.size(); ++i) keep[i] = bad_[i] == 0;
  Keep(keep);
}

uint64_t& Rows::CounterOf(LogStatus status, Report* report) const {
  return status == LogStatus::kNoData ? report->nodata : status == LogStatus::kSkipData ? report->skipdata : report->ok;
}

size_t Rows::ConvertAddresses(const TokenColumn& column, AddressCode* out, uint32_t* left) {
  const size_t n = ActiveKernels().addresses(column, out, left);
  if (n == 0) return 0;
  v6_words_.resize(2 * n);  // mostly IPv6
  v6_good_.resize(n);
  ActiveKernels().ipv6(column, left, n, v6_words_.data(), v6_good_.data());
  size_t still = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t row = left[i];
    if (v6_good_[i] != 0) {
      out[row] = AddressOf(Ip{v6_words_[2 * i], v6_words_[2 * i + 1]});
    } else {
      left[still++] = row;
    }
  }
  return still;
}

Rows* BlockRows::Start(const ResolvedBlock& block) {
  if (block.table.columns == nullptr) {
    text_.Start(block);
    return &text_;
  }
  if (table_ == nullptr) {
    auto made = std::make_unique<ArrowRows>(slots_, options_, report_, &text_);
    if (text_.traffic_only()) made->TakeTrafficOnly();
    table_ = std::move(made);
  }
  static_cast<ArrowRows*>(table_.get())->Start(block);
  return table_.get();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
