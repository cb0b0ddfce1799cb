// A column of an Arrow batch, as its producer laid it out.
#ifndef VPCFLOW_SRC_SCAN_ARROW_COLUMN_H_
#define VPCFLOW_SRC_SCAN_ARROW_COLUMN_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "src/scan/arrow_type.h"
#include "vpcflow/base/errc.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Wide enough for integers of either sign and decimals of 38 digits.
__extension__ typedef __int128 WholeNumber;

// Values of a buffer behind an offset. Buffers need not be aligned.
template <class T>
class Strided {
 public:
  Strided(const void* buffer, int64_t offset)
      : begin_(static_cast<const char*>(buffer) + (buffer == nullptr ? 0 : offset * int64_t{sizeof(T)})) {}
  T operator[](size_t i) const {
    T value;
    std::memcpy(&value, begin_ + i * sizeof(T), sizeof(T));
    return value;
  }

 private:
  const char* begin_;
};

// Whether the place `at` of an array with a validity is null; of an offset already added.
inline bool IsUnsetBit(const ArrowArray& array, size_t at) {
  const auto* bits = array.n_buffers > 0 ? static_cast<const uint8_t*>(array.buffers[0]) : nullptr;
  return bits != nullptr && (bits[at / 8] >> (at % 8) & 1) == 0;
}

// Calls read(T{}) with the type of a letter of kInt.
template <class Read>
auto WithInteger(char code, const Read& read) {
  switch (code) {
    case 'c': return read(int8_t{});
    case 'C': return read(uint8_t{});
    case 's': return read(int16_t{});
    case 'S': return read(uint16_t{});
    case 'i': return read(int32_t{});
    case 'I': return read(uint32_t{});
    case 'l': return read(int64_t{});
    default: return read(uint64_t{});
  }
}

inline WholeNumber IntegerAt(const ArrowArray& array, char code, size_t at) {
  return WithInteger(code, [&]<class T>(T) -> WholeNumber { return Strided<T>(array.buffers[1], 0)[at]; });
}

// Arrow's 16-byte view: a length, then up to 12 bytes, or a prefix, a buffer number and an offset.
struct StringView {
  static constexpr int32_t kInline = 12;
  int32_t size, prefix, buffer, offset;
  static StringView At(const ArrowArray& array, size_t at) { return Strided<StringView>(array.buffers[1], 0)[at]; }
};

// No entry of a dictionary: of a null, or one that was not read.
inline constexpr uint32_t kNoEntry = ~uint32_t{0};

// Read value by value, or whole, once CheckArrowColumn found it sound. The schema and the array stay until the column
// is gone. Rows are those of the batch, from 0.
class ArrowColumn {
 public:
  ArrowColumn() = default;
  // `first` is the offset of the batch.
  ArrowColumn(const ArrowSchema& schema, const ArrowArray& array, int64_t first)
      : array_(&array), base_(static_cast<size_t>(array.offset + first)), type_(ParseArrowType(schema.format)) {
    if (schema.dictionary == nullptr) return;
    dictionary_ = std::make_unique<ArrowColumn>(*schema.dictionary, *array.dictionary, 0);
    index_code_ = type_.code;
    type_ = dictionary_->type_;
  }

  // Of the dictionary's entries, if it has one.
  const ArrowType& type() const { return type_; }

  // Null, by its validity or a float that is not a number, as pandas writes it.
  bool IsNull(size_t row) const {
    if (type_.layout == ArrowType::Layout::kNull || IsUnset(row)) return true;
    if (dictionary_) return dictionary_->IsNull(Entry(row));
    return type_.layout == ArrowType::Layout::kFloat && std::isnan(Float(row));
  }
  // Whether rows [0, rows) are all null. Of types without a validity only those of none.
  bool AllNull(size_t rows) const {
    if (type_.layout == ArrowType::Layout::kOther) return rows == 0;
    for (size_t row = 0; row < rows; ++row) {
      if (!IsNull(row)) return false;
    }
    return true;
  }

  // Of texts, not null.
  std::string_view Text(size_t row) const {
    if (dictionary_) return dictionary_->Text(Entry(row));
    const size_t at = base_ + row;
    if (type_.layout == ArrowType::Layout::kTextView) return View(at);
    return type_.wide ? TextAt<int64_t>(at) : TextAt<int32_t>(at);
  }

  // Of numbers, not null, rounded down; of times, Unix seconds. kNotANumber if it had a fraction (of times never),
  // kOutOfRange beyond 38 digits.
  Errc Whole(size_t row, WholeNumber* out) const;
  // Of floats, not null.
  double Float(size_t row) const {
    if (dictionary_) return dictionary_->Float(Entry(row));
    const size_t at = base_ + row;
    if (type_.code == 'g') return Strided<double>(array_->buffers[1], 0)[at];
    return static_cast<double>(Strided<float>(array_->buffers[1], 0)[at]);
  }
  // Whole numbers of plain types, at once: kNullInt for null, a negative number for the one that looks like it. False
  // for other types.
  bool WholeNumbers(std::span<const size_t> rows, int64_t* out) const;

  // Entries of the dictionary, or 0 if it has none.
  size_t entries() const { return dictionary_ ? static_cast<size_t>(dictionary_->array_->length) : 0; }
  const ArrowColumn& dictionary() const { return *dictionary_; }
  // The entries of rows, kNoEntry for null; of a dictionary of fewer than kNoEntry entries.
  void Entries(std::span<const size_t> rows, uint32_t* out) const;
  // Whether its dictionary is the very memory of the dictionary of another column, whose batch is still there.
  bool SharesEntries(const ArrowColumn& other) const;

 private:
  bool IsUnset(size_t row) const { return IsUnsetBit(*array_, base_ + row); }
  size_t Entry(size_t row) const { return static_cast<size_t>(IntegerAt(*array_, index_code_, base_ + row)); }
  template <class Offset>
  std::string_view TextAt(size_t at) const {
    const Strided<Offset> offsets(array_->buffers[1], 0);
    const auto begin = static_cast<size_t>(offsets[at]), end = static_cast<size_t>(offsets[at + 1]);
    if (begin == end) return {"", 0};
    return {static_cast<const char*>(array_->buffers[2]) + begin, end - begin};
  }
  std::string_view View(size_t at) const {
    const StringView view = StringView::At(*array_, at);
    const auto size = static_cast<size_t>(view.size);
    if (view.size <= StringView::kInline)
      return {static_cast<const char*>(array_->buffers[1]) + at * sizeof(StringView) + sizeof(int32_t), size};
    return {static_cast<const char*>(array_->buffers[2 + view.buffer]) + view.offset, size};
  }
  template <class T>
  void Widen(std::span<const size_t> rows, int64_t* out) const;
  Errc WholeDecimal(size_t at, WholeNumber* out) const;

  const ArrowArray* array_ = nullptr;
  size_t base_ = 0;
  ArrowType type_;
  char index_code_ = 'i';
  std::unique_ptr<ArrowColumn> dictionary_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SCAN_ARROW_COLUMN_H_
