#include "src/keys/codes.h"

#include <algorithm>
#include <bit>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

int CodeBits(const FieldRef& field) {
  switch (field.kind()) {
    case Kind::kInt32:
    case Kind::kInt64: return static_cast<int>(std::bit_width(Info(field.field).max + 1));
    case Kind::kTime: return 44;     // 13 digits
    case Kind::kAddress: return 34;  // kCodeV6 | 32 bits
    case Kind::kText: return 32;
  }
  return 64;
}

bool IsCode(uint64_t code, const FieldRef& field, const Interner& interner) {
  if (code == 0) return true;
  switch (field.kind()) {
    case Kind::kInt32:
    case Kind::kInt64: return code - 1 <= Info(field.field).max;
    case Kind::kTime: return code - 1 <= static_cast<uint64_t>(kLatestTime);
    case Kind::kText: return code <= interner.text_size();
    case Kind::kAddress: break;
  }
  return code >= kCodeV6 ? (code & ~kCodeV6) < interner.v6_size() : code >> 32 == kCodeV4 >> 32;
}

void Encoder::Encode(const Batch& batch, size_t slot, std::vector<uint64_t>* out) {
  const Column& column = batch.columns[slot];
  out->resize(batch.rows);
  switch (column.kind) {
    case Kind::kAddress: {
      v6_.clear();
      v6_rows_.clear();
      for (size_t i = 0; i < batch.rows; ++i) {
        const AddressCode code = column.addresses[i];
        (*out)[i] = code;
        if (code < kCodeV6) continue;
        v6_.push_back(batch.v6[static_cast<uint32_t>(code)]);
        v6_rows_.push_back(static_cast<uint32_t>(i));
      }
      if (!v6_.empty()) interner_.V6(v6_, [&](size_t i, uint32_t id) { (*out)[v6_rows_[i]] = kCodeV6 | id; });
      break;
    }
    case Kind::kText: {
      if (numbers_.size() <= slot) numbers_.resize(slot + 1);
      Numbers& numbers = numbers_[slot];
      if (numbers.generation != column.dictionary->generation()) numbers.codes.clear();
      numbers.generation = column.dictionary->generation();
      numbers.codes.resize(column.dictionary->size() + 1);
      for (size_t i = 0; i < batch.rows; ++i) {
        const uint32_t text = column.texts[i];
        uint64_t& code = numbers.codes[text];
        if (code == 0 && text != kNullText) code = interner_.Text(column.dictionary->text(text)) + uint64_t{1};
        (*out)[i] = code;
      }
      break;
    }
    default:
      for (size_t i = 0; i < batch.rows; ++i)
        (*out)[i] = column.ints[i] == kNullInt ? 0 : static_cast<uint64_t>(column.ints[i]) + 1;
  }
}

CodeMap::CodeMap(const Interner& from, Interner* to) {
  v6_.reserve(from.v6_size());
  for (uint32_t i = 0; i < from.v6_size(); ++i) v6_.push_back(to->V6(from.v6(i)));
  texts_.reserve(from.text_size());
  for (uint32_t i = 0; i < from.text_size(); ++i) texts_.push_back(to->Text(from.text(i)));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
