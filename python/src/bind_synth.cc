// Synthetic logs.
#include "convert.h"

namespace vpcflow_python {
namespace {

vpcflow::SynthWorld WorldOf(const std::string& name) {
  if (name == "tame") return vpcflow::SynthWorld::kTame;
  if (name == "office") return vpcflow::SynthWorld::kOffice;
  RaiseStatus(vpcflow::MakeError(vpcflow::ErrorKind::kSynth, "synth: no world '" + vpcflow::internal::Printable(name) +
                                                                 "'; there are tame, office"));
}

vpcflow::SynthOptions SynthFrom(const py::dict& d) {
  vpcflow::SynthOptions o;
  const auto set = [&](const char* key, auto* out) {
    if (d.contains(key) && !d[key].is_none()) *out = ValueOf<std::decay_t<decltype(*out)>>(d[key], key, "SynthError");
  };
  set("records", &o.records);
  set("seed", &o.seed);
  if (d.contains("format") && !d["format"].is_none()) o.format = ParseFormat(d["format"].cast<std::string>());
  set("start", &o.start);
  set("hours", &o.hours);
  set("window", &o.window);
  set("interfaces", &o.interfaces);
  set("accounts", &o.accounts);
  set("peers", &o.peers);
  set("noise_sources", &o.noise_sources);
  set("ipv6_share", &o.ipv6_share);
  set("nodata_share", &o.nodata_share);
  set("skipdata_share", &o.skipdata_share);
  set("reject_share", &o.reject_share);
  if (d.contains("world") && !d["world"].is_none()) o.world = WorldOf(d["world"].cast<std::string>());
  set("plant", &o.plant);
  set("intensity", &o.intensity);
  set("files", &o.files);
  set("gzip", &o.gzip);
  set("gzip_level", &o.gzip_level);
  set("header", &o.header);
  set("s3_layout", &o.s3_layout);
  return o;
}

}  // namespace

void BindSynth(py::module_& m) {
  m.def("plants", [] {
    py::list out;
    for (const vpcflow::PlantInfo& plant : vpcflow::Plants())
      out.append(py::make_tuple(plant.world == vpcflow::SynthWorld::kTame ? "tame" : "office", plant.name, plant.benign,
                                plant.meaning));
    return out;
  });
  m.def(
      "synthesize",
      [](const py::dict& options, const std::string& folder, const py::object& progress) {
        const vpcflow::SynthOptions o = SynthFrom(options);
        absl::StatusOr<vpcflow::SynthSummary> summary = vpcflow::SynthSummary();
        {
          const py::gil_scoped_release release;
          summary = vpcflow::Synthesize(o, folder, [&](uint64_t records) {
            const py::gil_scoped_acquire gil;
            if (PyErr_CheckSignals() != 0) return false;
            try {
              if (!progress.is_none()) progress(records, o.records);
              return true;
            } catch (py::error_already_set& e) {
              e.restore();
              return false;
            }
          });
        }
        if (!summary.ok()) RaiseStatus(summary.status());
        py::dict out;
        out["records"] = summary->records;
        out["text_bytes"] = summary->text_bytes;
        out["files"] = summary->files;
        out["labels"] = summary->labels_json;
        return out;
      },
      py::arg("options"), py::arg("folder"), py::arg("progress"));
  m.def(
      "synthesize_text",
      [](const py::dict& options) {
        const vpcflow::SynthOptions o = SynthFrom(options);
        vpcflow::SynthSummary summary;
        absl::StatusOr<std::string> text = std::string();
        {
          const py::gil_scoped_release release;
          text = vpcflow::SynthesizeText(o, &summary);
        }
        if (!text.ok()) RaiseStatus(text.status());
        return py::make_tuple(py::bytes(*text), summary.labels_json);
      },
      py::arg("options"));
}

}  // namespace vpcflow_python
