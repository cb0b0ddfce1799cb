// ToJson: findings as JSON, with the members that `vpcflow detect --json` prints but for `id`, which is Python's.
//
// Example:
//   spec.sessions.emplace();
//   absl::StatusOr<vpcflow::Result> sessions = vpcflow::Plan::Make(spec)->Run(sources, {});
//   absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make({});
//   detection->Add(*sessions).IgnoreError();
//   const std::vector<vpcflow::DetectorCoverage> coverage = detection->Coverage();   // in the order of Detectors()
//   for (size_t i = 0; i < coverage.size(); ++i) {
//     const vpcflow::FindingCoverage hidden = vpcflow::DescribeCoverage(coverage[i], sessions->report);
//     for (const vpcflow::Finding& finding : detection->Find(*vpcflow::Detectors()[i]))
//       std::cout << vpcflow::ToJson(finding, hidden) << "\n";
//   }
#ifndef VPCFLOW_DETECT_FINDING_JSON_H_
#define VPCFLOW_DETECT_FINDING_JSON_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/detect/detection.h"
#include "vpcflow/detect/finding.h"
#include "vpcflow/result/report.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Of findings as JSON: their names and types are those of docs/reference/schemas.md.
inline constexpr int kFindingSchemaVersion = 1;

// What the logs could not show to the detector of a finding, in words; what is empty was shown.
struct FindingCoverage {
  std::vector<std::string_view> degraded{};  // what is lost by the formats, each once
  std::vector<std::string_view> add{};       // the fields that would show it, each once
  std::string unknown{};                     // why it is not known what the logs show
  std::string blind{};                       // in which of the sources the detector sees nothing
  std::string skipdata{};
  std::string one_direction{};
};

// Describes a coverage, with what the report of the sessions tells.
FindingCoverage DescribeCoverage(const DetectorCoverage& coverage, const Report& report);

// Says that a detector or rule sees nothing of some of the sources, for the fields that they lack, and for those that
// are null in every record of theirs.
std::string BlindIn(uint64_t blind, uint64_t sources, std::span<const std::string_view> lacking,
                    std::span<const std::string_view> null = {});

// Returns a finding as one JSON object of ASCII, without line end: schema_version, detector, severity, actor, targets, start, end, score,
// technique, evidence, coverage, sentence, confidence (null if there is none), samples. Samples, records that lie behind
// a finding, are Python's alone: the list is empty. Bytes that are not UTF-8 become U+FFFD.
std::string ToJson(const Finding& finding, const FindingCoverage& coverage = {});

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_DETECT_FINDING_JSON_H_
