// What all kinds of rows share.
#include "src/scan/rows.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kMaxTexts = size_t{1} << 16;
constexpr size_t kMaxTextBytes = size_t{8} << 20;

}  // namespace

Rows::Rows(const std::vector<FieldRef>& slots) : loaded_(slots.size()) {
  batch_.columns.resize(slots.size());
  dictionaries_.resize(slots.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    batch_.columns[i].kind = slots[i].kind();
    if (slots[i].kind() != Kind::kText) continue;
    dictionaries_[i] = std::make_unique<TextDictionary>();
    batch_.columns[i].dictionary = dictionaries_[i].get();
  }
}

void Rows::Clear() {
  batch_.rows = 0;
  batch_.offsets.clear();
  batch_.v6.clear();
  status_.clear();
  bad_.clear();
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

}  // namespace internal
VPCFLOW_NAMESPACE_END
