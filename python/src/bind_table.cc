// Result tables.
#include "convert.h"

namespace vpcflow_python {
namespace {

using vpcflow::ColumnType;
using vpcflow::Table;
using vpcflow::TableColumn;

const char* TypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kInt32: return "int32";
    case ColumnType::kInt64: return "int64";
    case ColumnType::kTime: return "time";
    case ColumnType::kAddress: return "address";
    case ColumnType::kText: return "text";
    case ColumnType::kFloat64: return "float64";
    case ColumnType::kInt128: return "int128";
    case ColumnType::kBool: return "bool";
  }
  return "";
}

py::object Value(const TableColumn& column, size_t row) {
  if (column.is_null(row)) return py::none();
  switch (column.type) {
    case ColumnType::kInt32: return py::int_(column.i32[row]);
    case ColumnType::kBool: return py::bool_(column.i32[row] != 0);
    case ColumnType::kInt64: return py::int_(column.i64[row]);
    case ColumnType::kTime: return py::int_(column.i64[row] / vpcflow::kMicrosPerSecond);
    case ColumnType::kFloat64: return py::float_(column.f64[row]);
    case ColumnType::kInt128:
      return py::reinterpret_steal<py::object>(PyLong_FromString(column.ToText(row).c_str(), nullptr, 10));
    case ColumnType::kAddress:
    case ColumnType::kText: return py::str(vpcflow::ValidUtf8(column.ToText(row)));
  }
  return py::none();
}

void ReleaseStreamCapsule(PyObject* capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, "arrow_array_stream"));
  if (stream->release != nullptr) stream->release(stream);
  delete stream;
}

py::object StreamCapsule(const std::shared_ptr<Table>& table) {
  auto stream = std::make_unique<ArrowArrayStream>();
  {
    const py::gil_scoped_release release;
    vpcflow::ExportTable(table, stream.get());
  }
  return py::reinterpret_steal<py::object>(PyCapsule_New(stream.release(), "arrow_array_stream", ReleaseStreamCapsule));
}

// The stream that a capsule of Python's Arrow protocol holds.
ArrowArrayStream* StreamOf(const py::capsule& capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
  if (stream == nullptr) throw py::error_already_set();
  return stream;
}

// Names of the columns of an "arrow_schema" capsule.
std::vector<py::str> SchemaNames(const py::capsule& capsule) {
  const auto* schema = static_cast<const ArrowSchema*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_schema"));
  if (schema == nullptr) throw py::error_already_set();
  std::vector<py::str> out;
  for (int64_t c = 0; c < schema->n_children; ++c) {
    const char* name = schema->children[c]->name;
    out.emplace_back(vpcflow::ValidUtf8(name == nullptr ? "" : name));
  }
  return out;
}

// Returns the index of a column, or raises PlanError with the nearest name.
size_t ColumnIndex(const Table& table, const std::string& name) {
  if (const std::optional<size_t> index = table.Find(name)) return *index;
  std::vector<std::string> names;
  std::string all;
  for (const TableColumn& column : table.columns) {
    names.push_back(column.name);
    all += (all.empty() ? "" : ", ") + column.name;
  }
  const std::string nearest = vpcflow::Nearest(name, names);
  Raise("PlanError",
        "no column '" + name + "'; " + (nearest.empty() ? "there are " + all : "did you mean '" + nearest + "'?"),
        {.suggestion = nearest});
}

}  // namespace

void BindTable(py::module_& m) {
  py::class_<vpcflow::ArrowTexts>(m, "ArrowTexts")
      .def(py::init([](const py::capsule& capsule, const std::string& column) {
             return vpcflow::ArrowTexts(StreamOf(capsule), column);
           }),
           py::arg("stream"), py::arg("column"))
      .def("next", [](vpcflow::ArrowTexts& texts) -> std::optional<py::bytes> {
        std::string lines;
        absl::StatusOr<bool> more = false;
        {
          const py::gil_scoped_release release;
          more = texts.Next(&lines);
        }
        if (!more.ok()) RaiseStatus(more.status());
        return *more ? std::optional<py::bytes>(lines) : std::nullopt;
      });
  m.def("schema_names", &SchemaNames, py::arg("schema"));
  m.def(
      "diff",
      [](const Table& today, const Table& baseline, const std::vector<std::string>& keys) {
        absl::StatusOr<Table> out = absl::UnknownError("");
        {
          const py::gil_scoped_release release;
          out = vpcflow::DiffTables(today, baseline, keys);
        }
        if (!out.ok()) RaiseStatus(out.status());
        return std::make_shared<Table>(*std::move(out));
      },
      py::arg("today"), py::arg("baseline"), py::arg("keys"));
  py::class_<Table, std::shared_ptr<Table>>(m, "Table")
      .def("__len__", [](const Table& t) { return t.rows; })
      // Some columns under other names; with `only`, a column of truth values, its true rows.
      .def(
          "renamed",
          [](const Table& t, const std::vector<std::pair<std::string, std::string>>& names,
             const std::vector<std::string>& only) {
            auto out = std::make_shared<Table>();
            out->rows = t.rows;
            for (const auto& [from, to] : names) {
              out->columns.push_back(t.columns[ColumnIndex(t, from)]);
              out->columns.back().name = to;
            }
            std::vector<uint8_t> keep(t.rows, 1);
            for (const std::string& name : only) {
              const TableColumn& column = t.columns[ColumnIndex(t, name)];
              for (size_t row = 0; row < t.rows; ++row) {
                if (column.i32[row] != 1) keep[row] = 0;
              }
            }
            if (!only.empty()) vpcflow::KeepRows(keep, out.get());
            return out;
          },
          py::arg("names"), py::arg("only"))
      .def_property_readonly("schema",
                             [](const Table& t) {
                               std::vector<std::pair<std::string, const char*>> out;
                               for (const TableColumn& column : t.columns)
                                 out.emplace_back(column.name, TypeName(column.type));
                               return out;
                             })
      .def(
          "column",
          [](const Table& t, const std::string& name) {
            const TableColumn& column = t.columns[ColumnIndex(t, name)];
            py::list out;
            for (size_t row = 0; row < t.rows; ++row) out.append(Value(column, row));
            return out;
          },
          py::arg("name"))
      .def(
          "rows",
          [](const Table& t, size_t begin, size_t count) {
            py::list out;
            std::vector<py::str> names;
            for (const TableColumn& column : t.columns) names.emplace_back(column.name);
            for (size_t row = begin; row < t.rows && row - begin < count; ++row) {
              py::dict values;
              for (size_t c = 0; c < t.columns.size(); ++c) values[names[c]] = Value(t.columns[c], row);
              out.append(values);
            }
            return out;
          },
          py::arg("begin"), py::arg("count"))
      .def(
          "to_csv", [](const Table& t, bool header, bool safe) { return py::bytes(vpcflow::ToCsv(t, header, safe)); },
          py::arg("header"), py::arg("safe"))
      .def("to_json_lines", [](const Table& t) { return py::bytes(vpcflow::ToJsonLines(t)); })
      .def(
          "__arrow_c_stream__", [](const std::shared_ptr<Table>& t, const py::object&) { return StreamCapsule(t); },
          py::arg("requested_schema") = py::none());
}

}  // namespace vpcflow_python
