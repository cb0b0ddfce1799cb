// Events of other sources: their rows, and their documents.
#include <utility>

#include "convert.h"
#include "vpcflow/events/event_reader.h"

namespace vpcflow_python {
namespace {

using vpcflow::DocumentReader;
using vpcflow::EventMap;
using vpcflow::EventReader;
using vpcflow::EventReport;
using vpcflow::Table;

EventReader MakeReader(std::vector<vpcflow::Source> sources, const std::string& source,
                       vpcflow::EventSelection chosen) {
  absl::StatusOr<EventReader> reader = EventReader::Of(std::move(sources), source, std::move(chosen));
  if (!reader.ok()) RaiseStatus(reader.status());
  return *std::move(reader);
}

using Wanted = std::pair<std::string, std::vector<std::string>>;  // a kind of documents, and members that they have

std::shared_ptr<EventReader> ReaderOfFiles(const std::vector<std::string>& paths, const std::string& source,
                                           std::vector<std::string> kinds, std::vector<std::string> entities,
                                           const std::vector<Wanted>& documents) {
  std::vector<vpcflow::Source> sources;
  for (const std::string& path : paths) sources.push_back(vpcflow::Source::File(path));
  vpcflow::EventSelection chosen{std::move(kinds), std::move(entities), {}};
  for (const auto& [kind, with] : documents) chosen.documents.push_back({kind, with});
  return std::make_shared<EventReader>(MakeReader(std::move(sources), source, std::move(chosen)));
}

// The rows of bytes that are in memory.
std::shared_ptr<Table> RowsOf(const py::bytes& bytes, const std::string& source, const std::vector<Wanted>& documents) {
  vpcflow::EventSelection chosen;
  for (const auto& [kind, with] : documents) chosen.documents.push_back({kind, with});
  EventReader reader =
      MakeReader({vpcflow::Source::Bytes("document", std::string_view(bytes))}, source, std::move(chosen));
  auto table = std::make_shared<Table>();
  const absl::StatusOr<bool> more = reader.Next(table.get(), std::numeric_limits<size_t>::max());
  if (!more.ok()) RaiseStatus(more.status());
  return table;
}

std::shared_ptr<Table> NextRows(EventReader& reader, size_t rows) {
  auto table = std::make_shared<Table>();
  absl::StatusOr<bool> more = false;
  {
    const py::gil_scoped_release release;
    more = reader.Next(table.get(), rows);
  }
  if (!more.ok()) RaiseStatus(more.status());
  return *more ? table : nullptr;
}

py::dict ReportOf(const EventReader& reader) {
  const EventReport& report = reader.report();
  py::dict out, kinds, others;
  for (const auto& [kind, count] : report.kinds) kinds[py::str(vpcflow::ValidUtf8(kind))] = count;
  for (const auto& [name, count] : report.others) others[py::str(vpcflow::ValidUtf8(name))] = count;
  py::list damage;
  for (const std::string& line : report.damage) damage.append(vpcflow::ValidUtf8(line));
  out["files"] = report.files;
  out["documents"] = report.documents;
  out["events"] = report.events;
  out["other"] = report.other;
  out["others"] = others;
  out["first"] = report.first;
  out["last"] = report.last;
  out["kinds"] = kinds;
  out["damage"] = damage;
  return out;
}

py::object NextDocuments(DocumentReader& reader, size_t count) {
  std::vector<vpcflow::PlacedDocument> documents;
  absl::StatusOr<bool> more = false;
  {
    const py::gil_scoped_release release;
    more = reader.Next(&documents, count);
  }
  if (!more.ok()) RaiseStatus(more.status());
  if (!*more) return py::none();
  py::list out;
  for (const vpcflow::PlacedDocument& one : documents)
    out.append(py::make_tuple(one.byte, one.number, py::bytes(one.text)));
  return out;
}

void ReleaseStreamCapsule(PyObject* capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, "arrow_array_stream"));
  if (stream->release != nullptr) stream->release(stream);
  delete stream;
}

py::object StreamOf(const std::shared_ptr<EventReader>& reader, const py::object& /*requested_schema*/) {
  auto stream = std::make_unique<ArrowArrayStream>();
  vpcflow::ExportEvents(reader, stream.get());
  return py::reinterpret_steal<py::object>(PyCapsule_New(stream.release(), "arrow_array_stream", ReleaseStreamCapsule));
}

}  // namespace

void BindEventReader(py::module_& m) {
  py::class_<EventReader, std::shared_ptr<EventReader>>(m, "EventReader")
      .def(py::init(&ReaderOfFiles), py::arg("paths"), py::arg("source"), py::arg("kinds"), py::arg("entities"),
           py::arg("documents"))
      .def("next", &NextRows, py::arg("rows"))
      .def_property_readonly("report", &ReportOf)
      .def("__arrow_c_stream__", &StreamOf, py::arg("requested_schema") = py::none());
  py::class_<DocumentReader>(m, "DocumentReader")
      .def(py::init([](const std::string& path) { return DocumentReader(vpcflow::Source::File(path)); }),
           py::arg("path"))
      .def("next", &NextDocuments, py::arg("count"))
      .def_property_readonly("damage", [](const DocumentReader& reader) {
        std::vector<std::string> out;
        for (const std::string& line : reader.damage()) out.push_back(vpcflow::ValidUtf8(line));
        return out;
      });
  m.def("event_rows", &RowsOf, py::arg("document"), py::arg("source"), py::arg("documents") = std::vector<Wanted>());
  m.def("event_sources", &vpcflow::EventSources);
  m.def(
      "event_severities",
      [](const std::string& source) {
        std::vector<std::string> out;
        const EventMap* map = vpcflow::FindEventMap(source);
        if (map == nullptr) Raise("PlanError", "no map of events '" + vpcflow::ValidUtf8(source) + "'");
        for (const vpcflow::EventSeverity& severity : map->severities) {
          if (!severity.level.empty()) out.insert(out.end(), severity.kinds.begin(), severity.kinds.end());
        }
        return out;
      },
      py::arg("source"));
}

}  // namespace vpcflow_python
