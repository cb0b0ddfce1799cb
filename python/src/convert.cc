#include "convert.h"

namespace vpcflow_python {

void Raise(const char* name, const std::string& message) {
  const py::object type = py::module_::import("vpcflow.errors").attr(name);
  // A message may have bytes of a hostile state or file.
  PyErr_SetObject(type.ptr(), py::str(vpcflow::ValidUtf8(message)).ptr());
  throw py::error_already_set();
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

void RaiseStatus(const absl::Status& status, const char* invalid) {
  if (PyErr_Occurred() != nullptr) throw py::error_already_set();  // set by a callback or a signal
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument: Raise(invalid, Message(status));
    case absl::StatusCode::kFailedPrecondition: Raise("FieldError", Message(status));
    case absl::StatusCode::kNotFound: Raise("SourceNotFoundError", Message(status));
    case absl::StatusCode::kDataLoss: Raise("DataLossError", Message(status));
    case absl::StatusCode::kResourceExhausted: Raise("OutOfMemoryError", Message(status));
    default: Raise("SourceError", Message(status));
  }
}

vpcflow::Format ParseFormat(const std::string& text) {
  vpcflow::Format format;
  vpcflow::FormatError error;
  if (!vpcflow::Format::Parse(text, &format, &error)) Raise("FormatError", error.message);
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
