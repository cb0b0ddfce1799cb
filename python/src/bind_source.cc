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

// The status for what code of Python raised. With the GIL.
absl::Status StatusOf(py::error_already_set* error, const std::string& name) {
  if (error->matches(PyExc_KeyboardInterrupt)) {  // only in the main thread, whose scan it ends
    error->restore();
    return absl::CancelledError(name + ": interrupted");
  }
  if (error->matches(py::module_::import("vpcflow.errors").attr("VpcflowError")))
    return absl::UnavailableError(vpcflow::ValidUtf8(py::str(error->value()).cast<std::string>()));
  return absl::UnavailableError(name + ": " + py::repr(error->value()).cast<std::string>());  // never surrogates
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
        return StatusOf(&e, name);
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

// A table of Python's: an object with columns() -> (names, judged), pieces() -> rows of each, may_hold(piece, [(field,
// least | None, most | None)]) -> bool, with integers or bytes, and stream(piece, fields | None) -> capsule.
class PythonTable final : public vpcflow::ArrowTable {
 public:
  PythonTable(std::string name, py::object table) : name_(std::move(name)), table_(Share(std::move(table))) {}

  absl::StatusOr<std::optional<vpcflow::ArrowColumns>> Columns() const override {
    std::optional<vpcflow::ArrowColumns> out;
    const absl::Status status = Call([&] {
      const py::object columns = table_->attr("columns")();
      if (columns.is_none()) return;
      const auto [names, judged] = columns.cast<std::pair<std::vector<std::string>, bool>>();
      out = vpcflow::ArrowColumns{names, judged};
    });
    if (!status.ok()) return status;
    return out;
  }
  absl::StatusOr<std::vector<uint64_t>> Pieces() const override {
    std::vector<uint64_t> out;
    const absl::Status status = Call([&] { out = table_->attr("pieces")().cast<std::vector<uint64_t>>(); });
    if (!status.ok()) return status;
    return out;
  }
  absl::StatusOr<bool> MayHold(size_t piece, const std::vector<vpcflow::FieldBounds>& bounds) const override {
    bool out = true;
    const absl::Status status = Call([&] {
      py::list all;
      for (const vpcflow::FieldBounds& one : bounds) {
        if (one.least || one.most) all.append(py::make_tuple(one.field, one.least, one.most));
        if (one.least_text || one.most_text) {
          const auto bytes = [](const std::optional<std::string>& text) -> py::object {
            return text ? py::object(py::bytes(*text)) : py::none();
          };
          all.append(py::make_tuple(one.field, bytes(one.least_text), bytes(one.most_text)));
        }
      }
      out = table_->attr("may_hold")(piece, all).cast<bool>();
    });
    if (!status.ok()) return status;
    return out;
  }
  absl::Status Open(const vpcflow::ArrowRequest& request, ArrowArrayStream* out) const override {
    return Call([&] {
      const py::object capsule = table_->attr("stream")(request.piece, request.fields);
      auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
      if (stream == nullptr) throw py::error_already_set();
      *out = std::exchange(*stream, ArrowArrayStream{});
    });
  }

 private:
  template <class Body>
  absl::Status Call(const Body& body) const {
    const py::gil_scoped_acquire gil;
    try {
      body();
      return absl::OkStatus();
    } catch (py::error_already_set& e) {
      return StatusOf(&e, name_);
    } catch (py::cast_error& e) {
      return absl::InternalError(name_ + ": " + e.what());
    }
  }

  const std::string name_;
  const std::shared_ptr<py::object> table_;
};

// Fetches by fetch(delivery) of Python, which returns at once.
Source FromFetcher(const std::string& name, size_t size, py::object fetch, std::string identity) {
  return Source::Deferred(
      name, size,
      [name, shared = Share(std::move(fetch))](vpcflow::Delivery delivery) {
        const py::gil_scoped_acquire gil;
        try {
          (*shared)(delivery);
        } catch (py::error_already_set& e) {
          delivery.Deliver(StatusOf(&e, name));
        }
      },
      std::move(identity));
}

// The kind of table that a file is, by its first 16 bytes.
std::optional<std::string> TableFormatOf(std::string_view begin) {
  if (begin.starts_with("PAR1") || begin.starts_with("PARE")) return "Parquet";
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

void BindSource(py::module_& m) {
  py::class_<vpcflow::Delivery>(m, "Delivery")
      .def(
          "deliver",
          [](const vpcflow::Delivery& self, const py::buffer& data) {
            const std::shared_ptr<py::buffer_info> view(new py::buffer_info(data.request()), [](py::buffer_info* v) {
              const py::gil_scoped_acquire gil;
              delete v;
            });
            if (view->ndim != 1 || view->strides[0] != view->itemsize)
              throw py::type_error("deliver: contiguous bytes are needed");
            const std::string_view bytes(static_cast<const char*>(view->ptr),
                                         static_cast<size_t>(view->size * view->itemsize));
            const py::gil_scoped_release release;
            self.Deliver(vpcflow::OwnedBytes{view, bytes});
          },
          py::arg("data"))
      .def(
          "fail",
          [](const vpcflow::Delivery& self, const std::string& message, bool gone) {
            const py::gil_scoped_release release;
            self.Deliver(gone ? absl::NotFoundError(message) : absl::UnavailableError(message));
          },
          py::arg("message"), py::kw_only(), py::arg("gone") = false)
      .def_property_readonly("wanted", &vpcflow::Delivery::wanted);
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
          "deferred",
          [](const std::string& name, size_t size, py::object fetch, std::string identity) {
            return PySource{FromFetcher(name, size, std::move(fetch), std::move(identity)), nullptr};
          },
          py::arg("name"), py::arg("size"), py::arg("fetch"), py::arg("identity") = "")
      .def_static(
          "arrow",
          [](const std::string& name, py::object table, const std::shared_ptr<PySource>& stored) {
            return PySource{Source::Arrow(name, std::make_shared<const PythonTable>(name, std::move(table)),
                                          stored == nullptr ? nullptr : stored->source.kind()),
                            stored == nullptr ? nullptr : stored->owner};
          },
          py::arg("name"), py::arg("table"), py::arg("stored") = nullptr)
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
                               out["interface_id"] = text(path.interface_id);
                               out["delivery_stream"] = text(path.delivery_stream);
                               out["begin"] = path.begin;
                               out["end"] = path.end;
                               return out;
                             })
      .def("memory",
           [](const PySource& s) -> py::object { return s.owner == nullptr ? py::object(py::none()) : *s.owner; })
      .def_property_readonly("identity", [](const PySource& s) { return vpcflow::ValidUtf8(s.source.identity()); })
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
          [](const PySource& s, const vpcflow::ScanOptions& own) {
            const vpcflow::ScanOptions options = ForRunning(own, py::none());
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
  m.def(
      "may_hold",
      [](const std::vector<std::string>& paths, std::optional<int64_t> start, std::optional<int64_t> end,
         std::vector<std::string> accounts, std::vector<std::string> regions) {
        const vpcflow::ObjectSelection selection{start, end, std::move(accounts), std::move(regions)};
        std::vector<bool> out;
        for (const std::string& path : paths)
          out.push_back(vpcflow::MayHold(vpcflow::ParseObjectPath(path), selection));
        return out;
      },
      py::arg("paths"), py::arg("start"), py::arg("end"), py::arg("accounts"), py::arg("regions"));
  m.def("why_no_flow_log", &vpcflow::WhyNoFlowLog, py::arg("path"), py::arg("start") = 0);
}

}  // namespace vpcflow_python
