// Sources: files, bytes, and what Python reads.
#include <cstring>
#include <optional>
#include <utility>

#include "convert.h"

namespace vpcflow_python {
namespace {

using vpcflow::Source;

// Python objects that C++ threads hold: dropped with the GIL held.
std::shared_ptr<py::object> Share(py::object object) {
  return {new py::object(std::move(object)), [](py::object* o) {
            const py::gil_scoped_acquire gil;
            delete o;
          }};
}

// Calls read(size) of Python: bytes, or None as long as there is nothing, which is when `cancelled` is asked.
absl::StatusOr<size_t> ReadFrom(const std::string& name, const py::object& read, char* buffer, size_t size,
                                const Source::Cancelled& cancelled) {
  while (true) {
    {
      const py::gil_scoped_acquire gil;
      try {
        const py::object chunk = read(size);
        if (!chunk.is_none()) {
          const std::string_view data = chunk.cast<py::bytes>();
          if (data.size() > size) return absl::InternalError(name + ": read() returned more than it was asked for");
          std::memcpy(buffer, data.data(), data.size());
          return data.size();
        }
      } catch (py::error_already_set& e) {
        if (e.matches(PyExc_KeyboardInterrupt)) {  // only in the main thread, whose scan it ends
          e.restore();
          return absl::CancelledError(name + ": interrupted");
        }
        if (e.matches(py::module_::import("vpcflow.errors").attr("VpcflowError")))
          return absl::UnavailableError(vpcflow::ValidUtf8(py::str(e.value()).cast<std::string>()));
        return absl::UnavailableError(name + ": " + py::repr(e.value()).cast<std::string>());  // never surrogates
      } catch (py::cast_error&) {
        return absl::UnavailableError(name + ": read() must return bytes");
      }
    }
    if (cancelled()) return absl::CancelledError(name + ": cancelled");
  }
}

// Reads a file-like object, once: read(size) -> bytes | None.
Source FromReader(const std::string& name, py::object read) {
  return Source::Stream(
      name, [name, shared = Share(std::move(read))](char* buffer, size_t size, const Source::Cancelled& cancelled) {
        return ReadFrom(name, *shared, buffer, size, cancelled);
      });
}

class PythonStream final : public vpcflow::ByteStream {
 public:
  PythonStream(std::string name, std::shared_ptr<py::object> read, Source::Cancelled cancelled)
      : name_(std::move(name)), read_(std::move(read)), cancelled_(std::move(cancelled)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    return ReadFrom(name_, *read_, buffer, size, cancelled_);
  }

 private:
  std::string name_;
  std::shared_ptr<py::object> read_;
  Source::Cancelled cancelled_;
};

// Reads something from its beginning each time: open() -> read.
Source FromOpener(const std::string& name, py::object open) {
  return Source::Reopened(name,
                          [name, shared = Share(std::move(open))](const Source::Cancelled& cancelled)
                              -> absl::StatusOr<std::unique_ptr<vpcflow::ByteStream>> {
                            const py::gil_scoped_acquire gil;
                            try {
                              return std::make_unique<PythonStream>(name, Share((*shared)()), cancelled);
                            } catch (py::error_already_set& e) {
                              return absl::UnavailableError(name + ": " + py::repr(e.value()).cast<std::string>());
                            }
                          });
}

// The kind of table that a file is, by its first 16 bytes.
std::optional<std::string> TableFormatOf(std::string_view begin) {
  if (begin.starts_with("PAR1")) return "Parquet";
  if (begin.starts_with(std::string_view("ARROW1\0\0", 8))) return "Arrow IPC file";
  if (begin.starts_with("FEA1")) return "Feather 1";
  // A stream begins with a continuation mark, the length of its schema, and in it the place of the root table.
  constexpr uint32_t kMaxSchemaBytes = 256u << 20;
  uint32_t words[3];
  if (begin.size() < sizeof words) return std::nullopt;
  std::memcpy(words, begin.data(), sizeof words);
  const bool stream = words[0] == 0xFFFFFFFF && words[1] % 8 == 0 && words[1] >= 16 && words[1] <= kMaxSchemaBytes &&
                      words[2] % 4 == 0 && words[2] < words[1];
  return stream ? std::optional<std::string>("Arrow IPC stream") : std::nullopt;
}

}  // namespace

std::vector<Source> SourcesOf(const std::vector<std::shared_ptr<PySource>>& sources) {
  std::vector<Source> out;
  for (const auto& s : sources) out.push_back(s->source);
  return out;
}

vpcflow::ArrowStreams StreamsOf(const py::iterator& iterator) {
  struct State {
    py::iterator at;
    py::object current;  // kept until the next one
  };
  // Touched and dropped with the GIL held only.
  const std::shared_ptr<State> state(new State{iterator, {}}, [](State* s) {
    const py::gil_scoped_acquire gil;
    delete s;
  });
  return [state]() -> absl::StatusOr<vpcflow::NamedArrowStream> {
    const py::gil_scoped_acquire gil;
    try {
      state->current = py::reinterpret_steal<py::object>(PyIter_Next(state->at.ptr()));
      if (!state->current) {
        if (PyErr_Occurred() != nullptr) throw py::error_already_set();
        return vpcflow::NamedArrowStream{};
      }
      const auto [name, capsule, whole] = state->current.cast<std::tuple<std::string, py::object, bool>>();
      if (py::isinstance<py::str>(capsule))  // why it cannot be opened
        return vpcflow::NamedArrowStream{nullptr, name, absl::UnavailableError(capsule.cast<std::string>()), whole};
      auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
      if (stream == nullptr) throw py::error_already_set();
      return vpcflow::NamedArrowStream{stream, name, {}, whole};
    } catch (py::error_already_set& e) {
      e.restore();
      return absl::UnavailableError("the next Arrow stream could not be had");
    }
  };
}

void BindSource(py::module_& m) {
  py::class_<PySource, std::shared_ptr<PySource>>(m, "Source")
      .def_static(
          "data",
          [](const std::string& name, const py::bytes& data) {
            return PySource{Source::Bytes(name, std::string_view(data)), Share(data)};
          },
          py::arg("name"), py::arg("data"))
      .def_static(
          "reader",
          [](const std::string& name, py::object read) {
            return PySource{FromReader(name, std::move(read)), nullptr};
          },
          py::arg("name"), py::arg("read"))
      .def_static(
          "reopened",
          [](const std::string& name, py::object open) {
            return PySource{FromOpener(name, std::move(open)), nullptr};
          },
          py::arg("name"), py::arg("open"))
      .def_static(
          "expand",
          [](const std::string& path) {
            std::vector<std::string> notes;
            absl::StatusOr<std::vector<Source>> sources = std::vector<Source>();
            {
              const py::gil_scoped_release release;
              sources = Source::Expand(path, &notes);
            }
            if (!sources.ok()) RaiseStatus(vpcflow::WithSource(sources.status(), path));
            std::vector<std::shared_ptr<PySource>> out;
            for (Source& s : *sources) out.push_back(std::make_shared<PySource>(PySource{std::move(s), nullptr}));
            for (std::string& note : notes) note = vpcflow::ValidUtf8(note);
            return std::make_pair(out, notes);
          },
          py::arg("path"))
      .def_static(
          "select",
          [](const std::vector<std::shared_ptr<PySource>>& sources, std::optional<int64_t> start,
             std::optional<int64_t> end, std::vector<std::string> accounts, std::vector<std::string> regions) {
            const vpcflow::ObjectSelection selection{start, end, std::move(accounts), std::move(regions)};
            std::vector<std::shared_ptr<PySource>> out;
            for (const auto& s : sources) {
              if (vpcflow::MayHold(vpcflow::ParseObjectPath(s->source.name()), selection)) out.push_back(s);
            }
            return out;
          },
          py::arg("sources"), py::arg("start"), py::arg("end"), py::arg("accounts"), py::arg("regions"))
      .def_static(
          "duplicates",
          [](const std::vector<std::shared_ptr<PySource>>& sources) {
            const std::vector<Source> native = SourcesOf(sources);
            std::vector<size_t> same_as;
            {
              const py::gil_scoped_release release;
              same_as = vpcflow::FindDuplicates(native);
            }
            std::vector<std::optional<size_t>> out;
            for (const size_t i : same_as)
              out.push_back(i == vpcflow::kNoDuplicate ? std::nullopt : std::optional<size_t>(i));
            return out;
          },
          py::arg("sources"))
      .def_property_readonly("object_path",
                             [](const PySource& s) {
                               const vpcflow::ObjectPath path = vpcflow::ParseObjectPath(s.source.name());
                               const auto text = [](const std::string& value) {
                                 return value.empty() ? py::object(py::none()) : py::str(vpcflow::ValidUtf8(value));
                               };
                               py::dict out;
                               out["account"] = text(path.account);
                               out["region"] = text(path.region);
                               out["flow_log_id"] = text(path.flow_log_id);
                               out["begin"] = path.begin;
                               out["end"] = path.end;
                               return out;
                             })
      .def("memory",
           [](const PySource& s) -> py::object { return s.owner == nullptr ? py::object(py::none()) : *s.owner; })
      .def_property_readonly("is_path", [](const PySource& s) { return s.source.is_file(); })
      // What it is by its first bytes: "Parquet", "Arrow IPC file", "Arrow IPC stream", "Feather 1", or None.
      .def_property_readonly("table_format",
                             [](const PySource& s) -> std::optional<std::string> {
                               if (s.source.size() == 0 || (!s.source.is_file() && !s.source.in_memory()))
                                 return std::nullopt;
                               absl::StatusOr<std::unique_ptr<vpcflow::ByteStream>> stream = s.source.Open(nullptr);
                               if (!stream.ok()) return std::nullopt;
                               char begin[16];
                               const absl::StatusOr<size_t> n = (*stream)->Read(begin, sizeof begin);
                               if (!n.ok()) return std::nullopt;
                               return TableFormatOf({begin, *n});
                             })
      .def_property_readonly("name", [](const PySource& s) { return py::str(vpcflow::ValidUtf8(s.source.name())); })
      .def(
          "peek_formats",
          [](const PySource& s, const py::dict& options_dict) {
            const vpcflow::ScanOptions options = OptionsFrom(options_dict);
            absl::StatusOr<std::vector<vpcflow::Format>> formats = std::vector<vpcflow::Format>();
            {
              const py::gil_scoped_release release;
              formats = vpcflow::PeekFormats(s.source, options);
            }
            if (!formats.ok()) RaiseStatus(formats.status());
            std::vector<std::string> texts;
            for (const vpcflow::Format& format : *formats) texts.push_back(format.ToString());
            return texts;
          },
          py::arg("options"));
  m.def("table_format", &TableFormatOf, py::arg("begin"));
}

}  // namespace vpcflow_python
