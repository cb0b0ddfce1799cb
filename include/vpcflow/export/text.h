// Tables as CSV, as JSON lines and as lines of a flow log.
//
// Example:
//   std::string csv = vpcflow::ToCsv(result->table, /*header=*/true);
//   std::string lines = vpcflow::ToJsonLines(result->table);   // {"srcaddr":"10.0.0.1","n":1}
//   std::string log = "srcaddr n\n" + vpcflow::ToLogLines(result->table);
#ifndef VPCFLOW_EXPORT_TEXT_H_
#define VPCFLOW_EXPORT_TEXT_H_

#include <string>
#include <string_view>

#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Returns a table as RFC 4180 CSV with LF line ends; null is empty; times are Unix seconds. Texts that a spreadsheet
// would take for a formula (first character = + - @, tab or CR) get a ' in front (OWASP ASVS 1.2.10) unless `safe` is
// false.
std::string ToCsv(const Table& table, bool header, bool safe = true);

// Returns one JSON object a line. Integers are exact at any size, times are Unix seconds, null is null. Bytes that are
// not UTF-8 become U+FFFD.
std::string ToJsonLines(const Table& table);

// Returns the rows as lines of a flow log, without a header line: values between blanks, `-` for null and for empty
// texts, times in Unix seconds. Blanks, control characters and line ends in texts are percent-encoded. O(rows).
std::string ToLogLines(const Table& table);

// Returns the text with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string ValidUtf8(std::string_view text);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_EXPORT_TEXT_H_
