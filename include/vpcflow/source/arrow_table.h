// ArrowTable: rows that come through Arrow's C stream interface; what a source of rows reads. No Arrow library is
// needed.
//
// Example:
//   ArrowArrayStream stream;                                                  // somebody filled it
//   vpcflow::Source once = vpcflow::Source::Arrow("<arrow>", &stream);        // takes it; one scan
//   const auto shared = std::make_shared<const vpcflow::Table>(std::move(table));
//   vpcflow::Source again = vpcflow::Source::Arrow("t", [shared](ArrowArrayStream* out) {
//     vpcflow::ExportTable(shared, out);
//     return absl::OkStatus();
//   });
#ifndef VPCFLOW_SOURCE_ARROW_TABLE_H_
#define VPCFLOW_SOURCE_ARROW_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

struct ArrowColumns {
  std::vector<std::string> names{};
  // Whether a scan judges by the names if the rows are flow records (HasFlowColumns), and refuses others.
  bool judged = true;
};

// Bounds of a field, both included: whole numbers, times in Unix seconds, or texts as AWS writes them, in the order of
// their bytes. A null lies within none.
struct FieldBounds {
  std::string field{};  // AWS's name
  std::optional<int64_t> least{};
  std::optional<int64_t> most{};
  std::optional<std::string> least_text{};
  std::optional<std::string> most_text{};
  friend bool operator==(const FieldBounds&, const FieldBounds&) = default;
};

// What a scan reads of a table.
struct ArrowRequest {
  size_t piece = 0;
  // The fields that are read, by AWS's names; nothing for all columns. A stream may have more columns than these.
  std::optional<std::vector<std::string>> fields{};
};

// Implement it for tables with pieces that can be read apart, such as the row groups of a Parquet file, or that can
// leave columns unread. Any number of threads call one object, each opened stream is used by one at a time.
class ArrowTable {
 public:
  virtual ~ArrowTable() = default;
  // Returns the names of all columns, without reading rows; nothing if its streams have all of them.
  virtual absl::StatusOr<std::optional<ArrowColumns>> Columns() const { return std::nullopt; }
  // Returns the numbers of rows of its pieces, in order. Empty for a table of one piece whose rows are not counted
  // before reading.
  virtual absl::StatusOr<std::vector<uint64_t>> Pieces() const { return std::vector<uint64_t>(); }
  // Returns false if statistics say that no record of a piece lies within all of the bounds. The scan reads less of such
  // a piece, and all of it if they turn out to be wrong.
  virtual absl::StatusOr<bool> MayHold(size_t /*piece*/, const std::vector<FieldBounds>& /*bounds*/) const {
    return true;
  }
  // Opens the stream of a piece; the scan releases it. An error leaves `out` unset.
  virtual absl::Status Open(const ArrowRequest& request, ArrowArrayStream* out) const = 0;
};

// Opens a table anew, with all its columns.
using ArrowOpenFunction = std::function<absl::Status(ArrowArrayStream* out)>;

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_ARROW_TABLE_H_
