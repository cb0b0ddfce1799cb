#include "convert.h"

namespace vpcflow_python {

namespace {

// May have bytes of a hostile state or file.
py::str Text(const std::string& text) { return vpcflow::ValidUtf8(text); }

void SetPlace(const vpcflow::ErrorPlace& place, const py::object& error) {
  const std::pair<const char*, const std::string*> texts[] = {
      {"field", &place.field}, {"suggestion", &place.suggestion}, {"source", &place.source}, {"code", &place.reason}};
  for (const auto& [name, text] : texts) {
    if (!text->empty()) error.attr(name) = Text(*text);
  }
  if (place.position) error.attr("position") = *place.position;
  if (place.line == 0) return;
  error.attr("line") = place.line;
  error.attr("column") = place.column;
  error.attr("byte_offset") = place.byte_offset;
}

}  // namespace

void Raise(const char* name, const std::string& message, const vpcflow::ErrorPlace& place) {
  const py::object error = py::module_::import("vpcflow.errors").attr(name)(Text(message));
  SetPlace(place, error);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw py::error_already_set();
}

const char* ErrorClass(vpcflow::ErrorKind kind) {
  using vpcflow::ErrorKind;
  switch (kind) {
    case ErrorKind::kFormat: return "FormatError";
    case ErrorKind::kFilter: return "FilterError";
    case ErrorKind::kField:
    case ErrorKind::kMissingField: return "FieldError";
    case ErrorKind::kPlan: return "PlanError";
    case ErrorKind::kReject: return "ParseError";
    case ErrorKind::kSource:
    case ErrorKind::kCancelled: return "SourceError";
    case ErrorKind::kNotFound: return "SourceNotFoundError";
    case ErrorKind::kDamaged: return "DataLossError";
    case ErrorKind::kNoRecords: return "NoRecordsError";
    case ErrorKind::kState: return "StateError";
    case ErrorKind::kMemory: return "OutOfMemoryError";
    case ErrorKind::kSynth: return "SynthError";
  }
  return "VpcflowError";
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

void RaiseStatus(const absl::Status& status) {
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();
  const vpcflow::Error error = vpcflow::ErrorOf(status);
  const py::object raised = py::module_::import("vpcflow.errors").attr(ErrorClass(error.kind))(Text(Message(status)));
  raised.attr("kind") = Text(std::string(vpcflow::ErrorKindName(error.kind)));
  SetPlace(error.place, raised);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(raised.ptr())), raised.ptr());
  throw py::error_already_set();
}

void RaiseUnlessDamage(const absl::Status& status, const vpcflow::Report& report) {
  if (status.ok()) return;
  const vpcflow::ErrorKind kind = vpcflow::ErrorKindOf(status);
  const bool ended = kind == vpcflow::ErrorKind::kReject || kind == vpcflow::ErrorKind::kCancelled;
  if (ended || report.errors.empty()) RaiseStatus(status);
}

vpcflow::Format ParseFormat(const std::string& text) {
  vpcflow::Format format;
  vpcflow::FormatError error;
  if (!vpcflow::Format::Parse(text, &format, &error)) Raise("FormatError", error.message, {.position = error.offset});
  return format;
}

std::string Alternatives(const std::vector<std::string_view>& names) {
  constexpr size_t kFew = 4;
  const bool few = names.size() <= kFew;
  const std::string_view quote = few ? "'" : "";
  std::string out = few ? "" : "one of ";
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += few && i + 1 == names.size() ? " or " : ", ";
    out.append(quote).append(names[i]).append(quote);
  }
  return out;
}

vpcflow::ScanOptions ForRunning(vpcflow::ScanOptions options, const py::object& progress) {
  options.allow_empty = true;
  options.poll = [callback = progress.is_none() ? nullptr : progress.ptr()](const vpcflow::Progress& p) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) return false;
    if (callback == nullptr) return true;
    try {
      py::handle{callback}(p.bytes, p.total, p.sources, p.total_sources);
      return true;
    } catch (py::error_already_set& e) {
      e.restore();
      return false;
    }
  };
  return options;
}

}  // namespace vpcflow_python
