// Array: a growing array of numbers, for columns of millions of rows.
//
// Like std::vector, with two differences that pay for large columns: it can grow by values that are not written yet,
// and large ones (1 MiB and more, on Linux) lie in huge pages and grow without copying. Measured on filling columns of
// 10,000,000 numbers: std::vector 0.75 GB/s, this 4.4 GB/s.
//
// Example:
//   vpcflow::Array<int64_t> numbers;
//   numbers.push_back(7);
//   int64_t* more = numbers.Extend(2);   // two values more, which are not written yet
//   more[0] = more[1] = 0;
#ifndef VPCFLOW_RESULT_ARRAY_H_
#define VPCFLOW_RESULT_ARRAY_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "vpcflow/internal/storage.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
// Any number of threads may use one at once through const members; changes are for one thread alone.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;

  Array() = default;
  Array(const Array& other) { append(other.data_, other.size_); }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() { internal::FreeStorage(data_, capacity_ * sizeof(T)); }

  // Appends `n` values, not written yet, and returns their beginning. Valid until the next growth.
  T* Extend(size_t n) {
    reserve(size_ + n);
    size_ += n;
    return data_ + size_ - n;
  }
  void push_back(T value) { *Extend(1) = value; }
  void append(const T* values, size_t n) {
    if (n > 0) std::memcpy(Extend(n), values, n * sizeof(T));
  }
  void append(size_t n, T value) { std::fill_n(Extend(n), n, value); }
  void assign(size_t n, T value) {
    size_ = 0;
    append(n, value);
  }
  void reserve(size_t n) {
    if (n <= capacity_) return;
    size_t bytes = std::max(n, capacity_ * 2) * sizeof(T);
    data_ = static_cast<T*>(internal::GrowStorage(data_, capacity_ * sizeof(T), &bytes));
    capacity_ = bytes / sizeof(T);
  }
  // Takes room for n values from spare memory, if there is enough; for an empty array.
  void reserve(size_t n, internal::SpareStorage* spare) {
    size_t bytes = n * sizeof(T);
    void* data = capacity_ == 0 ? spare->Take(&bytes) : nullptr;
    if (data == nullptr) return reserve(n);
    data_ = static_cast<T*>(data);
    capacity_ = bytes / sizeof(T);
  }
  // Gives the memory away; the array is empty afterwards.
  void release(internal::SpareStorage* spare) {
    spare->Add(data_, size_ * sizeof(T), capacity_ * sizeof(T));
    data_ = nullptr;
    size_ = capacity_ = 0;
  }
  // Keeps values [begin, begin + n).
  void slice(size_t begin, size_t n) {
    std::memmove(static_cast<void*>(data_), data_ + begin, n * sizeof(T));
    size_ = n;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* data() const& { return data_; }
  T* data() & { return data_; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& operator[](size_t i) { return data_[i]; }
  const T* begin() const& { return data_; }
  const T* end() const& { return data_ + size_; }
  T* begin() & { return data_; }
  T* end() & { return data_ + size_; }
  // Of a temporary they would dangle.
  const T* data() const&& = delete;
  const T* begin() const&& = delete;
  const T* end() const&& = delete;
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  friend bool operator==(const Array& a, const Array& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RESULT_ARRAY_H_
