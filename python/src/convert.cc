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

vpcflow::ScanOptions OptionsFrom(const py::dict& options) {
  vpcflow::ScanOptions out;
  const auto get = [&](const char* key) { return options.contains(key) ? py::object(options[key]) : py::none(); };
  if (const py::object format = get("format"); !format.is_none()) out.format = ParseFormat(format.cast<std::string>());
  const std::string on_error = get("on_error").is_none() ? "skip" : get("on_error").cast<std::string>();
  out.on_error = on_error == "raise"  ? vpcflow::OnError::kStop
                 : on_error == "null" ? vpcflow::OnError::kNull
                                      : vpcflow::OnError::kSkip;
  if (!get("container").is_none()) {
    const auto name = get("container").cast<std::string>();
    const std::optional<vpcflow::Container> container = vpcflow::FindContainer(name);
    if (!container) {
      std::string names;
      for (const vpcflow::ContainerInfo& info : vpcflow::kContainers)
        names += (names.empty() ? "" : ", ") + std::string(info.name);
      Raise("PlanError", "container='" + vpcflow::ValidUtf8(name) + "': it is one of " + names);
    }
    out.container = *container;
  }
  if (!get("threads").is_none()) out.threads = ValueOf<int>(get("threads"), "threads");
  if (!get("duplicates").is_none() && get("duplicates").cast<std::string>() == "all")
    out.duplicates = vpcflow::Duplicates::kAll;
  if (!get("max_memory").is_none()) out.max_memory = ValueOf<size_t>(get("max_memory"), "max_memory");
  if (!get("max_output_bytes").is_none())
    out.max_output_bytes = ValueOf<uint64_t>(get("max_output_bytes"), "max_output_bytes");
  if (!get("notes").is_none()) out.notes = get("notes").cast<std::vector<std::string>>();
  if (!get("first_source").is_none()) out.first_source = get("first_source").cast<uint32_t>();
  if (!get("block_bytes").is_none()) out.block_bytes = get("block_bytes").cast<size_t>();
  out.allow_empty = true;  // Python raises by the report, which has the cause
  const PyObject* progress = get("progress").is_none() ? nullptr : get("progress").ptr();
  out.poll = [progress](const vpcflow::Progress& p) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) return false;
    if (progress == nullptr) return true;
    try {
      py::handle(const_cast<PyObject*>(progress))(p.bytes, p.total, p.sources, p.total_sources);
      return true;
    } catch (py::error_already_set& e) {
      e.restore();
      return false;
    }
  };
  return out;
}

py::dict ReportToDict(const vpcflow::Report& report) {
  const auto text = [](const std::string& s) { return py::str(vpcflow::ValidUtf8(s)); };
  py::dict out;
  out["sources"] = report.sources;
  out["duplicates"] = report.duplicates;
  out["text_bytes"] = report.text_bytes;
  out["lines"] = report.lines;
  out["headers"] = report.headers;
  out["blank_lines"] = report.blank_lines;
  out["records"] = report.records();
  out["ok"] = report.ok;
  out["nodata"] = report.nodata;
  out["skipdata"] = report.skipdata;
  out["matched"] = report.matched;
  out["in_time"] = report.asked ? report.in_time : report.records();
  const std::string no_records = report.NoRecords();
  out["no_records"] = no_records.empty() ? py::object(py::none()) : py::object(text(no_records));
  out["rejected"] = report.rejected();
  out["nulled_values"] = report.nulled_values;
  out["unspread"] = report.unspread;
  py::dict reasons;
  for (size_t i = 0; i < vpcflow::kErrcCount; ++i) {
    if (report.rejects_by_reason[i] > 0)
      reasons[py::str(std::string(vpcflow::ErrcName(static_cast<vpcflow::Errc>(i))))] = report.rejects_by_reason[i];
  }
  out["rejects_by_reason"] = reasons;
  py::list rejects;
  for (const vpcflow::Reject& reject : report.rejects) {
    py::dict r;
    r["file"] = text(reject.path);
    r["line"] = reject.line;
    r["byte_offset"] = reject.byte_offset;
    r["column"] = reject.column;
    r["field"] = reject.field.empty() ? py::object(py::none()) : py::object(text(reject.field));
    r["reason"] = std::string(vpcflow::ErrcName(reject.reason));
    r["message"] = std::string(vpcflow::ErrcMeaning(reject.reason));
    r["excerpt"] = text(reject.excerpt);
    rejects.append(r);
  }
  out["rejects"] = rejects;
  py::dict formats;
  for (const auto& [format, n] : report.formats) formats[text(format)] = n;
  out["formats"] = formats;
  py::list warnings, errors;
  for (const std::string& warning : report.warnings) warnings.append(text(warning));
  if (report.notes_left_out)
    warnings.append("there are more warnings or formats than " + std::to_string(vpcflow::Report::kMaxNotes) +
                    "; the others are not listed");
  for (const absl::Status& error : report.errors)
    errors.append(py::make_tuple(ErrorClass(vpcflow::ErrorKindOf(error)), text(Message(error)),
                                 text(vpcflow::ErrorOf(error).place.source)));
  out["warnings"] = warnings;
  out["errors"] = errors;
  return out;
}

}  // namespace vpcflow_python
