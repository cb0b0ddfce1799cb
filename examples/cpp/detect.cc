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
  settings.Set("scan_ports", 50);
  absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make(settings);
  if (!sessions.ok() || !detection.ok()) {
    std::cerr << (sessions.ok() ? detection.status() : sessions.status()).message() << "\n";
    return 2;
  }
  if (const absl::Status status = detection->Add(*sessions); !status.ok()) {
    std::cerr << status.message() << "\n";
    return 2;
  }
  for (const char* detector : {"port_scan", "brute_force"}) {
    const absl::StatusOr<std::vector<vpcflow::Finding>> found = detection->Find(detector);
    if (!found.ok()) {
      std::cerr << found.status().message() << "\n";
      return 2;
    }
    for (const vpcflow::Finding& finding : *found) {
      std::cout << vpcflow::SeverityName(finding.severity) << "  " << finding.detector << "  " << finding.sentence
                << "\n";
      std::cout << vpcflow::ToJson(finding) << "\n";  // as `vpcflow detect --json`
    }
  }
  for (const vpcflow::DetectorCoverage& coverage : detection->Coverage()) {
    if (coverage.verdict == vpcflow::Verdict::kImpossible)
      std::cout << coverage.detector << " cannot see these logs: " << coverage.losses[0].without << "\n";
  }
  return sessions->report.status().ok() ? 0 : 2;
}
