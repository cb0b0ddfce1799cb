// Binds a struct of the engine as a Python class that is never changed: a constructor with keywords, pickles,
// comparison and a repr of what is not the default.
//
//   BindStruct(m, "TopSpec", "top_k: ", Member{"n", &TopSpec::n}, Member{"by", &TopSpec::by});
#ifndef VPCFLOW_PYTHON_MEMBERS_H_
#define VPCFLOW_PYTHON_MEMBERS_H_

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "convert.h"

namespace vpcflow_python {

template <class T, class M>
struct Member {
  const char* name;
  M T::*at;
};
template <class T, class M>
Member(const char*, M T::*) -> Member<T, M>;

// Casts values of the engine; texts, which may have any bytes, as valid ones.
template <class M>
py::object ToPython(const M& value) {
  return py::cast(value);
}
inline py::object ToPython(const std::string& text) { return py::str(vpcflow::ValidUtf8(text)); }
inline py::object ToPython(const std::vector<std::string>& texts) {
  py::list out;
  for (const std::string& text : texts) out.append(ToPython(text));
  return out;
}
inline py::object ToPython(const std::map<std::string, uint64_t>& counts) {
  py::dict out;
  for (const auto& [text, n] : counts) out[ToPython(text)] = n;
  return out;
}

// Sets members by keywords; raises TypeError for an unknown one.
template <class T, class... Ms>
void SetMembers(const char* name, const std::string& prefix, const py::kwargs& values, T* out,
                Member<T, Ms>... members) {
  for (const auto& [key, value] : values) {
    const auto given = key.template cast<std::string_view>();
    const auto set = [&, &item = value](const auto& member) {
      if (given != member.name) return false;
      using M = std::decay_t<decltype(out->*member.at)>;
      out->*member.at = ValueOf<M>(item, prefix + member.name);
      return true;
    };
    if (!(set(members) || ...)) throw py::type_error(std::string(name) + " has no member '" + std::string(given) + "'");
  }
}

// Binds all but the attributes. `prefix` begins the names of members in errors.
template <class T, class... Ms>
py::class_<T> BindStruct(py::module_& m, const char* name, const std::string& prefix, Member<T, Ms>... members) {
  const auto as_tuple = [=](const T& self) { return py::make_tuple(ToPython(self.*members.at)...); };
  py::class_<T> bound(m, name);
  bound.def(py::init([=](const py::kwargs& values) {
    T out;
    SetMembers(name, prefix, values, &out, members...);
    return out;
  }));
  bound.def(py::pickle(as_tuple, [=](const py::tuple& state) {
    if (state.size() != sizeof...(members)) throw py::value_error(std::string(name) + ": pickled by another version");
    T out;
    size_t i = 0;
    ((out.*members.at = ValueOf<Ms>(state[i++], prefix + members.name)), ...);
    return out;
  }));
  bound.def(
      "__eq__", [=](const T& self, const T& other) { return as_tuple(self).equal(as_tuple(other)); },
      py::is_operator());
  bound.def("__repr__", [=](const T& self) {
    const py::tuple values = as_tuple(self), defaults = as_tuple(T());
    std::string shown;
    size_t i = 0;
    const auto show = [&](const char* member) {
      const py::object value = values[i], otherwise = defaults[i];
      ++i;
      if (value.equal(otherwise)) return;
      shown += (shown.empty() ? "" : ", ") + std::string(member) + "=" + py::repr(value).template cast<std::string>();
    };
    (show(members.name), ...);
    return std::string(name) + "(" + shown + ")";
  });
  return bound;
}

// Reading by name as of a dictionary, for code that knows the class as one: `reject["line"]`, `dict(reject)`.
template <class T>
void BindItems(py::class_<T>& bound, const std::vector<std::string>& names) {
  const auto has = [names](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  bound.def(
      "__getitem__",
      [has](const py::object& self, const std::string& name) -> py::object {
        if (!has(name)) throw py::key_error(name);
        return self.attr(name.c_str());
      },
      py::arg("name"));
  bound.def(
      "__contains__", [has](const T&, const std::string& name) { return has(name); }, py::arg("name"));
  bound.def(
      "keys", [names](const T&) { return names; }, "Returns the names of the members.");
}

}  // namespace vpcflow_python

#endif  // VPCFLOW_PYTHON_MEMBERS_H_
