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
  const py::dict report = ReportToDict(result.report);
  return py::make_tuple(std::make_shared<vpcflow::Table>(std::move(result.table)), report);
}

namespace {

vpcflow::PlanSpec SpecFrom(const py::dict& d) {
  vpcflow::PlanSpec spec;
  const auto get = [&](const char* key) { return d.contains(key) ? py::object(d[key]) : py::none(); };
  const auto set = [&](const char* key, auto* out) {
    if (!get(key).is_none()) *out = ValueOf<std::decay_t<decltype(*out)>>(get(key), key);
  };
  set("where", &spec.where);
  if (!get("labels").is_none()) {
    for (const auto& [name, field, labels] :
         get("labels").cast<std::vector<std::tuple<std::string, std::string, std::shared_ptr<vpcflow::Labels>>>>())
      spec.labels.push_back({name, field, labels});
  }
  if (!get("sessions").is_none()) {
    const auto options = get("sessions").cast<py::dict>();
    vpcflow::SessionSpec& sessions = spec.sessions.emplace();
    sessions.idle = ValueOf<int64_t>(options["idle"], "idle");
    const auto name = ValueOf<std::string>(options["vantage"], "vantage");
    const auto& names = vpcflow::kVantageNames;
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) Raise("PlanError", "vantage: it is 'most', 'client', 'server' or 'all'");
    sessions.vantage = static_cast<vpcflow::Vantage>(at - names.begin());
    sessions.ordered = options["ordered"].cast<bool>();
    for (const auto& text : options["intermediaries"].cast<std::vector<std::string>>()) {
      if (!vpcflow::ParseIp(text, &sessions.intermediaries.emplace_back()))
        Raise("PlanError", "intermediaries: '" + vpcflow::ValidUtf8(text) + "' is no address");
    }
  }
  set("select", &spec.select);
  if (!get("limit").is_none()) spec.limit = ValueOf<uint64_t>(get("limit"), "limit");
  set("located", &spec.located);
  set("by", &spec.by);
  set("every", &spec.every);
  if (!get("bin_by").is_none())
    spec.bin_by = get("bin_by").cast<std::string>() == "start" ? vpcflow::BinBy::kStart : vpcflow::BinBy::kSpread;
  set("window", &spec.window);
  set("gap", &spec.gap);
  set("aggs", &spec.aggs);
  set("having", &spec.having);
  if (!get("top").is_none()) {
    const auto top = get("top").cast<py::dict>();
    spec.top = vpcflow::TopSpec{ValueOf<uint64_t>(top["n"], "top_k: n"), ValueOf<std::string>(top["by"], "top_k: by"),
                                ValueOf<bool>(top["other"], "top_k: other"),
                                ValueOf<std::vector<std::string>>(top["per"], "top_k: per"),
                                ValueOf<uint64_t>(top["counters"], "top_k: counters")};
  }
  if (!get("sort").is_none()) {
    for (const auto& [column, descending] : get("sort").cast<std::vector<std::pair<std::string, bool>>>())
      spec.sort.push_back({column, descending});
  }
  set("allow_missing", &spec.allow_missing);
  set("check_all", &spec.check_all);
  if (!get("asked").is_none()) {
    const auto [start, end] = get("asked").cast<TimePair>();
    spec.asked = vpcflow::TimeSpan{start, end};
  }
  set("session_records", &spec.session_records);
  set("lenient", &spec.lenient);
  return spec;
}

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
             const py::dict& options_dict) {
  const vpcflow::ScanOptions options = OptionsFrom(options_dict);
  const std::vector<Source> native = SourcesOf(sources);
  return RunReleased([&](vpcflow::Report* report, std::vector<vpcflow::Result>* partial) {
    return vpcflow::RunAll(plans, native, options, report, partial);
  });
}

py::list RunArrow(const std::vector<Plan>& plans, const std::vector<std::shared_ptr<PySource>>& sources,
                  const py::iterator& iterator, const py::dict& options_dict) {
  const vpcflow::ScanOptions options = OptionsFrom(options_dict);
  const std::vector<Source> native = SourcesOf(sources);
  const vpcflow::ArrowStreams streams = StreamsOf(iterator);
  return RunReleased([&](vpcflow::Report* report, std::vector<vpcflow::Result>* partial) {
    return vpcflow::RunArrow(plans, native, streams, options, report, partial);
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
      .def(py::init([](const py::dict& spec, const std::vector<std::string>& formats) {
             std::vector<vpcflow::Format> parsed;
             for (const std::string& format : formats) {
               if (!vpcflow::Format::ParseHeader(format, &parsed.emplace_back(), /*sure=*/true))
                 parsed.back() = ParseFormat(format);
             }
             absl::StatusOr<Plan> plan = Plan::Make(SpecFrom(spec), parsed);
             if (!plan.ok()) RaiseStatus(plan.status());
             return *std::move(plan);
           }),
           py::arg("spec"), py::arg("formats"))
      .def("explain", &Plan::Explain)
      .def_property_readonly("fields", &Plan::Fields)
      .def_property_readonly("columns", [](const Plan& p) {
        std::vector<std::string> out;
        for (const auto& [name, type] : p.Schema()) out.push_back(name);
        return out;
      });

  py::class_<SharedReader>(m, "BatchReader")
      .def(py::init(
               [](const Plan& plan, const std::vector<std::shared_ptr<PySource>>& sources, const py::dict& options) {
                 return std::make_unique<SharedReader>(plan, SourcesOf(sources), OptionsFrom(options));
               }),
           py::arg("plan"), py::arg("sources"), py::arg("options"), py::keep_alive<1, 3>(), py::keep_alive<1, 4>())
      .def("next", &SharedReader::Next, py::arg("rows"));

  m.def("run", &Run, py::arg("plans"), py::arg("sources"), py::arg("options"));
  m.def("has_flow_columns", &vpcflow::HasFlowColumns, py::arg("names"));
  m.def("fields_of_columns", &vpcflow::FieldsOfColumns, py::arg("names"));
  m.def("run_arrow", &RunArrow, py::arg("plans"), py::arg("sources"), py::arg("streams"), py::arg("options"));
}

}  // namespace vpcflow_python
