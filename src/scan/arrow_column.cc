#include "src/scan/arrow_column.h"

#include <algorithm>
#include <limits>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

template <class T>
constexpr T FloorDivided(T value, int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

template <int64_t kTicks>
void ToSeconds(size_t n, int64_t* out) {
  for (size_t i = 0; i < n; ++i) out[i] = out[i] == kNullInt ? kNullInt : FloorDivided(out[i], kTicks);
}

}  // namespace

Errc ArrowColumn::Whole(size_t row, WholeNumber* out) const {
  if (dictionary_) return dictionary_->Whole(Entry(row), out);
  if (type_.layout == ArrowType::Layout::kDecimal) return WholeDecimal(base_ + row, out);
  if (type_.layout == ArrowType::Layout::kInt) {
    *out = FloorDivided<WholeNumber>(IntegerAt(*array_, type_.code, base_ + row) * type_.seconds, type_.ticks);
    return Errc::kOk;
  }
  const double value = Float(row);
  if (!(value > -1e38 && value < 1e38)) return Errc::kOutOfRange;
  *out = static_cast<WholeNumber>(std::floor(value));
  return value == std::floor(value) ? Errc::kOk : Errc::kNotANumber;
}

Errc ArrowColumn::WholeDecimal(size_t at, WholeNumber* out) const {
  const void* values = array_->buffers[1];
  WholeNumber value = 0;
  switch (type_.width) {
    case 4: value = Strided<int32_t>(values, 0)[at]; break;
    case 8: value = Strided<int64_t>(values, 0)[at]; break;
    case 16: value = Strided<WholeNumber>(values, 0)[at]; break;
    default: {
      const Strided<WholeNumber> halves(values, 0);  // the low one first
      value = halves[2 * at];
      if (halves[2 * at + 1] != (value < 0 ? -1 : 0)) return Errc::kOutOfRange;
    }
  }
  Errc errc = Errc::kOk;
  for (int i = 0; i < type_.scale && value != 0; ++i) {
    if (value % 10 != 0) errc = Errc::kNotANumber;
    value = FloorDivided(value, 10);
  }
  constexpr WholeNumber kMost = (~(WholeNumber{1} << 127)) / 10;
  for (int i = 0; i > type_.scale && value != 0; --i) {
    if (value > kMost || value < -kMost) return Errc::kOutOfRange;
    value *= 10;
  }
  *out = value;
  return errc;
}

template <class T>
void ArrowColumn::Widen(std::span<const size_t> rows, int64_t* out) const {
  const Strided<T> values(array_->buffers[1], static_cast<int64_t>(base_));
  for (size_t i = 0; i < rows.size(); ++i) out[i] = static_cast<int64_t>(values[rows[i]]);
  if constexpr (sizeof(T) == sizeof(int64_t)) {
    for (size_t i = 0; i < rows.size(); ++i) out[i] += out[i] == kNullInt;
  }
  if (array_->buffers[0] == nullptr) return;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (IsUnset(rows[i])) out[i] = kNullInt;
  }
}

void ArrowColumn::Entries(std::span<const size_t> rows, uint32_t* out) const {
  WithInteger(index_code_, [&]<class T>(T) {
    const Strided<T> values(array_->buffers[1], static_cast<int64_t>(base_));
    for (size_t i = 0; i < rows.size(); ++i) out[i] = static_cast<uint32_t>(values[rows[i]]);
  });
  if (array_->buffers[0] == nullptr) return;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (IsUnset(rows[i])) out[i] = kNoEntry;
  }
}

bool ArrowColumn::SharesEntries(const ArrowColumn& other) const {
  if (!dictionary_ || !other.dictionary_ || dictionary_->base_ != other.dictionary_->base_) return false;
  const ArrowType& type = dictionary_->type_;
  const ArrowType& other_type = other.dictionary_->type_;
  const ArrowArray& a = *dictionary_->array_;
  const ArrowArray& b = *other.dictionary_->array_;
  return type.layout == other_type.layout && type.wide == other_type.wide && a.length == b.length &&
         a.n_buffers == b.n_buffers && std::equal(a.buffers, a.buffers + a.n_buffers, b.buffers);
}

bool ArrowColumn::WholeNumbers(std::span<const size_t> rows, int64_t* out) const {
  if (type_.layout != ArrowType::Layout::kInt || dictionary_ || type_.seconds != 1) return false;
  switch (type_.code) {
    case 'c': Widen<int8_t>(rows, out); break;
    case 'C': Widen<uint8_t>(rows, out); break;
    case 's': Widen<int16_t>(rows, out); break;
    case 'S': Widen<uint16_t>(rows, out); break;
    case 'i': Widen<int32_t>(rows, out); break;
    case 'I': Widen<uint32_t>(rows, out); break;
    case 'l': Widen<int64_t>(rows, out); break;
    default: return false;
  }
  switch (type_.ticks) {  // by a constant: dividing takes most of the time otherwise
    case 1000: ToSeconds<1000>(rows.size(), out); break;
    case 1'000'000: ToSeconds<1'000'000>(rows.size(), out); break;
    case 1'000'000'000: ToSeconds<1'000'000'000>(rows.size(), out); break;
    default: break;
  }
  return true;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
