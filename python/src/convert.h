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

#include "vpcflow/vpcflow.h"

namespace py = pybind11;

namespace vpcflow_python {

// Raises vpcflow.errors.<name>(message) with what is known of the place as attributes.
[[noreturn]] void Raise(const char* name, const std::string& message, const vpcflow::ErrorPlace& place = {});
// Returns the class in vpcflow.errors that stands for a kind of error.
const char* ErrorClass(vpcflow::ErrorKind kind);
// Raises the exception that is pending in Python (of a callback, a signal), else the one that stands for a status.
[[noreturn]] void RaiseStatus(const absl::Status& status);
// Does so unless the status stands for the damaged sources of a report: Python raises for those, with what was read.
void RaiseUnlessDamage(const absl::Status& status, const vpcflow::Report& report);

// The value of an option, which `name` names; raises `error` if it is of another type or out of range.
template <class T>
T ValueOf(const py::handle& value, const char* name, const char* error = "PlanError") {
  try {
    return value.cast<T>();
  } catch (const py::cast_error&) {
    std::string needed = "a text";
    if constexpr (std::is_same_v<T, bool>) {
      needed = "true or false";
    } else if constexpr (std::is_integral_v<T>) {
      using Limits = std::numeric_limits<T>;
      needed = "a whole number from " + std::to_string(Limits::min()) + " to " + std::to_string(Limits::max());
    } else if constexpr (std::is_floating_point_v<T>) {
      needed = "a number";
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      needed = "a list of texts";
    }
    const auto given = py::repr(value).cast<std::string>();
    Raise(error, std::string(name) + ": " + needed + " is needed, not " + vpcflow::ValidUtf8(given.substr(0, 100)));
  }
}

std::string Message(const absl::Status& status);
vpcflow::Format ParseFormat(const std::string& text);

// {"format": str | None, "on_error": "skip" | "raise" | "null", "threads": int, "progress": callable | None, ...}.
// The poll that it sets checks for signals, so Ctrl-C ends the scan.
vpcflow::ScanOptions OptionsFrom(const py::dict& options);

py::dict ReportToDict(const vpcflow::Report& report);

// (Table, report).
py::object ResultToPython(vpcflow::Result result);

// A source and the Python object that owns its bytes.
struct PySource {
  vpcflow::Source source;
  std::shared_ptr<py::object> owner;
};
std::vector<vpcflow::Source> SourcesOf(const std::vector<std::shared_ptr<PySource>>& sources);
// Streams from an iterator of (name, capsule); each capsule is kept until the next one.
vpcflow::ArrowStreams StreamsOf(const py::iterator& iterator);

// A time asked for: from and before, Unix seconds.
using TimePair = std::pair<std::optional<int64_t>, std::optional<int64_t>>;

void BindAggregation(py::module_& m);
void BindDetect(py::module_& m);
void BindFormat(py::module_& m);
void BindLabels(py::module_& m);
void BindPlan(py::module_& m);
void BindCoverage(py::module_& m);
void BindSketch(py::module_& m);
void BindSource(py::module_& m);
void BindSynth(py::module_& m);
void BindTable(py::module_& m);

}  // namespace vpcflow_python

#endif  // VPCFLOW_PYTHON_CONVERT_H_
