// Result tables.
#include <array>
#include <cstring>
#include <unordered_map>

#include "absl/container/flat_hash_map.h"
#include "convert.h"

namespace vpcflow_python {

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

namespace {

constexpr std::array kTypes = {ColumnType::kInt32, ColumnType::kInt64,   ColumnType::kTime,   ColumnType::kAddress,
                               ColumnType::kText,  ColumnType::kFloat64, ColumnType::kInt128, ColumnType::kBool};

bool HasDictionary(ColumnType type) { return type == ColumnType::kAddress || type == ColumnType::kText; }

// Calls `use` with the numbers of a column; of addresses and texts with those of their values in the dictionary.
template <class Column, class Use>
auto WithNumbers(Column& column, const Use& use) {
  switch (column.type) {
    case ColumnType::kInt64:
    case ColumnType::kTime: return use(column.i64);
    case ColumnType::kFloat64: return use(column.f64);
    case ColumnType::kInt128: return use(column.i128);
    default: return use(column.i32);
  }
}

// Copies rows begin, begin + step, ...; dictionaries hold the values of these rows alone.
std::shared_ptr<Table> Part(const Table& t, int64_t begin, size_t count, int64_t step) {
  const auto in_table = [&](int64_t row) { return row >= 0 && static_cast<size_t>(row) < t.rows; };
  if (count > t.rows || (count > 0 && !(in_table(begin) && in_table(begin + static_cast<int64_t>(count - 1) * step))))
    throw py::index_error("rows outside of the table");
  auto out = std::make_shared<Table>();
  out->rows = count;
  for (const TableColumn& column : t.columns) {
    TableColumn& own = out->columns.emplace_back();
    own.name = column.name;
    own.type = column.type;
    own.no_nulls = column.no_nulls;
    WithNumbers(column, [&](const auto& from) {
      WithNumbers(own, [&](auto& to) {
        if constexpr (std::is_same_v<std::decay_t<decltype(from)>, std::decay_t<decltype(to)>>) {
          for (size_t i = 0; i < count; ++i)
            to.push_back(from[static_cast<size_t>(begin + static_cast<int64_t>(i) * step)]);
        }
      });
    });
    if (!HasDictionary(column.type)) continue;
    absl::flat_hash_map<int32_t, int32_t> codes;
    for (int32_t& code : own.i32) {
      if (code == vpcflow::kNullCode) continue;
      const auto [at, is_new] = codes.try_emplace(code, static_cast<int32_t>(codes.size()));
      if (is_new && column.type == ColumnType::kAddress) own.addresses.push_back(column.addresses[code]);
      if (is_new && column.type == ColumnType::kText) own.texts.push_back(column.texts[code]);
      code = at->second;
    }
  }
  return out;
}

bool SameValue(const TableColumn& a, const TableColumn& b, size_t row) {
  if (a.is_null(row) || b.is_null(row)) return a.is_null(row) && b.is_null(row);
  if (a.type == ColumnType::kAddress) return a.addresses[a.i32[row]] == b.addresses[b.i32[row]];
  if (a.type == ColumnType::kText) return a.texts[a.i32[row]] == b.texts[b.i32[row]];
  if (a.type == ColumnType::kInt128) return a.i128[row] == b.i128[row];
  if (a.type == ColumnType::kFloat64) return a.f64[row] == b.f64[row];
  return a.type == ColumnType::kInt64 || a.type == ColumnType::kTime ? a.i64[row] == b.i64[row]
                                                                     : a.i32[row] == b.i32[row];
}

// Whether two tables have the same columns, by name and type, with the same values.
bool Same(const Table& a, const Table& b) {
  if (a.rows != b.rows || a.columns.size() != b.columns.size()) return false;
  for (size_t c = 0; c < a.columns.size(); ++c) {
    const TableColumn &one = a.columns[c], &other = b.columns[c];
    if (one.name != other.name || one.type != other.type) return false;
    for (size_t row = 0; row < a.rows; ++row) {
      if (!SameValue(one, other, row)) return false;
    }
  }
  return true;
}

// A column in Python: name, type, its numbers as bytes, and the values of its dictionary as bytes: of texts one each, of
// addresses all in one, as they lie in memory.
using ColumnState = std::tuple<std::string, std::string, py::bytes, std::vector<py::bytes>>;

ColumnState StateOf(const TableColumn& column) {
  std::vector<py::bytes> dictionary;
  if (column.type == ColumnType::kAddress) {
    const std::vector<vpcflow::Ip>& ips = column.addresses;
    dictionary.emplace_back(reinterpret_cast<const char*>(ips.data()), ips.size() * sizeof(vpcflow::Ip));
  }
  for (const std::string& text : column.texts) dictionary.emplace_back(text);
  py::bytes numbers = WithNumbers(column, [](const auto& values) {
    return py::bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  });
  return {column.name, TypeName(column.type), std::move(numbers), std::move(dictionary)};
}

// The column of a state; ValueError if it does not fit together.
TableColumn ColumnOf(const ColumnState& state, size_t rows) {
  const std::string &name = std::get<0>(state), &type = std::get<1>(state);
  const std::vector<py::bytes>& dictionary = std::get<3>(state);
  TableColumn out;
  out.name = name;
  const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](ColumnType t) { return TypeName(t) == type; });
  if (known == kTypes.end()) throw py::value_error("unknown column type " + type);
  out.type = *known;
  const std::string_view bytes = std::get<2>(state);
  WithNumbers(out, [&](auto& values) {
    if (bytes.size() != rows * sizeof(values[0]))
      throw py::value_error("column " + name + ": not as long as the table");
    if (rows > 0) std::memcpy(values.Extend(rows), bytes.data(), bytes.size());
  });
  for (const std::string_view value : dictionary) {
    if (out.type == ColumnType::kText) {
      out.texts.emplace_back(value);
    } else {
      if (value.size() % sizeof(vpcflow::Ip) != 0) throw py::value_error("column " + name + ": not an address");
      const size_t before = out.addresses.size();
      out.addresses.resize(before + value.size() / sizeof(vpcflow::Ip));
      if (!value.empty()) std::memcpy(&out.addresses[before], value.data(), value.size());
    }
  }
  if (HasDictionary(out.type)) {
    const auto values = static_cast<int64_t>(out.addresses.size() + out.texts.size());
    for (const int32_t code : out.i32) {
      if (code < vpcflow::kNullCode || code >= values)
        throw py::value_error("column " + name + ": a number outside of its dictionary");
    }
  }
  return out;
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
      .def(py::init([](size_t rows, const std::vector<ColumnState>& columns) {
             auto out = std::make_shared<Table>();
             out->rows = rows;
             for (const ColumnState& column : columns) out->columns.push_back(ColumnOf(column, rows));
             return out;
           }),
           py::arg("rows"), py::arg("columns"))
      .def("__reduce__",
           [](const Table& t) {
             std::vector<ColumnState> columns;
             for (const TableColumn& column : t.columns) columns.push_back(StateOf(column));
             return py::make_tuple(py::type::of<Table>(), py::make_tuple(t.rows, columns));
           })
      .def("part", &Part, py::arg("begin"), py::arg("count"), py::arg("step"))
      .def("same", &Same, py::arg("other"), py::call_guard<py::gil_scoped_release>())
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
      // With a column more, of texts.
      .def(
          "with_texts",
          [](const Table& t, const std::string& name, const std::vector<std::optional<std::string>>& texts) {
            auto out = std::make_shared<Table>(t);
            TableColumn& column = out->columns.emplace_back();
            column.name = name;
            column.type = ColumnType::kText;
            std::unordered_map<std::string, int32_t> codes;
            for (const std::optional<std::string>& text : texts) {
              if (!text) {
                column.i32.push_back(vpcflow::kNullCode);
                continue;
              }
              const auto [at, is_new] = codes.emplace(*text, static_cast<int32_t>(codes.size()));
              if (is_new) column.texts.push_back(*text);
              column.i32.push_back(at->second);
            }
            if (texts.size() != t.rows) throw py::value_error("with_texts: expected a text for each row");
            return out;
          },
          py::arg("name"), py::arg("texts"))
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
      .def("to_log_lines", [](const Table& t) { return py::bytes(vpcflow::ToLogLines(t)); })
      .def("to_json_lines", [](const Table& t) { return py::bytes(vpcflow::ToJsonLines(t)); })
      .def(
          "__arrow_c_stream__", [](const std::shared_ptr<Table>& t, const py::object&) { return StreamCapsule(t); },
          py::arg("requested_schema") = py::none());
}

}  // namespace vpcflow_python
