#include "src/keys/column_builder.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

ColumnType ColumnTypeOf(Kind kind) {
  switch (kind) {
    case Kind::kInt32: return ColumnType::kInt32;
    case Kind::kInt64: return ColumnType::kInt64;
    case Kind::kTime: return ColumnType::kTime;
    case Kind::kAddress: return ColumnType::kAddress;
    case Kind::kText: return ColumnType::kText;
  }
  return ColumnType::kInt64;
}

ColumnBuilder::ColumnBuilder(const FieldRef& field, const Interner& interner, TableColumn* out)
    : kind_(field.kind()), interner_(interner), out_(out) {
  out->type = ColumnTypeOf(kind_);
}

void ColumnBuilder::Append(uint64_t code) {
  if (kind_ == Kind::kInt32) {
    out_->i32.push_back(code == 0 ? kNullInt32 : static_cast<int32_t>(DecodeInt(code)));
  } else if (kind_ != Kind::kAddress && kind_ != Kind::kText) {
    const int64_t unit = kind_ == Kind::kTime ? kMicrosPerSecond : 1;
    out_->i64.push_back(code == 0 ? kNullInt64 : DecodeInt(code) * unit);
  } else if (code == 0) {
    out_->i32.push_back(kNullCode);
  } else {
    const size_t next = kind_ == Kind::kAddress ? out_->addresses.size() : out_->texts.size();
    const auto [it, added] = seen_.try_emplace(code, static_cast<int32_t>(next));
    if (added && kind_ == Kind::kAddress) out_->addresses.push_back(DecodeAddress(code, interner_));
    if (added && kind_ == Kind::kText) out_->texts.push_back(DecodeText(code, interner_));
    out_->i32.push_back(it->second);
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
