// Detectors: findings out of the conversations of a log, by name.
#include <vpcflow/vpcflow.h>

#include <iostream>

int main(int argc, char** argv) {
  absl::StatusOr<std::vector<vpcflow::Source>> sources = vpcflow::Source::Expand(argc > 1 ? argv[1] : "-");
  if (!sources.ok()) {
    std::cerr << sources.status().message() << "\n";
    return 2;
  }
  vpcflow::PlanSpec spec;
  spec.sessions.emplace();
  absl::StatusOr<vpcflow::Result> sessions = vpcflow::Plan::Make(spec)->Run(*sources, {});
  vpcflow::DetectSettings settings;
  settings.scan_ports = 50;
  absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make(settings);
  if (!sessions.ok() || !detection.ok()) {
    std::cerr << (sessions.ok() ? detection.status() : sessions.status()).message() << "\n";
    return 2;
  }
  if (const absl::Status status = detection->Add(sessions->table); !status.ok()) {
    std::cerr << status.message() << "\n";
    return 2;
  }
  for (const vpcflow::Detector detector : {vpcflow::Detector::kPortScan, vpcflow::Detector::kBruteForce}) {
    for (const vpcflow::Finding& found : detection->Find(detector)) {
      std::cout << found.detector << "  " << found.sentence << "\n";
    }
  }
  return sessions->report.status().ok() ? 0 : 2;
}
