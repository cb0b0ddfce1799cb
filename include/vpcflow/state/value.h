// Single values as bytes: numbers and enumerators as words, addresses as two, text with its length.
//
// Example:
//   vpcflow::StateWriter out;
//   vpcflow::WriteValue(vpcflow::Ip::V4(0x0A000001), &out);
//   vpcflow::StateReader in(out.bytes());
//   vpcflow::Ip ip = vpcflow::ReadValue<vpcflow::Ip>(&in);   // 10.0.0.1; in.ok()
#ifndef VPCFLOW_STATE_VALUE_H_
#define VPCFLOW_STATE_VALUE_H_

#include <optional>
#include <string>
#include <type_traits>

#include "vpcflow/base/ip.h"
#include "vpcflow/state/bytes.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

template <class T>
void WriteValue(const T& value, StateWriter* out) {
  if constexpr (std::is_same_v<T, Ip>) {
    out->Word(value.hi);
    out->Word(value.lo);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out->Text(value);
  } else {
    out->Word(static_cast<uint64_t>(value));
  }
}

// Fails for a number that is none of T, and for enumerators beyond kOther, the last one of each enumeration here.
template <class T>
T ReadValue(StateReader* in) {
  if constexpr (std::is_same_v<T, Ip>) {
    const uint64_t hi = in->Word();
    return {hi, in->Word()};
  } else if constexpr (std::is_same_v<T, std::string>) {
    return std::string(in->Text());
  } else {
    const uint64_t word = in->Word();
    bool fits = static_cast<uint64_t>(static_cast<T>(word)) == word;
    if constexpr (std::is_enum_v<T>) fits = word <= static_cast<uint64_t>(T::kOther);
    if (!fits) in->Fail();
    return fits ? static_cast<T>(word) : T{};
  }
}

template <class T>
void WriteOptional(const std::optional<T>& value, StateWriter* out) {
  out->Byte(value.has_value());
  WriteValue(value.value_or(T{}), out);
}
template <class T>
void ReadOptional(StateReader* in, std::optional<T>* value) {
  const bool there = in->Byte() != 0;
  T read = ReadValue<T>(in);
  *value = there && in->ok() ? std::optional<T>(std::move(read)) : std::nullopt;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_STATE_VALUE_H_
