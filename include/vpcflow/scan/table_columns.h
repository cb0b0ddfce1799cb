// The meaning of columns of tables, by their names; and tables whose rows hold log lines.
//
// Example:
//   vpcflow::HasFlowColumns({"srcaddr", "numbytes"});            // true
//   vpcflow::FieldsOfColumns({"sourceaddress", "my column"});    // {"srcaddr", "my-column"}
#ifndef VPCFLOW_SCAN_TABLE_COLUMNS_H_
#define VPCFLOW_SCAN_TABLE_COLUMNS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Returns whether columns of these names make flow log records together (NamesAFlow). As with a header line, a part of
// AWS's own names alone is enough if one of them is of flows alone: an address, packets, bytes, the log status. Columns
// of an index of pandas (__index_level_0__) do not count.
bool HasFlowColumns(const std::vector<std::string>& names);

// Returns the fields that columns of these names are read as; of other columns their names in plans.
std::vector<std::string> FieldsOfColumns(const std::vector<std::string>& names);

// Reads the texts of one column of an Arrow stream, for a table whose rows hold log lines or JSON events. Movable.
class ArrowTexts {
 public:
  // Takes the stream. `column` is a name; empty for a stream that is texts itself.
  ArrowTexts(ArrowArrayStream* stream, std::string column);
  ~ArrowTexts();
  ArrowTexts(ArrowTexts&&) noexcept;
  ArrowTexts& operator=(ArrowTexts&&) noexcept;

  // Sets `lines` to the texts of the next batch, each ended by a newline, without those that are null; false at the
  // end. kInvalidArgument if there is no such column of texts, kDataLoss for damage, kUnavailable for a stream that
  // fails.
  absl::StatusOr<bool> Next(std::string* lines);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SCAN_TABLE_COLUMNS_H_
