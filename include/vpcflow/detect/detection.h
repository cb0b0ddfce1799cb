// Detection: findings out of sessions, by any of the detectors.
//
// Example:
//   vpcflow::PlanSpec spec;
//   spec.sessions.emplace();
//   absl::StatusOr<vpcflow::Result> sessions = vpcflow::Plan::Make(spec)->Run(sources, {});
//   absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make({});
//   detection->Add(sessions->table).IgnoreError();                 // as often as there are parts
//   for (const vpcflow::Finding& found : detection->Find(vpcflow::Detector::kPortScan)) Print(found.sentence);
//
// It is an accumulator of sessions: parts of one log (days, machines) that hold whole sessions can be added in any
// order, or be in several Detections that are merged; findings are the same. (Sessions that go on from one part to the
// next are put together before, by Aggregation.)
//
// Add is O(sessions), expected; memory is 72 bytes for each counted session and some 60 for each address, and
// kResourceExhausted beyond DetectSettings::max_memory. Find orders what was added once, O(n log n) and twice the
// memory meanwhile; then it is O(n), and O(n log n) in the sessions of sources that may be told. Not for several
// threads at a time.
#ifndef VPCFLOW_DETECT_DETECTION_H_
#define VPCFLOW_DETECT_DETECTION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/detect/finding.h"
#include "vpcflow/detect/settings.h"
#include "vpcflow/enrich/labels.h"
#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

enum class Detector : uint8_t {
  kPortScan,
  kBruteForce,
  kExfiltration,
  kBeacon,
  kLateralMovement,
  kUnauthorisedAccess,
  kAcceptedAfterReject,
  kFlood,
  kTunnel,
  kKnownBad,
  kNewAdminEdge,
  kNewPort,
  kNewProtocol,
  kNewDestination,
  kNewCountry
};
inline constexpr std::array<std::string_view, 15> kDetectorNames = {"port_scan",
                                                                    "brute_force",
                                                                    "exfiltration",
                                                                    "beacon",
                                                                    "lateral_movement",
                                                                    "unauthorised_access",
                                                                    "accepted_after_reject",
                                                                    "flood",
                                                                    "tunnel",
                                                                    "known_bad",
                                                                    "new_admin_edge",
                                                                    "new_port",
                                                                    "new_protocol",
                                                                    "new_destination",
                                                                    "new_country"};
std::optional<Detector> DetectorNamed(std::string_view name);

// Any number of threads may use one Detection at once; its calls wait for each other. Only moving and destroying it are
// for one thread. std::bad_alloc may leave any call.
class Detection {
 public:
  // kInvalidArgument names what is no address and no prefix.
  static absl::StatusOr<Detection> Make(DetectSettings settings);
  Detection(Detection&&) noexcept;
  Detection& operator=(Detection&&) noexcept;
  ~Detection();

  // Sessions, as plans give them (vpcflow/session/sessions.h); those that are not `counted` are left out.
  // kInvalidArgument for another table.
  absl::Status Add(const Table& sessions);
  // The sessions of another one with the same settings, and its baseline. kInvalidArgument for itself.
  absl::Status Merge(const Detection& other);
  // Who talked to whom before, a row each: srcaddr, dstaddr, dstport; protocol, without which new_protocol finds
  // nothing; n, sessions, 1 without. Without a baseline no detector of what is new finds anything.
  absl::Status AddBaseline(const Table& past);
  // Labels by which exfiltration knows AWS's services (its "S3" is of low severity); frozen, not null. Without them it
  // goes by the addresses of S3 that come with the library (vpcflow/enrich/aws.h).
  void set_services(std::shared_ptr<const Labels> services);

  // Findings of one detector, worst first.
  std::vector<Finding> Find(Detector detector);

  size_t sessions() const;
  size_t bytes() const;

 private:
  struct Impl;
  explicit Detection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_DETECT_DETECTION_H_
