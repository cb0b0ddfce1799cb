// Tables of labels.
#include <limits>
#include <optional>

#include "convert.h"

namespace vpcflow_python {
namespace {

vpcflow::LabelValidity ValidityOf(std::optional<int64_t> from, std::optional<int64_t> until) {
  vpcflow::LabelValidity out;
  if (from) out.from = *from;
  if (until) out.until = *until;
  return out;
}

}  // namespace

void BindLabels(py::module_& m) {
  using vpcflow::Labels;
  py::class_<Labels, std::shared_ptr<Labels>>(m, "Labels")
      .def(py::init<>())
      .def(
          "add_prefix",
          [](Labels& self, const std::string& prefix, const std::string& label, std::optional<int64_t> from,
             std::optional<int64_t> until) {
            vpcflow::Cidr cidr;
            std::string meant;
            if (!vpcflow::ParseCidr(prefix, &cidr, &meant))
              Raise("PlanError", "labels: '" + vpcflow::ValidUtf8(prefix) + "' is no prefix" +
                                     (meant.empty() ? std::string() : "; did you mean " + meant + "?"));
            self.AddPrefix(cidr, label, ValidityOf(from, until));
          },
          py::arg("prefix"), py::arg("label"), py::arg("since") = py::none(), py::arg("until") = py::none())
      .def(
          "add_text",
          [](Labels& self, const std::string& value, const std::string& label, std::optional<int64_t> from,
             std::optional<int64_t> until) { self.AddText(value, label, ValidityOf(from, until)); },
          py::arg("value"), py::arg("label"), py::arg("since") = py::none(), py::arg("until") = py::none())
      .def(
          "add_number", [](Labels& self, int64_t value, const std::string& label) { self.AddNumber(value, label); },
          py::arg("value"), py::arg("label"))
      .def("freeze", &Labels::Freeze)
      .def("__len__", &Labels::size);
}

}  // namespace vpcflow_python
