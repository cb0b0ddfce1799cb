// Detection: findings out of sessions, by any of the detectors.
//
// Example:
//   vpcflow::PlanSpec spec;
//   spec.sessions.emplace();
//   absl::StatusOr<vpcflow::Result> sessions = vpcflow::Plan::Make(spec)->Run(sources, {});
//   absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make({});
//   detection->Add(*sessions).IgnoreError();                       // as often as there are parts
//   for (const vpcflow::DetectorInfo* detector : vpcflow::Detectors())
//     for (const vpcflow::Finding& found : detection->Find(*detector)) std::cout << found.sentence << "\n";
//   for (const vpcflow::DetectorCoverage& c : detection->Coverage())
//     if (c.verdict == vpcflow::Verdict::kImpossible) std::cout << c.detector << " cannot see these logs\n";
//
// A Detection is an accumulator of sessions: parts of one log (days, machines) that hold whole sessions can be added in
// any order, or be in several Detections that are merged; findings are the same. (Sessions that go on from one part to
// the next are put together before, by Aggregation.)
//
// Add is O(sessions), expected; memory is 72 bytes for each counted session and some 60 for each address, and
// kResourceExhausted beyond DetectSettings::max_memory. Find orders what was added once, O(n log n) and twice the
// memory meanwhile; then it is O(n), and O(n log n) in the sessions of sources that may be reported.
#ifndef VPCFLOW_DETECT_DETECTION_H_
#define VPCFLOW_DETECT_DETECTION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/detect/detector.h"
#include "vpcflow/detect/finding.h"
#include "vpcflow/detect/settings.h"
#include "vpcflow/plan/plan.h"
#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// What the logs hide from a detector, by their formats and by fields that are null in every record.
struct DetectorCoverage {
  // A loss: a missing field, its consequence, and the number of sources.
  struct Loss {
    std::string_view without{};
    Field field = Field::kUnknown;  // the one to add
    bool essential = false;         // the detector sees nothing of these sources
    uint64_t sources = 0;
    uint64_t null = 0;  // of the sources those that have the field, but as null in every record
  };
  std::string_view detector{};
  Verdict verdict = Verdict::kExact;  // kImpossible if no source shows what the detector looks for
  uint64_t sources = 0;               // all that were added; 0 if what they show is not known
  bool unknown = false;               // of some sessions it is not known what their logs show
  uint64_t blind = 0;                 // of them those of which the detector sees nothing
  std::vector<Loss> losses{};         // most important first
};

// An inside host that hands on what others send, as NAT gateways do. In logs without the packets' own addresses (version
// 2) its sessions repeat those of the hosts behind it, and are left out.
struct Gateway {
  Ip address{};
  uint64_t repeated = 0;  // sessions that were left out
};

// Tries that are not in sessions, but in counts by server, port and minute (SessionSpec::fold_above).
struct FoldedCounts {
  uint64_t tries = 0;
  uint64_t sources = 0;  // hosts that sent them, about: the estimate of a DistinctSketch for each table that was added
};

// Any number of threads may use one Detection at once; its calls wait for each other. Only moving and destroying it are
// for one thread. std::bad_alloc may leave any call.
class Detection {
 public:
  // Checks the settings. kInvalidArgument names a setting that no detector has, with the nearest one; a value of
  // another type; a text that is no address and no prefix.
  static absl::StatusOr<Detection> Make(const DetectSettings& settings);
  Detection(Detection&&) noexcept;
  Detection& operator=(Detection&&) noexcept;
  ~Detection();

  // Adds sessions, as plans give them (vpcflow/session/sessions.h), and the formats of their logs; sessions that are
  // not `counted` are left out. kInvalidArgument for a result that holds no sessions.
  absl::Status Add(const Result& sessions);
  // Adds sessions of logs whose formats are not known.
  absl::Status Add(const Table& sessions);
  // Adds formats of logs, each with the number of sources that have it, as Report::formats, and what these sources show,
  // as Report::shown; without that, as if each field of the formats had values.
  void AddFormats(const std::map<std::string, uint64_t>& formats, const std::map<std::string, uint64_t>& shown);
  void AddFormats(const std::map<std::string, uint64_t>& formats) { AddFormats(formats, formats); }
  // Adds the sessions, baseline and formats of another Detection with the same settings. kInvalidArgument for itself.
  absl::Status Merge(const Detection& other);
  // Adds who talked to whom before, a row each: srcaddr, dstaddr, dstport; protocol, without which new_protocol finds
  // nothing; n, sessions, 1 without. Detectors whose row names the input "baseline" find nothing without it.
  absl::Status AddBaseline(const Table& past);
  // Replaces the labels of a setting, such as "aws_ranges" by services that were looked up for the peers found first.
  // kInvalidArgument for a setting that has no labels.
  absl::Status SetLabels(std::string_view setting, AddressLabels labels);

  // Returns the findings of one detector, worst first.
  std::vector<Finding> Find(const DetectorInfo& detector);
  // Returns the same by name. kInvalidArgument for an unknown one, with the nearest.
  absl::StatusOr<std::vector<Finding>> Find(std::string_view detector);
  // Returns what each detector could not see by what was added of formats, in the order of Detectors().
  std::vector<DetectorCoverage> Coverage() const;

  // Returns the hosts that were taken for gateways, by the text of their addresses.
  std::vector<Gateway> Gateways();

  // Returns how many tries are folded. Of the detectors `flood` counts them; the others see nothing in so few of a host.
  FoldedCounts Folded() const;

  size_t sessions() const;
  size_t bytes() const;

 private:
  struct Impl;
  explicit Detection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_DETECT_DETECTION_H_
