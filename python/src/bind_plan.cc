// Plans and their running.
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "convert.h"

namespace vpcflow_python {

using vpcflow::Plan;
using vpcflow::Source;

py::object ResultToPython(vpcflow::Result result) {
  return py::make_tuple(std::make_shared<vpcflow::Table>(std::move(result.table)), std::move(result.report));
}

namespace {

// Returns the results, or raises the exception of the error.
py::list Finish(absl::StatusOr<std::vector<vpcflow::Result>> results) {
  if (!results.ok()) RaiseStatus(results.status());
  py::list out;
  for (vpcflow::Result& result : *results) out.append(ResultToPython(std::move(result)));
  return out;
}

// Runs `run(&report, &partial)` without the GIL, and gives its results or raises its error. Damaged sources are in the
// report of the results: Python raises for them, with what could be read.
template <class RunFunction>
py::list RunReleased(const RunFunction& run) {
  vpcflow::Report report;
  absl::StatusOr<std::vector<vpcflow::Result>> results = absl::UnknownError("");
  {
    const py::gil_scoped_release release;
    std::vector<vpcflow::Result> partial;
    results = run(&report, &partial);
    if (!partial.empty()) results = std::move(partial);
  }
  return Finish(std::move(results));
}

py::list Run(const std::vector<Plan>& plans, const std::vector<std::shared_ptr<PySource>>& sources,
             const vpcflow::ScanOptions& own, const py::object& progress) {
  const vpcflow::ScanOptions options = ForRunning(own, progress);
  const std::vector<Source> native = SourcesOf(sources);
  return RunReleased([&](vpcflow::Report* report, std::vector<vpcflow::Result>* partial) {
    return vpcflow::RunAll(plans, native, options, report, partial);
  });
}

// A BatchReader for several threads: each batch goes to one of them.
class SharedReader {
 public:
  SharedReader(const Plan& plan, std::vector<Source> sources, vpcflow::ScanOptions options)
      : reader_(plan, std::move(sources), std::move(options)) {}

  // The next batch, and the report up to it.
  py::object Next(size_t rows) {
    // Only this thread can have set it to its own id.
    if (reading_.load() == std::this_thread::get_id())
      Raise("PlanError", "batches: asked for the next one by a callback of the read of this one");
    absl::StatusOr<vpcflow::Table> table = vpcflow::Table();
    vpcflow::Report report;
    {
      const py::gil_scoped_release release;
      const std::lock_guard lock(mutex_);
      reading_ = std::this_thread::get_id();
      const absl::Cleanup done = [this] { reading_ = std::thread::id(); };
      table = reader_.Next(rows);
      report = reader_.report();
    }
    RaiseUnlessDamage(table.status(), report);
    if (!table.ok()) table = vpcflow::Table();
    return ResultToPython({*std::move(table), std::move(report)});
  }

 private:
  std::mutex mutex_;
  std::atomic<std::thread::id> reading_{};
  vpcflow::BatchReader reader_;
};

}  // namespace

void BindPlan(py::module_& m) {
  py::class_<Plan>(m, "Plan")
      .def(py::init([](const vpcflow::PlanSpec& spec, const std::vector<std::string>& formats) {
             std::vector<vpcflow::Format> parsed;
             for (const std::string& format : formats) {
               if (!vpcflow::Format::ParseHeader(format, &parsed.emplace_back(), /*sure=*/true))
                 parsed.back() = ParseFormat(format);
             }
             absl::StatusOr<Plan> plan = Plan::Make(spec, parsed);
             if (!plan.ok()) RaiseStatus(plan.status());
             return *std::move(plan);
           }),
           py::arg("spec"), py::arg("formats"))
      .def("explain", &Plan::Explain)
      .def(
          "check_fields",
          [](const Plan& self, const vpcflow::Report& report) {
            if (absl::Status status = self.CheckFields(report); !status.ok()) RaiseStatus(status);
          },
          py::arg("report"))
      .def_property_readonly("fields", &Plan::Fields)
      .def_property_readonly("schema", [](const Plan& p) {
        std::vector<std::pair<std::string, const char*>> out;
        for (const auto& [name, type] : p.Schema()) out.emplace_back(name, TypeName(type));
        return out;
      });

  py::class_<SharedReader>(m, "BatchReader")
      .def(py::init([](const Plan& plan, const std::vector<std::shared_ptr<PySource>>& sources,
                       const vpcflow::ScanOptions& options) {
             return std::make_unique<SharedReader>(plan, SourcesOf(sources), ForRunning(options, py::none()));
           }),
           py::arg("plan"), py::arg("sources"), py::arg("options"), py::keep_alive<1, 3>())
      .def("next", &SharedReader::Next, py::arg("rows"));

  m.def("run", &Run, py::arg("plans"), py::arg("sources"), py::arg("options"), py::arg("progress"));
  m.def("has_flow_columns", &vpcflow::HasFlowColumns, py::arg("names"));
  m.def("fields_of_columns", &vpcflow::FieldsOfColumns, py::arg("names"));
}

}  // namespace vpcflow_python
