// Detectors.
#include "convert.h"

namespace vpcflow_python {
namespace {

using vpcflow::Detection;
using vpcflow::DetectSettings;

// Calls fn(name, member) for each setting.
template <class Fn>
void ForEachSetting(DetectSettings& s, Fn fn) {
#define VPCFLOW_SETTING(name) fn(#name, s.name)
  VPCFLOW_SETTING(inside);
  VPCFLOW_SETTING(scan_ports);
  VPCFLOW_SETTING(scan_hosts);
  VPCFLOW_SETTING(scan_failed);
  VPCFLOW_SETTING(walk_outside);
  VPCFLOW_SETTING(brute_sessions);
  VPCFLOW_SETTING(brute_bytes);
  VPCFLOW_SETTING(exfil_bytes);
  VPCFLOW_SETTING(exfil_ratio);
  VPCFLOW_SETTING(exfil_typical);
  VPCFLOW_SETTING(exfil_known);
  VPCFLOW_SETTING(beacon_sessions);
  VPCFLOW_SETTING(beacon_jitter);
  VPCFLOW_SETTING(lateral_hosts);
  VPCFLOW_SETTING(lateral_failed);
  VPCFLOW_SETTING(admin_sources);
  VPCFLOW_SETTING(access_tries);
  VPCFLOW_SETTING(found_failed);
  VPCFLOW_SETTING(flood_sources);
  VPCFLOW_SETTING(flood_packets);
  VPCFLOW_SETTING(tunnel_bytes);
  VPCFLOW_SETTING(tunnel_icmp);
  VPCFLOW_SETTING(bad);
  VPCFLOW_SETTING(bad_date);
  VPCFLOW_SETTING(new_chance);
  VPCFLOW_SETTING(countries);
  VPCFLOW_SETTING(countries_are_networks);
  VPCFLOW_SETTING(countries_date);
#undef VPCFLOW_SETTING
}

// Those that are not in `values` are as they are; other names do not matter.
DetectSettings SettingsFrom(const py::dict& values) {
  DetectSettings out;
  ForEachSetting(out, [&](const char* name, auto& member) {
    if (!values.contains(name)) return;
    member = ValueOf<std::decay_t<decltype(member)>>(values[name], (std::string("detect: ") + name).c_str());
  });
  return out;
}

// The defaults of plain settings.
py::dict Defaults() {
  DetectSettings settings;
  py::dict out;
  ForEachSetting(settings, [&](const char* name, auto& member) {
    if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::vector<std::string>>) {
      out[name] = py::tuple(py::cast(member));
    } else if constexpr (std::is_arithmetic_v<std::decay_t<decltype(member)>>) {
      out[name] = py::cast(member);
    }
  });
  return out;
}

py::object ValueOf(const vpcflow::Evidence& evidence) {
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
  constexpr const char* kSeverities[] = {"high", "medium", "low"};
  py::list targets;
  for (const vpcflow::Ip& target : finding.targets) targets.append(vpcflow::ToString(target));
  py::dict evidence;
  for (const auto& [name, value] : finding.evidence) evidence[py::str(name.data(), name.size())] = ValueOf(value);
  py::dict out;
  out["detector"] = finding.detector;
  out["severity"] = kSeverities[static_cast<size_t>(finding.severity)];
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
  m.def("detectors", [] { return py::tuple(py::cast(vpcflow::kDetectorNames)); });
  m.def("detect_defaults", &Defaults);
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
      .def(
          "merge", [](Detection& self, const Detection& other) { Do([&] { return self.Merge(other); }); },
          py::arg("other"))
      .def(
          "add_baseline",
          [](Detection& self, const vpcflow::Table& table) { Do([&] { return self.AddBaseline(table); }); },
          py::arg("past"))
      .def("set_services", &Detection::set_services, py::arg("services"), py::call_guard<py::gil_scoped_release>())
      .def(
          "find",
          [](Detection& self, const std::string& detector) {
            const std::optional<vpcflow::Detector> known = vpcflow::DetectorNamed(detector);
            if (!known) Raise("PlanError", "no detector '" + vpcflow::ValidUtf8(detector) + "'");
            std::vector<vpcflow::Finding> found;
            {
              const py::gil_scoped_release release;
              found = self.Find(*known);
            }
            py::list out;
            for (const vpcflow::Finding& finding : found) out.append(ToDict(finding));
            return out;
          },
          py::arg("detector"))
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
