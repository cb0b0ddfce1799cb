// The field catalogue, formats and filters.
#include "convert.h"

namespace vpcflow_python {

namespace {

const char* KindName(vpcflow::Kind kind) {
  switch (kind) {
    case vpcflow::Kind::kInt32: return "int32";
    case vpcflow::Kind::kInt64: return "int64";
    case vpcflow::Kind::kTime: return "time";
    case vpcflow::Kind::kAddress: return "address";
    case vpcflow::Kind::kText: return "text";
  }
  return "";
}

}  // namespace

void BindFormat(py::module_& m) {
  m.def("fields", [] {
    py::list out;
    for (const vpcflow::FieldInfo& info : vpcflow::kFields) {
      py::dict field;
      field["name"] = info.name;
      field["column"] = info.getter;
      field["version"] = info.version;
      field["delivered_in"] = info.delivered_in == vpcflow::LogKind::kBoth  ? "vpc, tgw"
                              : info.delivered_in == vpcflow::LogKind::kVpc ? "vpc"
                                                                            : "tgw";
      field["type"] = info.type_name;
      field["column_type"] = KindName(info.kind);
      field["max"] = info.max;
      field["unit"] = info.unit;
      field["nullable"] = !info.always_set;
      field["meaning"] = info.meaning;
      out.append(field);
    }
    return out;
  });
  m.def("reasons", [] {
    py::dict out;
    for (size_t i = 1; i < vpcflow::kErrcCount; ++i) {
      const auto e = static_cast<vpcflow::Errc>(i);
      out[py::str(std::string(vpcflow::ErrcName(e)))] = vpcflow::ErrcMeaning(e);
    }
    return out;
  });
  m.def("aggregates", [] {
    py::dict out;
#define VPCFLOW_X(id, name, field, meaning) out[name] = meaning;
    VPCFLOW_AGGREGATES(VPCFLOW_X)
#undef VPCFLOW_X
    return out;
  });
  m.def("parse_format", [](const std::string& text) {
    std::vector<std::pair<std::string, bool>> out;
    const vpcflow::Format format = ParseFormat(text);
    for (const vpcflow::FormatColumn& column : format.columns())
      out.emplace_back(column.name, column.field != vpcflow::Field::kUnknown);
    return out;
  });
  m.def(
      "check_filter",
      [](const std::string& text, const std::vector<std::string>& extra) {
        absl::StatusOr<vpcflow::Filter> filter = vpcflow::Filter::Parse(text, extra);
        if (!filter.ok()) Raise("FilterError", Message(filter.status()));
        std::vector<std::string> names;
        for (const vpcflow::FieldRef& field : filter->fields()) names.push_back(field.name);
        return names;
      },
      py::arg("text"), py::arg("extra") = std::vector<std::string>());
}

}  // namespace vpcflow_python
