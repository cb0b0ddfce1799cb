// The field catalogue and formats.
#include "absl/strings/ascii.h"
#include "convert.h"
#include "vpcflow/format/iana.h"

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

// Triples of number, registered and usual name.
template <size_t N>
py::list TriplesOf(const vpcflow::NumberName (&table)[N]) {
  py::list out;
  for (const vpcflow::NumberName& known : table)
    out.append(py::make_tuple(known.number, known.registered, vpcflow::UsualName(known)));
  return out;
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
  m.def("protocol_names", [] { return TriplesOf(vpcflow::kProtocols); });
  m.def("port_names", [] { return TriplesOf(vpcflow::kPorts); });
  m.def("reasons", [] {
    py::dict out;
    for (size_t i = 1; i < vpcflow::kErrcCount; ++i) {
      const auto e = static_cast<vpcflow::Errc>(i);
      out[py::str(std::string(vpcflow::ErrcName(e)))] = vpcflow::ErrcMeaning(e);
    }
    return out;
  });
  m.def("containers", [] {
    py::dict out;
    for (const vpcflow::ContainerInfo& info : vpcflow::kContainers) out[py::str(std::string(info.name))] = info.meaning;
    return out;
  });
  m.def("capabilities", [](const std::string& text) {
    py::list out;
    for (const vpcflow::Capability& c : vpcflow::Capabilities(ParseFormat(text), vpcflow::Analyses())) {
      py::dict capability;
      capability["analysis"] = c.analysis;
      capability["meaning"] = c.meaning;
      capability["verdict"] = vpcflow::VerdictName(c.verdict);
      capability["why"] = c.why;
      py::list add;
      for (const vpcflow::Field field : c.add) add.append(vpcflow::Info(field).name);
      capability["add"] = add;
      out.append(capability);
    }
    return out;
  });
  m.def("recommended_format", [](const std::vector<std::string>& analyses) -> py::object {
    const std::vector<std::string_view> names(analyses.begin(), analyses.end());
    vpcflow::Format format;
    if (!vpcflow::RecommendedFormat(names, &format, vpcflow::Analyses())) return py::none();
    return py::str(format.ToString());
  });
  m.def("ocsf_fields", [] {
    py::list out;
    for (const vpcflow::EventField& field : vpcflow::OcsfFields()) {
      py::list places;
      for (const vpcflow::EventPlace& place : field.places) {
        if (place.pointer.empty()) break;
        py::dict translation;
        if (place.translation != nullptr) {
          for (const auto& [from, to] : *place.translation) {
            if (!from.empty())
              translation[py::str(absl::AsciiStrToLower(absl::string_view(from.data(), from.size())))] = to;
          }
        }
        places.append(py::make_tuple(place.pointer, translation, place.last_resort));
      }
      out.append(py::make_tuple(field.name, places, field.time, field.ends));
    }
    return out;
  });
  m.def("ocsf_time", [](const std::string& text) { return vpcflow::OcsfTime(text); });
  m.def("find_field", [](const std::string& name) -> py::object {
    const std::optional<vpcflow::Field> field = vpcflow::FindFieldOrAlias(name);
    return field ? py::object(py::str(std::string(vpcflow::Info(*field).name))) : py::object(py::none());
  });
  m.def("parse_format", [](const std::string& text) {
    std::vector<std::pair<std::string, bool>> out;
    const vpcflow::Format format = ParseFormat(text);
    for (const vpcflow::FormatColumn& column : format.columns())
      out.emplace_back(column.name, column.field != vpcflow::Field::kUnknown);
    return out;
  });
}

}  // namespace vpcflow_python
