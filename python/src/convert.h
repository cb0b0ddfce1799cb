// What the bindings share: errors, options and reports between C++ and Python.
#ifndef VPCFLOW_PYTHON_CONVERT_H_
#define VPCFLOW_PYTHON_CONVERT_H_

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "casters.h"
#include "vpcflow/vpcflow.h"

namespace py = pybind11;

namespace vpcflow_python {

// Returns the class in vpcflow.errors that stands for a kind of error.
const char* ErrorClass(vpcflow::ErrorKind kind);
// Raises the exception that is pending in Python (of a callback, a signal), else the one that stands for a status.
[[noreturn]] void RaiseStatus(const absl::Status& status);
// Does so unless the status stands for the damaged sources of a report: Python raises for those, with what was read.
void RaiseUnlessDamage(const absl::Status& status, const vpcflow::Report& report);

// Says which Python values stand for a type: "a whole number from 0 to 255".
template <class T>
std::string Needed() {
  if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    return "a whole number from " + std::to_string(Limits::min()) + " to " + std::to_string(Limits::max());
  } else if constexpr (std::is_floating_point_v<T>) {
    return "a number";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "a text";
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return "a list of texts";
  } else {
    return "another type";
  }
}

// Says which names an enum has: "'spread' or 'start'"; of more than four "one of auto, text, json".
std::string Alternatives(const std::vector<std::string_view>& names);

// Returns a Python value as a value of the engine. Raises `error`, which names the option, if it is of another type or
// out of range.
template <class T>
T ValueOf(const py::handle& value, const std::string& name, const char* error = "PlanError") {
  try {
    if constexpr (requires {
                    typename T::value_type;
                    T(std::nullopt);
                  })
      return value.is_none() ? T() : T(ValueOf<typename T::value_type>(value, name, error));
    return value.cast<T>();
  } catch (const py::cast_error&) {
    const std::string given = vpcflow::ValidUtf8(py::repr(value).cast<std::string>().substr(0, 100));
    if (const std::vector<std::string_view>& names = NamesOf<T>(); !names.empty())
      Raise(error, name + "=" + given + ": it is " + Alternatives(names));
    if constexpr (std::is_same_v<T, std::vector<vpcflow::Ip>>) {
      if (!py::isinstance<py::sequence>(value)) Raise(error, name + ": a list of addresses is needed, not " + given);
      for (const py::handle item : value) {
        if (!py::detail::make_caster<vpcflow::Ip>().load(item, true))
          Raise(error, name + ": " + vpcflow::ValidUtf8(py::repr(item).cast<std::string>()) + " is no address");
      }
    }
    Raise(error, name + ": " + Needed<T>() + " is needed, not " + given);
  }
}

std::string Message(const absl::Status& status);
// Returns the name that a type of columns has in Python.
const char* TypeName(vpcflow::ColumnType type);

// Returns the options of a scan that Python runs: its poll checks for signals, so that Ctrl-C ends the scan, and calls
// `progress`, which is a callable or None and must live as long as the scan. An empty input is no error: Python raises
// by the report, which has the cause.
vpcflow::ScanOptions ForRunning(vpcflow::ScanOptions options, const py::object& progress);

// (Table, report).
py::object ResultToPython(vpcflow::Result result);

// A source and the Python object that owns its bytes.
struct PySource {
  vpcflow::Source source;
  std::shared_ptr<py::object> owner;
};
std::vector<vpcflow::Source> SourcesOf(const std::vector<std::shared_ptr<PySource>>& sources);

void BindAggregation(py::module_& m);
void BindDetect(py::module_& m);
void BindEnds(py::module_& m);
void BindEvents(py::module_& m);
void BindEventReader(py::module_& m);
void BindFeeder(py::module_& m);
void BindFormat(py::module_& m);
void BindLabels(py::module_& m);
void BindNames(py::module_& m);
void BindPlan(py::module_& m);
void BindReport(py::module_& m);
void BindCoverage(py::module_& m);
void BindSketch(py::module_& m);
void BindReach(py::module_& m);
void BindCost(py::module_& m);
void BindSource(py::module_& m);
void BindSpec(py::module_& m);
void BindSynth(py::module_& m);
void BindTable(py::module_& m);

}  // namespace vpcflow_python

#endif  // VPCFLOW_PYTHON_CONVERT_H_
