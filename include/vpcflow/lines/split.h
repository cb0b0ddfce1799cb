// SplitLine: the fields of one line, whatever its blanks look like.
//
// Fields are separated by runs of spaces or tabs; blanks around the line, a CR before the line end and a byte order
// mark before it are fine; any other control byte makes the line invalid.
#ifndef VPCFLOW_LINES_SPLIT_H_
#define VPCFLOW_LINES_SPLIT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vpcflow/base/errc.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Half-open range of offsets in the block.
struct Token {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// Splits the line that begins at `line_begin` and whose separators are positions[0..count), the last one its line end
// (see SeparatorIndex). Writes at most `limit` tokens; `*n` is the number there are. kOk or kControlByte, then with the
// offset of that byte in `*bad`.
inline Errc SplitLine(const char* data, uint32_t line_begin, const uint32_t* positions, size_t count, Token* tokens,
                      size_t limit, size_t* n, uint32_t* bad) {
  const uint32_t line_end = positions[count - 1];
  uint32_t begin = line_begin;
  if (line_end - begin >= 3 && std::memcmp(data + begin, "\xEF\xBB\xBF", 3) == 0) begin += 3;
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t at = positions[i];
    if (i + 1 < count && data[at] != ' ' && data[at] != '\t' && !(data[at] == '\r' && at + 1 == line_end)) {
      *bad = at;
      *n = found;
      return Errc::kControlByte;
    }
    if (at > begin) {
      if (found < limit) tokens[found] = {begin, at};
      ++found;
    }
    begin = at + 1;
  }
  *n = found;
  return Errc::kOk;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_LINES_SPLIT_H_
