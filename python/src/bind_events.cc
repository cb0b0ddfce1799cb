// Events of the schemas of SIEMs and lakes.
#include "convert.h"
#include "vpcflow/export/events.h"

namespace vpcflow_python {
namespace {

using vpcflow::EventRow;
using vpcflow::EventSchema;
using vpcflow::EventValue;
using vpcflow::EventWriter;

constexpr std::string_view kValueNames[] = {"natural",  "text",       "millis", "seconds", "rfc3339",
                                            "nanos",    "word",       "number", "list",    "protocol",
                                            "PROTOCOL", "observable", "null",   "rest",    "rest-texts"};

py::list Words(const vpcflow::EventTranslation* words) {
  py::list out;
  for (const auto& [from, to] : words == nullptr ? vpcflow::EventTranslation{} : *words) {
    if (to.empty()) break;
    out.append(py::make_tuple(from, to));
  }
  return out;
}

py::dict RowOf(const EventRow& row) {
  py::dict out;
  out["pointer"] = row.pointer;
  out["reads"] = row.reads;
  out["writes"] = row.writes;
  out["as"] = kValueNames[static_cast<size_t>(row.as)];
  out["constant"] = row.constant;
  out["words"] = Words(row.words);
  out["written"] = Words(row.written);
  return out;
}

// An EventWriter; Python calls it from one thread at a time.
class PyEventWriter {
 public:
  PyEventWriter(const std::string& schema, const std::string& version, bool maps)
      : writer_(Make(schema, version, maps)) {}

  // The lines of rows of a table, and the ids of their events.
  py::tuple Write(const vpcflow::Table& table, size_t begin, size_t count) {
    const std::string_view lines = Lines(table, begin, count);
    return py::make_tuple(py::bytes(lines.data(), lines.size()), writer_.Ids());
  }

  // The lines alone, and how many there are; valid until the next call.
  py::tuple Borrow(const vpcflow::Table& table, size_t begin, size_t count) {
    const std::string_view lines = Lines(table, begin, count);
    return py::make_tuple(py::memoryview::from_memory(lines.data(), static_cast<py::ssize_t>(lines.size())),
                          std::min(count, table.rows - std::min(begin, table.rows)));
  }

  // The ids, the values of members, and the elements of arrays.
  py::tuple Columns(const vpcflow::Table& table, size_t begin, size_t count) {
    absl::StatusOr<vpcflow::EventTables> tables = vpcflow::EventTables();
    {
      const py::gil_scoped_release release;
      tables = writer_.Columns(table, begin, count);
    }
    if (!tables.ok()) RaiseStatus(tables.status());
    py::dict elements;
    for (auto& [pointer, of] : tables->elements)
      elements[py::str(pointer)] = std::make_shared<vpcflow::Table>(std::move(of));
    return py::make_tuple(writer_.Ids(), std::make_shared<vpcflow::Table>(std::move(tables->values)), elements);
  }

 private:
  static EventWriter Make(const std::string& schema, const std::string& version, bool maps) {
    absl::StatusOr<EventWriter> writer = EventWriter::Make({.schema = schema, .version = version, .maps = maps});
    if (!writer.ok()) RaiseStatus(writer.status());
    return *std::move(writer);
  }

  std::string_view Lines(const vpcflow::Table& table, size_t begin, size_t count) {
    absl::StatusOr<std::string_view> lines = std::string_view();
    {
      const py::gil_scoped_release release;
      lines = writer_.Write(table, begin, count);
    }
    if (!lines.ok()) RaiseStatus(lines.status());
    return *lines;
  }

  EventWriter writer_;
};

}  // namespace

void BindEvents(py::module_& m) {
  py::class_<PyEventWriter>(m, "EventWriter")
      .def(py::init<const std::string&, const std::string&, bool>(), py::arg("schema"), py::arg("version"),
           py::arg("maps"))
      .def("write", &PyEventWriter::Write, py::arg("table"), py::arg("begin"), py::arg("count"))
      .def("columns", &PyEventWriter::Columns, py::arg("table"), py::arg("begin"), py::arg("count"))
      .def("borrow", &PyEventWriter::Borrow, py::arg("table"), py::arg("begin"), py::arg("count"));
  m.def("event_schemas", [] {
    py::list out;
    for (const EventSchema& schema : vpcflow::EventSchemas()) {
      py::dict one;
      one["name"] = schema.name;
      one["meaning"] = schema.meaning;
      one["versions"] = std::vector<std::string_view>(schema.versions.begin(), schema.versions.end());
      one["own"] = schema.own;
      py::list rows;
      for (const EventRow& row : schema.rows) rows.append(RowOf(row));
      one["rows"] = rows;
      out.append(one);
    }
    return out;
  });
}

}  // namespace vpcflow_python
