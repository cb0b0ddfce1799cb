// CsvRow: the cells of one row of a table in text.
#ifndef VPCFLOW_SRC_CONTAINER_CSV_ROW_H_
#define VPCFLOW_SRC_CONTAINER_CSV_ROW_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// RFC 4180 with any separator, but that a row is a line: no value of a flow log has a line end in it, and so a stray
// quote costs one row.
class CsvRow {
 public:
  // Takes the separator of the rows from the first of them: the one of comma, semicolon and tab that it has most often
  // outside of quotes. Blanks behind separators, if it has some, are no part of cells.
  void Begin(std::string_view first);
  // As of the line "sep=;" that Excel writes before a table.
  void SetSeparator(char separator) { separator_ = separator; }
  bool has_separator() const { return separator_ != '\0'; }

  // False if a quote is not closed. The cells are valid until the next call, as long as the row is.
  bool Split(std::string_view row);
  const std::vector<std::string_view>& cells() const { return cells_; }

 private:
  size_t EndOfUnquoted(std::string_view row, size_t at) const;
  size_t BeginOfCell(std::string_view row, size_t at) const;
  bool SplitWithCare(std::string_view row);

  char separator_ = '\0';
  bool skips_blanks_ = false;
  std::string plain_;                    // the row without its quotes, if they are within cells
  std::vector<std::string_view> cells_;  // of it or of the row
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_CSV_ROW_H_
