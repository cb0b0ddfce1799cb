// Aggregations: groupings that are kept, merged and saved. Whatever may wait for an aggregation's lock waits without
// the interpreter's.
#include "convert.h"

namespace vpcflow_python {
namespace {

using vpcflow::Aggregation;

// Adds the records of sources, those alone that pass the filter of `chosen` if there is one; the report.
vpcflow::Report Update(Aggregation& aggregation, const std::vector<std::shared_ptr<PySource>>& sources,
                       const vpcflow::ScanOptions& own, const py::object& progress, const vpcflow::Plan* chosen) {
  const vpcflow::ScanOptions options = ForRunning(own, progress);
  const std::vector<vpcflow::Source> native = SourcesOf(sources);
  vpcflow::Report report;
  absl::Status status;
  {
    const py::gil_scoped_release release;
    status = chosen == nullptr ? aggregation.Update(native, options, &report)
                               : aggregation.Update(native, options, *chosen, &report);
  }
  RaiseUnlessDamage(status, report);
  return report;  // Python raises for damaged sources
}

}  // namespace

void BindAggregation(py::module_& m) {
  m.def("aggregates", [] {
    std::vector<std::tuple<std::string, bool, std::string>> out;
#define VPCFLOW_X(id, name, field, meaning) out.emplace_back(name, field, meaning);
    VPCFLOW_AGGREGATES(VPCFLOW_X)
#undef VPCFLOW_X
    return out;
  });
  py::class_<Aggregation, std::shared_ptr<Aggregation>>(m, "Aggregation")
      .def(py::init([](const vpcflow::Plan& plan) {
             absl::StatusOr<Aggregation> made = Aggregation::Make(plan);
             if (!made.ok()) RaiseStatus(made.status());
             return std::make_shared<Aggregation>(*std::move(made));
           }),
           py::arg("plan"))
      .def_static(
          "from_bytes",
          [](const py::bytes& data) {
            const std::string_view bytes(data);
            absl::StatusOr<Aggregation> made = absl::UnknownError("");
            {
              const py::gil_scoped_release release;
              made = Aggregation::FromBytes(bytes);
            }
            if (!made.ok()) RaiseStatus(made.status());
            return std::make_shared<Aggregation>(*std::move(made));
          },
          py::arg("data"))
      .def("copy",
           [](const Aggregation& self) {
             absl::StatusOr<Aggregation> made = absl::UnknownError("");
             {
               const py::gil_scoped_release release;
               made = self.Copy();
             }
             if (!made.ok()) RaiseStatus(made.status());
             return std::make_shared<Aggregation>(*std::move(made));
           })
      .def("update", &Update, py::arg("sources"), py::arg("options"), py::arg("progress"), py::arg("chosen") = nullptr)
      .def(
          "merge",
          [](Aggregation& self, const Aggregation& other) {
            absl::Status status;
            {
              const py::gil_scoped_release release;
              status = self.Merge(other);
            }
            if (!status.ok()) RaiseStatus(status);
          },
          py::arg("other"))
      .def("to_bytes",
           [](Aggregation& self) {
             std::string bytes;
             {
               const py::gil_scoped_release release;
               bytes = self.ToBytes();
             }
             return py::bytes(bytes);
           })
      .def(
          "take_idle",
          [](Aggregation& self, int64_t time) {
            absl::StatusOr<vpcflow::Table> table = absl::UnknownError("");
            {
              const py::gil_scoped_release release;
              table = self.TakeIdle(time);
            }
            if (!table.ok()) RaiseStatus(table.status());
            return std::make_shared<vpcflow::Table>(*std::move(table));
          },
          py::arg("time"))
      .def(
          "starts",
          [](const Aggregation& self, const std::vector<int64_t>& cuts) {
            absl::StatusOr<vpcflow::Table> table = absl::UnknownError("");
            {
              const py::gil_scoped_release release;
              table = self.Starts(cuts);
            }
            if (!table.ok()) RaiseStatus(table.status());
            return std::make_shared<vpcflow::Table>(*std::move(table));
          },
          py::arg("cuts"))
      .def("value",
           [](Aggregation& self) {
             const py::gil_scoped_release release;
             return std::make_shared<vpcflow::Table>(self.Value());
           })
      .def("warning",
           [](const Aggregation& self) {
             const py::gil_scoped_release release;
             return self.Warning();
           })
      .def("shown",
           [](const Aggregation& self) {
             const py::gil_scoped_release release;
             return self.Shown();
           })
      .def_property_readonly("plan", [](const Aggregation& self) { return self.plan(); })
      .def_property_readonly("groups",
                             [](const Aggregation& self) {
                               const py::gil_scoped_release release;
                               return self.groups();
                             })
      .def_property_readonly("bytes", [](const Aggregation& self) {
        const py::gil_scoped_release release;
        return self.bytes();
      });
}

}  // namespace vpcflow_python
