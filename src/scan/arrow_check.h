// Checks of what comes through the Arrow C interfaces, before any value of it is read.
//
// The interfaces have no sizes of buffers. What they do say is checked: numbers of buffers and children, pointers,
// lengths, offsets, indices, string views. A producer whose last offset lies behind the end of its own buffer cannot be
// found out; whoever has the sizes checks that (pyarrow: validate(full=True)).
#ifndef VPCFLOW_SRC_SCAN_ARROW_CHECK_H_
#define VPCFLOW_SRC_SCAN_ARROW_CHECK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A batch has at most this many rows. Null columns have no memory behind their rows, so that a few bytes could claim
// any number of them.
inline constexpr int64_t kMaxArrowRows = int64_t{1} << 32;

// Whether a schema is a table's and complete. kInvalidArgument for another type, else kDataLoss.
absl::Status CheckArrowSchema(const ArrowSchema& schema);

// Whether the schema of a column, or of a stream that is one, is complete.
absl::Status CheckArrowField(const ArrowSchema& field);

// Whether an array has a length and an offset, and the buffers and the dictionary that it speaks of.
absl::Status CheckArrowArray(const ArrowSchema& schema, const ArrowArray& array);

// Whether a batch is one of a table of that schema, which was checked: its rows and its columns' lengths. O(columns).
absl::Status CheckArrowBatch(const ArrowSchema& schema, const ArrowArray& batch);

// Whether the entries of the dictionary of a column can be read; OK for a column without one. O(entries).
absl::Status CheckArrowEntries(const ArrowSchema& schema, const ArrowArray& column);

// Whether CheckArrowEntries is worth its time: a dictionary has no more entries than its batch has rows.
bool EntriesAreFew(const ArrowArray& column, int64_t batch_rows);

// Whether the values of a column that rows [first, first + rows) of its batch show can be read, or are null; the
// batch's offset is part of `first`. O(rows). With `entries_checked`, CheckArrowEntries found the dictionary sound; else
// the entries that are used are checked.
absl::Status CheckArrowColumn(const ArrowSchema& schema, const ArrowArray& column, int64_t first, int64_t rows,
                              bool entries_checked);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_ARROW_CHECK_H_
