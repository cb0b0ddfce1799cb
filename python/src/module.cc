// vpcflow._core: the engine for the Python package. Its API is private; users import vpcflow.
#include "convert.h"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The vpcflow engine (private; use the vpcflow package).";
  m.def(
      "error_class",
      [](const std::string& kind) {
        const std::vector<std::string_view>& kinds = vpcflow_python::NamesOf<vpcflow::ErrorKind>();
        const auto at = std::find(kinds.begin(), kinds.end(), kind);
        return at == kinds.end() ? "VpcflowError"
                                 : vpcflow_python::ErrorClass(static_cast<vpcflow::ErrorKind>(at - kinds.begin()));
      },
      py::arg("kind"));
  m.def("build_info", [] {
    py::dict info;
    info["version"] = VPCFLOW_VERSION;
    info["compiler"] = VPCFLOW_COMPILER;
    info["kernel"] = std::string(vpcflow::ActiveKernelName());
    py::list kernels;
    for (std::string_view name : vpcflow::UsableKernelNames()) kernels.append(std::string(name));
    info["kernels"] = kernels;
    info["missing_kernel"] = std::string(vpcflow::MissingForcedKernel().value_or(""));
    info["gzip"] = std::string(vpcflow::GzipLibrary());
    return info;
  });
  vpcflow_python::BindNames(m);
  vpcflow_python::BindFormat(m);
  vpcflow_python::BindTable(m);
  vpcflow_python::BindLabels(m);
  vpcflow_python::BindSource(m);
  vpcflow_python::BindSpec(m);
  vpcflow_python::BindReport(m);
  vpcflow_python::BindPlan(m);
  vpcflow_python::BindCoverage(m);
  vpcflow_python::BindAggregation(m);
  vpcflow_python::BindFeeder(m);
  vpcflow_python::BindDetect(m);
  vpcflow_python::BindEnds(m);
  vpcflow_python::BindEvents(m);
  vpcflow_python::BindEventReader(m);
  vpcflow_python::BindSketch(m);
  vpcflow_python::BindReach(m);
  vpcflow_python::BindCost(m);
  vpcflow_python::BindSynth(m);
}
