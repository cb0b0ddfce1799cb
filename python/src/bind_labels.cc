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

// For adding to; a table that queries may be looking up is not changed.
vpcflow::Labels& Open(vpcflow::Labels& labels) {
  if (labels.frozen()) Raise("PlanError", "labels: this table is complete; make another one");
  return labels;
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
            Open(self).AddPrefix(cidr, label, ValidityOf(from, until));
          },
          py::arg("prefix"), py::arg("label"), py::arg("since") = py::none(), py::arg("until") = py::none())
      .def(
          "add_text",
          [](Labels& self, const std::string& value, const std::string& label, std::optional<int64_t> from,
             std::optional<int64_t> until) { Open(self).AddText(value, label, ValidityOf(from, until)); },
          py::arg("value"), py::arg("label"), py::arg("since") = py::none(), py::arg("until") = py::none())
      .def(
          "add_number",
          [](Labels& self, int64_t value, const std::string& label) { Open(self).AddNumber(value, label); },
          py::arg("value"), py::arg("label"))
      .def("freeze", [](Labels& self) { Open(self).Freeze(); })
      .def("__len__", &Labels::size);
}

}  // namespace vpcflow_python
