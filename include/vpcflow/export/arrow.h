// Arrow: results out, through the C stream interface; no Arrow library is needed. Tables in: Source::Arrow.
//
// Example:
//   ArrowArrayStream stream;
//   vpcflow::ExportTable(std::make_shared<const vpcflow::Table>(std::move(result->table)), &stream);
//   stream.release(&stream);   // or hand it to any Arrow consumer, who releases it
//
// Types out: int32, int64, float64, bool; decimal128(38, 0) for a sum beyond 2^63 - 1; times as timestamp[us, UTC];
// addresses and texts as dictionary<int32, utf8>, bytes that are not UTF-8 replaced by U+FFFD. Integers and dictionary
// indices are the table's own memory, not copied.
#ifndef VPCFLOW_EXPORT_ARROW_H_
#define VPCFLOW_EXPORT_ARROW_H_

#include <memory>

#include "vpcflow/result/table.h"
#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Fills `out` with a stream of one batch that shares the table. The consumer releases it, at any time and in any
// thread.
void ExportTable(std::shared_ptr<const Table> table, ArrowArrayStream* out);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_EXPORT_ARROW_H_
