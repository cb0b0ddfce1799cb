// Sketches: numbers go in by the buffer.
#include <pybind11/pybind11.h>

#include "convert.h"

namespace vpcflow_python {
namespace {

// Calls add(value) for each whole number of an iterable or of a buffer of 64-bit ones (array.array, numpy).
template <class Add>
void ForNumbers(const py::object& values, const Add& add) {
  if (py::isinstance<py::buffer>(values) && !py::isinstance<py::bytes>(values)) {
    const py::buffer_info info = values.cast<py::buffer>().request();
    if (info.ndim == 1 && info.itemsize == 8 && (info.strides[0] == 8 || info.shape[0] < 2)) {
      const auto* data = static_cast<const uint64_t*>(info.ptr);
      for (py::ssize_t i = 0; i < info.shape[0]; ++i) add(data[i]);
      return;
    }
  }
  for (const py::handle value : values) add(value.cast<uint64_t>());
}

// Bytes of a sketch, and back.
template <class Sketch>
py::bytes Saved(const Sketch& sketch) {
  vpcflow::StateWriter out;
  sketch.Write(&out);
  return py::bytes(vpcflow::Seal(vpcflow::StateKind::kSketch, out.bytes()));
}
template <class Sketch>
Sketch Loaded(const py::bytes& data) {
  std::string_view payload;
  const vpcflow::StateError error = vpcflow::Unseal(vpcflow::StateKind::kSketch, std::string_view(data), &payload);
  if (error != vpcflow::StateError::kNone) Raise("StateError", std::string(vpcflow::StateErrorText(error)));
  vpcflow::StateReader in(payload);
  Sketch sketch;
  sketch.Read(&in);
  if (!in.ok() || !in.done()) Raise("StateError", "this state is of no such sketch");
  return sketch;
}

}  // namespace

void BindSketch(py::module_& m) {
  using vpcflow::DistinctSketch;
  using vpcflow::KllSketch;
  using vpcflow::LogHistogram;
  using Hitters = vpcflow::HeavyHitters<uint64_t>;
  py::class_<DistinctSketch>(m, "DistinctSketch")
      .def(py::init<>())
      .def("update",
           [](DistinctSketch& s, const py::object& values) {
             ForNumbers(values, [&](uint64_t v) { s.Add(vpcflow::SketchHash(v)); });
           })
      .def("merge", &DistinctSketch::Merge)
      .def("estimate", &DistinctSketch::Estimate)
      .def("to_bytes", &Saved<DistinctSketch>)
      .def_static("from_bytes", &Loaded<DistinctSketch>);
  py::class_<LogHistogram>(m, "LogHistogram")
      .def(py::init<>())
      .def("update",
           [](LogHistogram& s, const py::object& values) { ForNumbers(values, [&](uint64_t v) { s.Add(v); }); })
      .def("merge", &LogHistogram::Merge)
      .def("quantile", &LogHistogram::Quantile)
      .def("to_bytes", &Saved<LogHistogram>)
      .def_static("from_bytes", &Loaded<LogHistogram>);
  py::class_<KllSketch>(m, "KllSketch")
      .def(py::init<uint32_t, uint64_t>(), py::arg("k") = KllSketch::kDefaultK, py::arg("seed") = 0)
      .def("update", [](KllSketch& s, const py::object& values) { ForNumbers(values, [&](uint64_t v) { s.Add(v); }); })
      .def("merge", &KllSketch::Merge)
      .def("quantile", &KllSketch::Quantile)
      .def("rank", &KllSketch::Rank)
      .def("to_bytes", &Saved<KllSketch>)
      .def_static("from_bytes", &Loaded<KllSketch>);
  py::class_<Hitters>(m, "HeavyHitters")
      .def(py::init<size_t>(), py::arg("counters") = 1000)
      .def("update", [](Hitters& s, const py::object& values) { ForNumbers(values, [&](uint64_t v) { s.Add(v); }); })
      .def("merge", &Hitters::Merge)
      .def_property_readonly("bytes", &Hitters::bytes)
      .def("to_bytes", &Saved<Hitters>)
      .def_static("from_bytes", &Loaded<Hitters>)
      .def("top", [](const Hitters& s, size_t n) {
        std::vector<std::tuple<uint64_t, uint64_t, uint64_t>> out;
        for (const Hitters::Hit& hit : s.Top(n)) out.emplace_back(hit.key, hit.count - hit.error, hit.count);
        return out;
      });
}

}  // namespace vpcflow_python
