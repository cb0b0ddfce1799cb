// ArrowType: what the format text of an Arrow schema says, and what flow log fields it can hold.
#ifndef VPCFLOW_SRC_SCAN_ARROW_TYPE_H_
#define VPCFLOW_SRC_SCAN_ARROW_TYPE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct ArrowType {
  // kPlain: one buffer of values besides the validity, of no use here (booleans, durations, fixed-size binary).
  // kNested: lists, structs and maps, which have a validity. kOther: unions, run-end encoded values, unknown formats.
  enum class Layout : uint8_t { kNull, kInt, kFloat, kDecimal, kText, kTextView, kPlain, kNested, kOther };

  Layout layout = Layout::kOther;
  char code = 0;        // kInt, kFloat: the format's letter ("cCsSiIlL", "fg")
  bool wide = false;    // kText: offsets of 64 bits
  bool time = false;    // kInt: a timestamp or date
  int64_t ticks = 1;    // of a time: how many make a second
  int64_t seconds = 1;  // of a date in days: seconds in one
  int scale = 0;        // kDecimal
  size_t width = 0;     // kDecimal: bytes of a value

  bool is_text() const { return layout == Layout::kText || layout == Layout::kTextView; }
  bool is_number() const { return layout == Layout::kInt || layout == Layout::kFloat || layout == Layout::kDecimal; }
};

// Reads a format text, not null.
ArrowType ParseArrowType(std::string_view format);

// The type of a column in words: "int64", "list", "decimal(20, 2)", "dictionary of text".
std::string ArrowTypeName(const ArrowSchema& schema);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_ARROW_TYPE_H_
