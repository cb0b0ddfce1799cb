// A column of an Arrow batch, as its producer laid it out.
#ifndef VPCFLOW_SRC_EXPORT_ARROW_COLUMN_H_
#define VPCFLOW_SRC_EXPORT_ARROW_COLUMN_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vpcflow/export/arrow_abi.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Read value by value, or whole. The schema and the array stay until the column is gone.
class ArrowColumn {
 public:
  enum class Type : uint8_t { kNull, kInt, kFloat, kText, kTextView, kOther };

  ArrowColumn() = default;
  ArrowColumn(const ArrowSchema& schema, const ArrowArray& array) : array_(&array), format_(schema.format) {
    if (schema.dictionary != nullptr) {
      dictionary_ = std::make_unique<ArrowColumn>(*schema.dictionary, *array.dictionary);
      index_format_ = format_[0];
      type_ = dictionary_->type_;
      return;
    }
    if (format_ == "n") {
      type_ = Type::kNull;
    } else if (format_.size() == 1 && std::strchr("cCsSiIlL", format_[0]) != nullptr) {
      type_ = Type::kInt;
    } else if (format_ == "f" || format_ == "g") {
      type_ = Type::kFloat;
    } else if (format_ == "u" || format_ == "U" || format_ == "z" || format_ == "Z") {
      type_ = Type::kText;
    } else if (format_ == "vu") {
      type_ = Type::kTextView;
    } else if (format_.starts_with("ts") && format_.size() >= 4) {
      type_ = Type::kInt;
      ticks_ = format_[2] == 's' ? 1 : format_[2] == 'm' ? 1000 : format_[2] == 'u' ? 1'000'000 : 1'000'000'000;
    }
  }

  Type type() const { return type_; }
  const std::string& format() const { return format_; }
  // Timestamps count this many to the second; 0 for other integers.
  int64_t ticks() const { return dictionary_ ? dictionary_->ticks_ : ticks_; }

  bool IsNull(size_t row) const {
    if (type_ == Type::kNull || IsUnset(row)) return true;
    if (!dictionary_) return false;
    const std::optional<size_t> entry = Entry(row);
    return !entry || dictionary_->IsNull(*entry);
  }

  // Of kText and kTextView, not null.
  std::string_view Text(size_t row) const {
    if (dictionary_) return dictionary_->Text(*Entry(row));
    const size_t i = row + static_cast<size_t>(array_->offset);
    if (type_ == Type::kTextView) return View(i);
    const auto* text = static_cast<const char*>(array_->buffers[2]);
    if (format_ == "U" || format_ == "Z") {
      const auto* offsets = static_cast<const int64_t*>(array_->buffers[1]);
      return {text + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
    }
    const auto* offsets = static_cast<const int32_t*>(array_->buffers[1]);
    return {text + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i])};
  }

  // Of kInt and kFloat, not null; nothing if it is no whole number of 63 bits.
  std::optional<int64_t> Int(size_t row) const {
    if (dictionary_) return dictionary_->Int(*Entry(row));
    const size_t i = row + static_cast<size_t>(array_->offset);
    if (type_ == Type::kInt) return IntegerAt(ticks_ != 0 ? 'l' : format_[0], i);
    const double value = format_ == "g" ? static_cast<const double*>(array_->buffers[1])[i]
                                        : static_cast<double>(static_cast<const float*>(array_->buffers[1])[i]);
    if (!(value > -9.2e18 && value < 9.2e18) || value != std::floor(value)) return std::nullopt;
    return static_cast<int64_t>(value);
  }
  // Whole numbers of plain types, at once: seconds of timestamps, kNullInt for null, a negative number for the one that
  // looks like it. False for other types.
  bool WholeNumbers(std::span<const size_t> rows, int64_t* out) const {
    if (type_ != Type::kInt || dictionary_) return false;
    switch (ticks_ != 0 ? 'l' : format_[0]) {
      case 'c': Widen<int8_t>(rows, out); break;
      case 'C': Widen<uint8_t>(rows, out); break;
      case 's': Widen<int16_t>(rows, out); break;
      case 'S': Widen<uint16_t>(rows, out); break;
      case 'i': Widen<int32_t>(rows, out); break;
      case 'I': Widen<uint32_t>(rows, out); break;
      case 'l': Widen<int64_t>(rows, out); break;
      default: return false;
    }
    switch (ticks_) {  // by a constant: dividing takes most of the time otherwise
      case 1000: ToSeconds<1000>(rows.size(), out); break;
      case 1'000'000: ToSeconds<1'000'000>(rows.size(), out); break;
      case 1'000'000'000: ToSeconds<1'000'000'000>(rows.size(), out); break;
      default: break;
    }
    return true;
  }
  // Entries of the dictionary of texts, or 0 if it has none.
  size_t entries() const { return dictionary_ ? static_cast<size_t>(dictionary_->array_->length) : 0; }
  const ArrowColumn& dictionary() const { return *dictionary_; }
  // The entry of a row, or nothing if it is null.
  std::optional<size_t> EntryOf(size_t row) const { return IsUnset(row) ? std::nullopt : Entry(row); }

  // A float that is not a number stands for null, as pandas writes it.
  bool IsNan(size_t row) const {
    if (type_ != Type::kFloat || dictionary_) return false;
    const size_t i = row + static_cast<size_t>(array_->offset);
    return format_ == "g" ? std::isnan(static_cast<const double*>(array_->buffers[1])[i])
                          : std::isnan(static_cast<const float*>(array_->buffers[1])[i]);
  }

 private:
  bool IsUnset(size_t row) const {
    const size_t i = row + static_cast<size_t>(array_->offset);
    const auto* bits = array_->n_buffers > 0 ? static_cast<const uint8_t*>(array_->buffers[0]) : nullptr;
    return bits != nullptr && (bits[i / 8] >> (i % 8) & 1) == 0;
  }
  template <class T>
  void Widen(std::span<const size_t> rows, int64_t* out) const {
    const T* values = static_cast<const T*>(array_->buffers[1]) + array_->offset;
    for (size_t i = 0; i < rows.size(); ++i) out[i] = static_cast<int64_t>(values[rows[i]]);
    if constexpr (sizeof(T) == sizeof(int64_t)) {
      for (size_t i = 0; i < rows.size(); ++i) out[i] += out[i] == kNullInt;
    }
    if (array_->buffers[0] == nullptr) return;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (IsUnset(rows[i])) out[i] = kNullInt;
    }
  }
  template <int64_t kTicks>
  static void ToSeconds(size_t n, int64_t* out) {
    for (size_t i = 0; i < n; ++i) {
      const int64_t seconds = out[i] / kTicks - (out[i] % kTicks < 0 ? 1 : 0);
      out[i] = out[i] == kNullInt ? kNullInt : seconds;
    }
  }
  std::optional<int64_t> IntegerAt(char format, size_t i) const {
    const void* values = array_->buffers[1];
    switch (format) {
      case 'c': return static_cast<const int8_t*>(values)[i];
      case 'C': return static_cast<const uint8_t*>(values)[i];
      case 's': return static_cast<const int16_t*>(values)[i];
      case 'S': return static_cast<const uint16_t*>(values)[i];
      case 'i': return static_cast<const int32_t*>(values)[i];
      case 'I': return static_cast<const uint32_t*>(values)[i];
      case 'l': return static_cast<const int64_t*>(values)[i];
      default: {
        const uint64_t value = static_cast<const uint64_t*>(values)[i];
        if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
        return static_cast<int64_t>(value);
      }
    }
  }
  std::optional<size_t> Entry(size_t row) const {
    const std::optional<int64_t> index = IntegerAt(index_format_, row + static_cast<size_t>(array_->offset));
    if (!index || *index < 0 || *index >= dictionary_->array_->length) return std::nullopt;
    return static_cast<size_t>(*index);
  }
  // Arrow's 16-byte views: length, then up to 12 bytes inline, or a prefix, a buffer number and an offset.
  std::string_view View(size_t i) const {
    const char* view = static_cast<const char*>(array_->buffers[1]) + i * 16;
    int32_t words[4];
    std::memcpy(words, view, sizeof words);
    const auto size = static_cast<size_t>(words[0]);
    if (size <= 12) return {view + 4, size};
    return {static_cast<const char*>(array_->buffers[2 + words[2]]) + words[3], size};
  }

  const ArrowArray* array_ = nullptr;
  std::string format_;
  Type type_ = Type::kOther;
  char index_format_ = 'i';
  int64_t ticks_ = 0;
  std::unique_ptr<ArrowColumn> dictionary_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_ARROW_COLUMN_H_
