#include "src/scan/arrow_check.h"

#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "src/scan/arrow_column.h"
#include "src/scan/arrow_type.h"
#include "vpcflow/error/error.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// No text of a batch is longer than addresses go.
constexpr int64_t kMaxTextBytes = int64_t{1} << 47;

std::string NameOf(const ArrowSchema& schema) { return Printable(schema.name == nullptr ? "" : schema.name); }

template <class... Parts>
absl::Status Damaged(const Parts&... parts) {
  return absl::DataLossError(absl::StrCat("damaged Arrow data: ", parts...));
}
template <class... Parts>
absl::Status DamagedColumn(const ArrowSchema& schema, const Parts&... parts) {
  return Damaged("column '", NameOf(schema), "': ", parts...);
}

absl::Status CheckFieldSchema(const ArrowSchema& field, bool in_dictionary) {
  if (field.format == nullptr) return DamagedColumn(field, "no type");
  if (field.dictionary == nullptr) return absl::OkStatus();
  const ArrowType index = ParseArrowType(field.format);
  if (index.layout != ArrowType::Layout::kInt || index.time)
    return DamagedColumn(field, "dictionary indices of another type than integers");
  if (in_dictionary) return DamagedColumn(field, "a dictionary of dictionaries");
  return CheckFieldSchema(*field.dictionary, true);
}

// Length, offset, nulls and the array of buffer pointers; rows up to `end` (offset not counted) must be there.
absl::Status CheckArray(const ArrowSchema& schema, const ArrowArray& array, int64_t end) {
  if (array.length < 0 || array.offset < 0) {
    return DamagedColumn(schema, "length ", array.length, ", offset ", array.offset, "; neither may be negative");
  }
  if (array.length > std::numeric_limits<int64_t>::max() / 64 - array.offset)
    return DamagedColumn(schema, "length ", array.length, " at offset ", array.offset, " is no length of memory");
  if (array.length < end) return DamagedColumn(schema, "length ", array.length, "; the batch needs ", end);
  if (array.n_buffers < 0 || (array.n_buffers > 0 && array.buffers == nullptr))
    return DamagedColumn(schema, array.n_buffers, " buffers, which are not there");
  if ((schema.dictionary == nullptr) != (array.dictionary == nullptr)) {
    return DamagedColumn(schema, schema.dictionary == nullptr ? "a dictionary that its type does not have"
                                                              : "its dictionary is missing");
  }
  return absl::OkStatus();
}

absl::Status CheckBuffers(const ArrowSchema& schema, const ArrowArray& array, int64_t least, int64_t most) {
  if (array.n_buffers < least || array.n_buffers > most)
    return DamagedColumn(schema, array.n_buffers, " buffers; its type, ", ArrowTypeName(schema), ", has ", least);
  if (array.null_count < -1 || array.null_count > array.length)
    return DamagedColumn(schema, "null count ", array.null_count, " of length ", array.length);
  if (array.null_count > 0 && array.buffers[0] == nullptr)
    return DamagedColumn(schema, "null count ", array.null_count, " without validity");
  return absl::OkStatus();
}

template <class Offset>
absl::Status CheckOffsets(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end) {
  if (array.buffers[1] == nullptr) return DamagedColumn(schema, "no offsets");
  const Strided<Offset> offsets(array.buffers[1], array.offset);
  Offset last = offsets[static_cast<size_t>(begin)];
  if (last < 0) return DamagedColumn(schema, "offset ", last, " at row ", begin, "; offsets are not negative");
  bool rising = true;
  for (int64_t row = begin + 1; row <= end; ++row) {
    const Offset next = offsets[static_cast<size_t>(row)];
    rising &= next >= last;
    last = next;
  }
  if (!rising) return DamagedColumn(schema, "offsets that do not rise");
  if (static_cast<int64_t>(last) > kMaxTextBytes)
    return DamagedColumn(schema, "offset ", last, "; no text is that long");
  if (last > offsets[static_cast<size_t>(begin)] && array.buffers[2] == nullptr)
    return DamagedColumn(schema, "no text behind its offsets");
  return absl::OkStatus();
}

// Text buffers of string views stand between the views and their sizes.
absl::Status CheckViewBuffers(const ArrowSchema& schema, const ArrowArray& array) {
  const int64_t texts = array.n_buffers - 3;
  const void* sizes_buffer = array.buffers[array.n_buffers - 1];
  if (texts > 0 && sizes_buffer == nullptr) return DamagedColumn(schema, "no sizes of its text buffers");
  const Strided<int64_t> sizes(sizes_buffer, 0);
  for (int64_t i = 0; i < texts; ++i) {
    const int64_t size = sizes[static_cast<size_t>(i)];
    if (size < 0 || size > kMaxTextBytes || (size > 0 && array.buffers[2 + i] == nullptr))
      return DamagedColumn(schema, "text buffer ", i, " of ", size, " bytes");
  }
  return absl::OkStatus();
}

absl::Status CheckViews(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end) {
  if (array.buffers[1] == nullptr) return DamagedColumn(schema, "no string views");
  const int64_t texts = array.n_buffers - 3;
  const Strided<int64_t> sizes(array.buffers[array.n_buffers - 1], 0);
  for (int64_t row = begin; row < end; ++row) {
    const auto at = static_cast<size_t>(array.offset + row);
    if (IsUnsetBit(array, at)) continue;
    const StringView view = StringView::At(array, at);
    if (view.size < 0) return DamagedColumn(schema, "a text of ", view.size, " bytes at row ", row);
    if (view.size <= StringView::kInline) continue;
    if (view.buffer < 0 || view.buffer >= texts)
      return DamagedColumn(schema, "text buffer ", view.buffer, " at row ", row, "; there are ", texts);
    const int64_t size = sizes[static_cast<size_t>(view.buffer)];
    if (view.offset < 0 || int64_t{view.offset} + view.size > size) {
      return DamagedColumn(schema, "a text of ", view.size, " bytes at ", view.offset, " at row ", row,
                           "; its buffer has ", size);
    }
  }
  return absl::OkStatus();
}

// What rows [begin, end) of an array without dictionary show, in buffers that were checked.
absl::Status CheckRows(const ArrowSchema& schema, const ArrowType& type, const ArrowArray& array, int64_t begin,
                       int64_t end) {
  if (begin == end) return absl::OkStatus();
  if (type.layout == ArrowType::Layout::kTextView) return CheckViews(schema, array, begin, end);
  if (type.layout == ArrowType::Layout::kText) {
    return type.wide ? CheckOffsets<int64_t>(schema, array, begin, end)
                     : CheckOffsets<int32_t>(schema, array, begin, end);
  }
  if (type.is_number() && array.buffers[1] == nullptr) return DamagedColumn(schema, "no values");
  return absl::OkStatus();
}

// Rows [begin, end) of an array without dictionary.
absl::Status CheckValues(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end) {
  using Layout = ArrowType::Layout;
  const ArrowType type = ParseArrowType(schema.format);
  const int64_t many = std::numeric_limits<int64_t>::max();
  int64_t buffers = 2, most = 2;
  switch (type.layout) {
    case Layout::kNull: return array.n_buffers <= 1 ? absl::OkStatus() : CheckBuffers(schema, array, 0, 0);
    case Layout::kOther: return absl::OkStatus();  // nothing of it is read
    case Layout::kText: buffers = most = 3; break;
    case Layout::kTextView: buffers = 3, most = many; break;
    case Layout::kNested: buffers = 1, most = 3; break;
    default: break;
  }
  if (absl::Status s = CheckBuffers(schema, array, buffers, most); !s.ok()) return s;
  if (type.layout == Layout::kTextView) {
    if (absl::Status s = CheckViewBuffers(schema, array); !s.ok()) return s;
  }
  return CheckRows(schema, type, array, begin, end);
}

// Whether rows [begin, end) are null or have an index below `entries`.
template <class T>
bool IndicesFit(const ArrowArray& array, int64_t begin, int64_t end, int64_t entries) {
  using Unsigned = std::make_unsigned_t<T>;
  const Strided<T> values(array.buffers[1], array.offset + begin);
  const auto rows = static_cast<size_t>(end - begin);
  const auto fits = [&](size_t row) {
    return uint64_t{static_cast<Unsigned>(values[row])} < static_cast<uint64_t>(entries);
  };
  bool all = true;
  for (size_t row = 0; row < rows; ++row) all &= fits(row);
  if (all) return true;
  for (size_t row = 0; row < rows; ++row) {  // what a null has there does not matter
    if (!fits(row) && !IsUnsetBit(array, static_cast<size_t>(array.offset + begin) + row)) return false;
  }
  return true;
}

absl::Status CheckIndices(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end) {
  const char code = ParseArrowType(schema.format).code;
  const int64_t entries = array.dictionary->length;
  const bool fit = WithInteger(code, [&]<class T>(T) { return IndicesFit<T>(array, begin, end, entries); });
  if (fit) return absl::OkStatus();
  for (int64_t row = begin;; ++row) {
    const auto at = static_cast<size_t>(array.offset + row);
    const WholeNumber index = IntegerAt(array, code, at);
    if (IsUnsetBit(array, at) || (index >= 0 && index < entries)) continue;
    return DamagedColumn(schema, "dictionary index ", static_cast<int64_t>(index), " at row ", row,
                         "; the dictionary has ", entries, " entries");
  }
}

absl::Status CheckDictionary(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end,
                             bool entries_checked) {
  const ArrowSchema& value_schema = *schema.dictionary;
  const ArrowArray& values = *array.dictionary;
  if (absl::Status s = CheckBuffers(schema, array, 2, 2); !s.ok()) return s;
  if (begin == end) return absl::OkStatus();
  if (array.buffers[1] == nullptr) return DamagedColumn(schema, "no dictionary indices");
  if (absl::Status s = CheckArray(value_schema, values, 0); !s.ok()) return s;
  if (absl::Status s = CheckIndices(schema, array, begin, end); !s.ok() || entries_checked) return s;
  if (absl::Status s = CheckValues(value_schema, values, 0, 0); !s.ok()) return s;
  const char code = ParseArrowType(schema.format).code;
  const ArrowType value_type = ParseArrowType(value_schema.format);
  for (int64_t row = begin; row < end; ++row) {
    const auto at = static_cast<size_t>(array.offset + row);
    if (IsUnsetBit(array, at)) continue;
    const auto entry = static_cast<int64_t>(IntegerAt(array, code, at));
    if (absl::Status s = CheckRows(value_schema, value_type, values, entry, entry + 1); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckArrowSchema(const ArrowSchema& schema) {
  if (schema.release == nullptr || schema.format == nullptr) return Damaged("the stream has no schema");
  if (std::string_view(schema.format) != "+s" || schema.dictionary != nullptr)
    return MakeError(ErrorKind::kFormat, absl::StrCat("Arrow data of type ", ArrowTypeName(schema),
                                                      "; a table is needed, with a column for each field"));
  if (schema.n_children < 0 || (schema.n_children > 0 && schema.children == nullptr))
    return Damaged("a schema of ", schema.n_children, " columns, which are not there");
  for (int64_t c = 0; c < schema.n_children; ++c) {
    if (schema.children[c] == nullptr) return Damaged("column ", c, " of the schema is not there");
    if (absl::Status s = CheckFieldSchema(*schema.children[c], false); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status CheckArrowField(const ArrowSchema& field) {
  if (field.release == nullptr) return Damaged("the stream has no schema");
  return CheckFieldSchema(field, false);
}

absl::Status CheckArrowArray(const ArrowSchema& schema, const ArrowArray& array) {
  if (array.length > kMaxArrowRows)
    return Damaged("a batch of ", array.length, " rows; at most ", kMaxArrowRows, " are read");
  return CheckArray(schema, array, 0);
}

absl::Status CheckArrowBatch(const ArrowSchema& schema, const ArrowArray& batch) {
  if (batch.n_children != schema.n_children || (batch.n_children > 0 && batch.children == nullptr))
    return Damaged("a batch of ", batch.n_children, " columns; the schema has ", schema.n_children);
  if (absl::Status s = CheckArrowArray(schema, batch); !s.ok()) return s;
  if (absl::Status s = CheckBuffers(schema, batch, 1, 1); !s.ok()) return s;
  for (int64_t c = 0; c < batch.n_children; ++c) {
    if (batch.children[c] == nullptr) return DamagedColumn(*schema.children[c], "it is not there");
    if (absl::Status s = CheckArray(*schema.children[c], *batch.children[c], batch.offset + batch.length); !s.ok())
      return s;
  }
  return absl::OkStatus();
}

absl::Status CheckArrowEntries(const ArrowSchema& schema, const ArrowArray& column) {
  if (schema.dictionary == nullptr) return absl::OkStatus();
  if (absl::Status s = CheckArray(*schema.dictionary, *column.dictionary, 0); !s.ok()) return s;
  return CheckValues(*schema.dictionary, *column.dictionary, 0, column.dictionary->length);
}

bool EntriesAreFew(const ArrowArray& column, int64_t batch_rows) {
  return column.dictionary != nullptr && column.dictionary->length <= batch_rows;
}

absl::Status CheckArrowColumn(const ArrowSchema& schema, const ArrowArray& column, int64_t first, int64_t rows,
                              bool entries_checked) {
  return schema.dictionary != nullptr ? CheckDictionary(schema, column, first, first + rows, entries_checked)
                                      : CheckValues(schema, column, first, first + rows);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
