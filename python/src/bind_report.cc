// Reports of what was read.
#include "members.h"

namespace vpcflow_python {
namespace {

using vpcflow::Reject;
using vpcflow::Report;

// None for an empty text.
py::object OrNone(const std::string& text) { return text.empty() ? py::object(py::none()) : ToPython(text); }

py::dict ByReason(const Report& report) {
  py::dict out;
  for (size_t i = 0; i < vpcflow::kErrcCount; ++i) {
    const std::string name(vpcflow::ErrcName(static_cast<vpcflow::Errc>(i)));
    if (report.rejects_by_reason[i] > 0) out[py::str(name)] = report.rejects_by_reason[i];
  }
  return out;
}

py::object Warnings(const Report& report) {
  py::list out = ToPython(report.warnings);
  if (report.notes_left_out)
    out.append("there are more warnings or formats than " + std::to_string(Report::kMaxNotes) +
               "; the others are not listed");
  return out;
}

void BindReject(py::module_& m) {
  py::class_<Reject> bound = BindStruct(
      m, "Reject", "reject: ", Member{"source", &Reject::source}, Member{"file", &Reject::path},
      Member{"line", &Reject::line}, Member{"byte_offset", &Reject::byte_offset}, Member{"column", &Reject::column},
      Member{"field", &Reject::field}, Member{"reason", &Reject::reason}, Member{"excerpt", &Reject::excerpt});
  bound.attr("__doc__") = "A line that is no record, or a value that is none.";
  bound.def_property_readonly(
      "file", [](const Reject& r) { return ToPython(r.path); }, "The name of the source.");
  bound.def_readonly("line", &Reject::line, "The line, from 1; in a container where its document begins.");
  bound.def_readonly("byte_offset", &Reject::byte_offset, "The byte of the unpacked text where the line begins.");
  bound.def_readonly("column", &Reject::column, "The byte in the line where the trouble is, from 1.");
  bound.def_property_readonly(
      "field", [](const Reject& r) { return OrNone(r.field); }, "AWS's name; None if it is about the whole line.");
  bound.def_readonly("reason", &Reject::reason, "A reason of vpcflow.reject_reasons().");
  bound.def_property_readonly(
      "message", [](const Reject& r) { return vpcflow::ErrcMeaning(r.reason); }, "The meaning of the reason.");
  bound.def_property_readonly(
      "excerpt", [](const Reject& r) { return ToPython(r.excerpt); }, "The line, at most 200 bytes of it.");
  bound.def("__str__", [](const Reject& r) { return ToPython(r.ToString()); });
  BindItems(bound, {"file", "line", "byte_offset", "column", "field", "reason", "message", "excerpt"});
}

}  // namespace

void BindReport(py::module_& m) {
  BindReject(m);
  py::class_<Report> bound = BindStruct(
      m, "Report", "report: ", Member{"sources", &Report::sources}, Member{"names", &Report::names},
      Member{"duplicates", &Report::duplicates}, Member{"text_bytes", &Report::text_bytes},
      Member{"lines", &Report::lines}, Member{"headers", &Report::headers}, Member{"blank_lines", &Report::blank_lines},
      Member{"ok", &Report::ok}, Member{"nodata", &Report::nodata}, Member{"skipdata", &Report::skipdata},
      Member{"matched", &Report::matched}, Member{"asked", &Report::asked}, Member{"in_time", &Report::in_time},
      Member{"first_start", &Report::first_start}, Member{"last_start", &Report::last_start},
      Member{"nulled_values", &Report::nulled_values}, Member{"unspread", &Report::unspread},
      Member{"rejects_by_reason", &Report::rejects_by_reason}, Member{"rejects", &Report::rejects},
      Member{"formats", &Report::formats}, Member{"shown", &Report::shown}, Member{"warnings", &Report::warnings},
      Member{"notes_left_out", &Report::notes_left_out}, Member{"one_direction", &Report::one_direction},
      Member{"errors", &Report::errors});
  bound.def(py::init<const Report&>(), py::arg("other"));
  std::vector<std::string> names;
  const auto add = [&](const char* name, const auto& get) {
    bound.def_property_readonly(name, get);
    names.push_back(name);
  };
  const auto add_count = [&](const char* name, uint64_t Report::*at) {
    add(name, [at](const Report& r) { return r.*at; });
  };
  add_count("sources", &Report::sources);
  add_count("duplicates", &Report::duplicates);
  add_count("text_bytes", &Report::text_bytes);
  add_count("lines", &Report::lines);
  add_count("headers", &Report::headers);
  add_count("blank_lines", &Report::blank_lines);
  add("records", [](const Report& r) { return r.records(); });
  add_count("ok", &Report::ok);
  add_count("nodata", &Report::nodata);
  add_count("skipdata", &Report::skipdata);
  add_count("matched", &Report::matched);
  add("in_time", [](const Report& r) { return r.asked ? r.in_time : r.records(); });
  add("no_records", [](const Report& r) { return r.sources == 0 ? py::none() : OrNone(r.NoRecords()); });
  add("rejected", [](const Report& r) { return r.rejected(); });
  add_count("nulled_values", &Report::nulled_values);
  add_count("unspread", &Report::unspread);
  add("rejects_by_reason", &ByReason);
  add("rejects", [](const Report& r) { return r.rejects; });
  add("formats", [](const Report& r) { return ToPython(r.formats); });
  add("shown", [](const Report& r) { return ToPython(r.shown); });
  add("warnings", &Warnings);
  add("one_direction", [](const Report& r) { return OrNone(r.one_direction); });
  add("errors", [](const Report& r) { return r.errors; });
  BindItems(bound, names);
  // One report for two parts of an input; `unspread` is of an aggregation as a whole.
  m.def(
      "merge_reports",
      [](Report a, Report b) {
        const uint64_t unspread = std::max(a.unspread, b.unspread);
        a.Merge(std::move(b));
        a.unspread = unspread;
        return a;
      },
      py::arg("a"), py::arg("b"));
}

}  // namespace vpcflow_python
