// Detectors.
#include "convert.h"

namespace vpcflow_python {
namespace {

using vpcflow::Detection;
using vpcflow::SettingInfo;
using vpcflow::SettingType;
using vpcflow::SettingValue;

// A setting's value. A list is (prefixes, day), labels are (labels, day, whether they name networks).
SettingValue SettingFrom(const py::handle& value, const SettingInfo& setting) {
  const std::string name = "detect: " + std::string(setting.name);
  switch (setting.type) {
    case SettingType::kBool: return ValueOf<bool>(value, name.c_str());
    case SettingType::kInteger: return ValueOf<int64_t>(value, name.c_str());
    case SettingType::kNumber: return ValueOf<double>(value, name.c_str());
    case SettingType::kPrefixes: return ValueOf<vpcflow::Prefixes>(value, name.c_str());
    case SettingType::kAddressList: {
      const auto list = value.cast<py::tuple>();
      return vpcflow::AddressList{ValueOf<vpcflow::Prefixes>(list[0], name.c_str()), list[1].cast<std::string>()};
    }
    case SettingType::kAddressLabels: {
      const auto [labels, day, networks] =
          value.cast<std::tuple<std::shared_ptr<vpcflow::Labels>, std::string, bool>>();
      return vpcflow::AddressLabels{labels, day, networks, false};
    }
  }
  return {};
}

// The settings named; names that no detector has are left to Detection::Make.
vpcflow::DetectSettings SettingsFrom(const py::dict& values) {
  vpcflow::DetectSettings out;
  const auto take = [&](const SettingInfo* setting) {
    const py::str name(setting->name.data(), setting->name.size());
    if (values.contains(name)) out.Set(std::string(setting->name), SettingFrom(values[name], *setting));
  };
  for (const SettingInfo* setting : vpcflow::SharedSettings()) take(setting);
  for (const vpcflow::DetectorInfo* detector : vpcflow::Detectors()) {
    for (const SettingInfo* setting : detector->settings) take(setting);
  }
  for (const auto& [key, value] : values) {
    if (const auto name = key.cast<std::string>(); !out.values.contains(name)) out.Set(name, false);
  }
  return out;
}

// The row of a setting; of lists and labels there is no default.
py::dict ToDict(const SettingInfo& setting) {
  py::dict out;
  out["name"] = setting.name;
  out["type"] = vpcflow::SettingTypeName(setting.type);
  out["default"] = std::visit(
      [](const auto& value) -> py::object {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, vpcflow::Prefixes>) {
          return py::tuple(py::cast(value));
        } else if constexpr (std::is_arithmetic_v<T>) {
          return py::cast(value);
        } else {
          return py::none();
        }
      },
      vpcflow::DefaultOf(setting));
  out["unit"] = setting.unit;
  out["meaning"] = setting.meaning;
  return out;
}

py::list ToList(std::span<const SettingInfo* const> settings) {
  py::list out;
  for (const SettingInfo* setting : settings) out.append(ToDict(*setting));
  return out;
}

py::dict ToDict(const vpcflow::DetectorInfo& detector) {
  py::list needs;
  for (const vpcflow::FieldNeed& need : detector.needs) {
    py::list fields;
    for (const vpcflow::Field field : need.any_of) {
      if (field != vpcflow::Field::kUnknown) fields.append(vpcflow::Info(field).name);
    }
    py::dict row;
    row["fields"] = fields;
    row["essential"] = need.essential;
    row["without"] = need.without;
    needs.append(row);
  }
  py::list inputs;
  for (const std::string_view input : detector.inputs) inputs.append(input);
  py::dict out;
  out["name"] = detector.name;
  out["technique"] = detector.technique;
  out["meaning"] = detector.meaning;
  out["method"] = detector.method;
  out["misses"] = detector.misses;
  out["needs"] = needs;
  out["inputs"] = inputs;
  out["settings"] = ToList(detector.settings);
  return out;
}

py::dict ToDict(const vpcflow::DetectorCoverage& coverage) {
  py::list losses;
  for (const vpcflow::DetectorCoverage::Loss& loss : coverage.losses) {
    py::dict row;
    row["without"] = loss.without;
    row["field"] = vpcflow::Info(loss.field).name;
    row["essential"] = loss.essential;
    row["sources"] = loss.sources;
    row["null"] = loss.null;
    losses.append(row);
  }
  py::dict out;
  out["detector"] = coverage.detector;
  out["verdict"] = vpcflow::VerdictName(coverage.verdict);
  out["sources"] = coverage.sources;
  out["blind"] = coverage.blind;
  out["unknown"] = coverage.unknown;
  out["losses"] = losses;
  return out;
}

py::dict ToDict(const vpcflow::FindingCoverage& coverage) {
  py::dict out;
  if (!coverage.degraded.empty()) out["degraded"] = coverage.degraded;
  if (!coverage.add.empty()) out["add"] = coverage.add;
  if (!coverage.unknown.empty()) out["unknown"] = coverage.unknown;
  if (!coverage.blind.empty()) out["blind"] = coverage.blind;
  if (!coverage.skipdata.empty()) out["skipdata"] = coverage.skipdata;
  if (!coverage.one_direction.empty()) out["one_direction"] = coverage.one_direction;
  return out;
}

py::object ToPython(const vpcflow::Evidence& evidence) {
  return std::visit(
      [](const auto& value) -> py::object {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return py::none();
        } else if constexpr (std::is_same_v<T, vpcflow::Ip>) {
          return py::str(vpcflow::ToString(value));
        } else if constexpr (std::is_same_v<T, vpcflow::uint128>) {
          const py::int_ high(static_cast<uint64_t>(value >> 64)), low(static_cast<uint64_t>(value));
          return (high << py::int_(64)) | low;
        } else {
          return py::cast(value);
        }
      },
      evidence);
}

py::dict ToDict(const vpcflow::Finding& finding) {
  py::list targets;
  for (const vpcflow::Ip& target : finding.targets) targets.append(vpcflow::ToString(target));
  py::dict evidence;
  for (const auto& [name, value] : finding.evidence) evidence[py::str(name.data(), name.size())] = ToPython(value);
  py::dict out;
  out["detector"] = finding.detector;
  out["severity"] = vpcflow::SeverityName(finding.severity);
  out["actor"] = vpcflow::ToString(finding.actor);
  out["targets"] = targets;
  out["start"] = finding.start;
  out["end"] = finding.end;
  out["score"] = finding.score;
  out["confidence"] = finding.confidence;
  out["technique"] = finding.technique;
  out["evidence"] = evidence;
  out["sentence"] = finding.sentence;
  return out;
}

// Calls something that takes long and may fail, without the interpreter's lock.
template <class Fn>
void Do(Fn fn) {
  absl::Status status;
  {
    const py::gil_scoped_release release;
    status = fn();
  }
  if (!status.ok()) RaiseStatus(status);
}

}  // namespace

void BindDetect(py::module_& m) {
  using Counts = std::map<std::string, uint64_t>;
  m.def("detectors", [] {
    py::list out;
    for (const vpcflow::DetectorInfo* detector : vpcflow::Detectors()) out.append(ToDict(*detector));
    return out;
  });
  m.attr("FINDING_SCHEMA_VERSION") = vpcflow::kFindingSchemaVersion;
  m.def(
      "blind_in",
      [](uint64_t blind, uint64_t sources, const std::vector<std::string>& lacking,
         const std::vector<std::string>& null) {
        return vpcflow::BlindIn(blind, sources, std::vector<std::string_view>(lacking.begin(), lacking.end()),
                                std::vector<std::string_view>(null.begin(), null.end()));
      },
      py::arg("blind"), py::arg("sources"), py::arg("lacking"), py::arg("null"));
  m.def("shared_settings", [] { return ToList(vpcflow::SharedSettings()); });
  py::class_<Detection, std::shared_ptr<Detection>>(m, "Detection")
      .def(py::init([](const py::dict& settings) {
             absl::StatusOr<Detection> made = Detection::Make(SettingsFrom(settings));
             if (!made.ok()) RaiseStatus(made.status());
             return std::make_shared<Detection>(*std::move(made));
           }),
           py::arg("settings"))
      .def(
          "add", [](Detection& self, const vpcflow::Table& table) { Do([&] { return self.Add(table); }); },
          py::arg("sessions"))
      .def("add_formats", py::overload_cast<const Counts&, const Counts&>(&Detection::AddFormats), py::arg("formats"),
           py::arg("shown"), py::call_guard<py::gil_scoped_release>())
      .def(
          "merge", [](Detection& self, const Detection& other) { Do([&] { return self.Merge(other); }); },
          py::arg("other"))
      .def(
          "add_baseline",
          [](Detection& self, const vpcflow::Table& table) { Do([&] { return self.AddBaseline(table); }); },
          py::arg("past"))
      .def(
          "set_labels",
          [](Detection& self, const std::string& setting, std::shared_ptr<vpcflow::Labels> labels, bool partial) {
            Do([&] { return self.SetLabels(setting, {std::move(labels), {}, false, partial}); });
          },
          py::arg("setting"), py::arg("labels"), py::arg("partial"))
      .def("gateways",
           [](Detection& self) {
             std::vector<vpcflow::Gateway> all;
             {
               const py::gil_scoped_release release;
               all = self.Gateways();
             }
             py::dict out;
             for (const vpcflow::Gateway& gateway : all) out[py::str(ToString(gateway.address))] = gateway.repeated;
             return out;
           })
      .def("folded",
           [](const Detection& self) {
             const vpcflow::FoldedCounts folded = self.Folded();
             return py::make_tuple(folded.tries, folded.sources);
           })
      .def(
          "find",
          [](Detection& self, const std::string& detector) {
            absl::StatusOr<std::vector<vpcflow::Finding>> found = std::vector<vpcflow::Finding>();
            {
              const py::gil_scoped_release release;
              found = self.Find(detector);
            }
            if (!found.ok()) RaiseStatus(found.status());
            py::list out;
            for (const vpcflow::Finding& finding : *found) out.append(ToDict(finding));
            return out;
          },
          py::arg("detector"))
      .def(
          "coverage",
          [](const Detection& self, const vpcflow::Report& report) {
            std::vector<vpcflow::DetectorCoverage> all;
            {
              const py::gil_scoped_release release;
              all = self.Coverage();
            }
            py::list out;
            for (const vpcflow::DetectorCoverage& coverage : all) {
              py::dict row = ToDict(coverage);
              row["hidden"] = ToDict(vpcflow::DescribeCoverage(coverage, report));
              out.append(row);
            }
            return out;
          },
          py::arg("report"))
      .def_property_readonly("sessions",
                             [](const Detection& self) {
                               const py::gil_scoped_release release;
                               return self.sessions();
                             })
      .def_property_readonly("bytes", [](const Detection& self) {
        const py::gil_scoped_release release;
        return self.bytes();
      });
}

}  // namespace vpcflow_python
