#include "src/plan/codes.h"

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

void EncodeColumn(const Batch& batch, const Column& column, Interner* interner, std::vector<uint64_t>* out) {
  out->resize(batch.rows);
  switch (column.kind) {
    case Kind::kAddress: {
      for (size_t i = 0; i < batch.rows; ++i) {
        const AddressCode code = column.addresses[i];
        (*out)[i] = code < kCodeV6 ? code : kCodeV6 | interner->V6(batch.v6[static_cast<uint32_t>(code)]);
      }
      break;
    }
    case Kind::kText: {
      std::string_view last;
      uint64_t last_code = 0;
      for (size_t i = 0; i < batch.rows; ++i) {
        const std::string_view text = column.texts[i];
        if (text != last || text.data() == nullptr || last.data() == nullptr) {  // neighbours often repeat
          last = text;
          last_code = text.data() == nullptr ? 0 : interner->Text(text) + uint64_t{1};
        }
        (*out)[i] = last_code;
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
