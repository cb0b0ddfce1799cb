// How Python has small types of the engine: enums by their names, addresses and formats as texts, and structs of two to
// four members as tuples.
#ifndef VPCFLOW_PYTHON_CASTERS_H_
#define VPCFLOW_PYTHON_CASTERS_H_

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "vpcflow/vpcflow.h"

namespace vpcflow_python {

// Raises vpcflow.errors.<name>(message) with what is known of the place as attributes.
[[noreturn]] void Raise(const char* name, const std::string& message, const vpcflow::ErrorPlace& place = {});

// Returns the format that a text says, or raises FormatError.
vpcflow::Format ParseFormat(const std::string& text);

// The names of an enum's values, in their order; empty for other types.
template <class T>
const std::vector<std::string_view>& NamesOf() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    if constexpr (std::is_same_v<T, vpcflow::BinBy>) {
      out.assign(vpcflow::kBinByNames.begin(), vpcflow::kBinByNames.end());
    } else if constexpr (std::is_same_v<T, vpcflow::Vantage>) {
      out.assign(vpcflow::kVantageNames.begin(), vpcflow::kVantageNames.end());
    } else if constexpr (std::is_same_v<T, vpcflow::OnError>) {
      out.assign(vpcflow::kOnErrorNames.begin(), vpcflow::kOnErrorNames.end());
    } else if constexpr (std::is_same_v<T, vpcflow::Duplicates>) {
      out.assign(vpcflow::kDuplicatesNames.begin(), vpcflow::kDuplicatesNames.end());
    } else if constexpr (std::is_same_v<T, vpcflow::Container>) {
      for (const vpcflow::ContainerInfo& info : vpcflow::kContainers) out.push_back(info.name);
    } else if constexpr (std::is_same_v<T, vpcflow::Errc>) {
      for (size_t i = 0; i < vpcflow::kErrcCount; ++i) out.push_back(vpcflow::ErrcName(static_cast<vpcflow::Errc>(i)));
    } else if constexpr (std::is_same_v<T, vpcflow::ErrorKind>) {
#define VPCFLOW_X(id, name, code, meaning) out.push_back(name);
      VPCFLOW_ERROR_KINDS(VPCFLOW_X)
#undef VPCFLOW_X
    }
    return out;
  }();
  return names;
}

// An enum as the name of its value.
template <class E>
struct NameCaster {
  PYBIND11_TYPE_CASTER(E, pybind11::detail::const_name("str"));

  bool load(pybind11::handle source, bool) {
    if (!pybind11::isinstance<pybind11::str>(source)) return false;
    const auto text = source.cast<std::string_view>();
    const std::vector<std::string_view>& names = NamesOf<E>();
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] != text) continue;
      value = static_cast<E>(i);
      return true;
    }
    return false;
  }
  static pybind11::handle cast(E value, pybind11::return_value_policy, pybind11::handle) {
    return pybind11::str(std::string(NamesOf<E>()[static_cast<size_t>(value)])).release();
  }
};

// A struct out of the tuple of its members.
template <class T, class... Members>
struct TupleCaster {
  using Tuple = std::tuple<Members...>;
  PYBIND11_TYPE_CASTER(T, pybind11::detail::const_name("tuple"));

  bool load(pybind11::handle source, bool convert) {
    pybind11::detail::make_caster<Tuple> members;
    if (!members.load(source, convert)) return false;
    value = std::apply([](auto&&... member) { return T{std::move(member)...}; },
                       pybind11::detail::cast_op<Tuple>(std::move(members)));
    return true;
  }
};

}  // namespace vpcflow_python

namespace pybind11::detail {

template <>
struct type_caster<vpcflow::BinBy> : vpcflow_python::NameCaster<vpcflow::BinBy> {};
template <>
struct type_caster<vpcflow::Vantage> : vpcflow_python::NameCaster<vpcflow::Vantage> {};
template <>
struct type_caster<vpcflow::OnError> : vpcflow_python::NameCaster<vpcflow::OnError> {};
template <>
struct type_caster<vpcflow::Duplicates> : vpcflow_python::NameCaster<vpcflow::Duplicates> {};
template <>
struct type_caster<vpcflow::Container> : vpcflow_python::NameCaster<vpcflow::Container> {};
template <>
struct type_caster<vpcflow::Errc> : vpcflow_python::NameCaster<vpcflow::Errc> {};

// An address as its text.
template <>
struct type_caster<vpcflow::Ip> {
  PYBIND11_TYPE_CASTER(vpcflow::Ip, const_name("str"));
  bool load(handle source, bool) {
    return isinstance<str>(source) && vpcflow::ParseIp(source.cast<std::string>(), &value);
  }
  static handle cast(const vpcflow::Ip& ip, return_value_policy, handle) {
    return str(vpcflow::ToString(ip)).release();
  }
};

// A format as its text.
template <>
struct type_caster<vpcflow::Format> {
  PYBIND11_TYPE_CASTER(vpcflow::Format, const_name("str"));
  bool load(handle source, bool) {
    if (!isinstance<str>(source)) return false;
    value = vpcflow_python::ParseFormat(source.cast<std::string>());
    return true;
  }
  static handle cast(const vpcflow::Format& format, return_value_policy, handle) {
    return str(format.ToString()).release();
  }
};

// A status as (name of its kind, message, name of the source).
template <>
struct type_caster<absl::Status> {
  PYBIND11_TYPE_CASTER(absl::Status, const_name("tuple"));
  bool load(handle source, bool convert) {
    using Texts = std::tuple<std::string, std::string, std::string>;
    make_caster<Texts> members;
    if (!members.load(source, convert)) return false;
    const auto [kind_name, message, from] = cast_op<Texts>(std::move(members));
    const std::vector<std::string_view>& kinds = vpcflow_python::NamesOf<vpcflow::ErrorKind>();
    const auto kind = std::find(kinds.begin(), kinds.end(), kind_name);
    if (kind == kinds.end()) return false;
    value = vpcflow::MakeError(static_cast<vpcflow::ErrorKind>(kind - kinds.begin()), message, {.source = from});
    return true;
  }
  static handle cast(const absl::Status& status, return_value_policy, handle) {
    const vpcflow::Error error = vpcflow::ErrorOf(status);
    const std::string message(status.message());
    return pybind11::make_tuple(std::string(vpcflow::ErrorKindName(error.kind)), vpcflow::ValidUtf8(message),
                                vpcflow::ValidUtf8(error.place.source))
        .release();
  }
};

// From and before, Unix seconds; each may be None.
template <>
struct type_caster<vpcflow::TimeSpan>
    : vpcflow_python::TupleCaster<vpcflow::TimeSpan, std::optional<int64_t>, std::optional<int64_t>> {
  static handle cast(const vpcflow::TimeSpan& span, return_value_policy, handle) {
    return pybind11::make_tuple(span.start, span.end).release();
  }
};

// (column, descending)
template <>
struct type_caster<vpcflow::SortKey> : vpcflow_python::TupleCaster<vpcflow::SortKey, std::string, bool> {
  static handle cast(const vpcflow::SortKey& key, return_value_policy, handle) {
    return pybind11::make_tuple(key.column, key.descending).release();
  }
};

// (name, field, labels), or (name, "", labels of records)
template <>
struct type_caster<vpcflow::LabelColumn> {
  PYBIND11_TYPE_CASTER(vpcflow::LabelColumn, const_name("tuple"));
  bool load(handle source, bool convert) {
    if (!isinstance<tuple>(source) || len(source) != 3) return false;
    const auto parts = reinterpret_borrow<tuple>(source);
    make_caster<std::shared_ptr<vpcflow::Labels>> labels;
    make_caster<std::shared_ptr<vpcflow::RecordLabels>> record;
    value.name = parts[0].cast<std::string>();
    value.field = parts[1].cast<std::string>();
    if (record.load(parts[2], convert)) {
      value.record = cast_op<std::shared_ptr<vpcflow::RecordLabels>>(record);
    } else if (labels.load(parts[2], convert)) {
      value.labels = cast_op<std::shared_ptr<vpcflow::Labels>>(labels);
    } else {
      return false;
    }
    return true;
  }
  static handle cast(const vpcflow::LabelColumn& column, return_value_policy, handle) {
    const object table = column.record != nullptr
                             ? pybind11::cast(std::const_pointer_cast<vpcflow::RecordLabels>(column.record))
                             : pybind11::cast(std::const_pointer_cast<vpcflow::Labels>(column.labels));
    return pybind11::make_tuple(column.name, column.field, table).release();
  }
};

// (name, expression)
template <>
struct type_caster<vpcflow::DerivedColumn>
    : vpcflow_python::TupleCaster<vpcflow::DerivedColumn, std::string, std::string> {
  static handle cast(const vpcflow::DerivedColumn& derived, return_value_policy, handle) {
    return pybind11::make_tuple(derived.name, derived.expression).release();
  }
};

}  // namespace pybind11::detail

#endif  // VPCFLOW_PYTHON_CASTERS_H_
