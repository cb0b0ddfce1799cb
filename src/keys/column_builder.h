// Columns of tables from codes.
#ifndef VPCFLOW_SRC_KEYS_COLUMN_BUILDER_H_
#define VPCFLOW_SRC_KEYS_COLUMN_BUILDER_H_

#include <cstdint>
#include <unordered_map>

#include "src/keys/codes.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Appends a decoded value to a column of addresses, texts or numbers.
class ColumnBuilder {
 public:
  ColumnBuilder(const FieldRef& field, const Interner& interner, TableColumn* out);
  void Append(uint64_t code);

 private:
  Kind kind_;
  const Interner& interner_;
  TableColumn* out_;
  std::unordered_map<uint64_t, int32_t> seen_;
};

ColumnType ColumnTypeOf(Kind kind);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_KEYS_COLUMN_BUILDER_H_
