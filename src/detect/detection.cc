#include "vpcflow/detect/detection.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/detect/calibration.h"
#include "src/detect/detectors.h"
#include "src/detect/sessions.h"
#include "vpcflow/enrich/aws.h"
#include "vpcflow/error/error.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN

namespace internal {

namespace {

std::vector<Finding> FindAny(Detector detector, const Asked& asked) {
  switch (detector) {
    case Detector::kPortScan: return FindPortScans(asked);
    case Detector::kBruteForce: return FindBruteForce(asked);
    case Detector::kExfiltration: return FindExfiltration(asked);
    case Detector::kBeacon: return FindBeacons(asked);
    case Detector::kLateralMovement: return FindLateralMovement(asked);
    case Detector::kUnauthorisedAccess: return FindUnauthorisedAccess(asked);
    case Detector::kAcceptedAfterReject: return FindAcceptedAfterReject(asked);
    case Detector::kFlood: return FindFloods(asked);
    case Detector::kTunnel: return FindTunnels(asked);
    case Detector::kKnownBad: return FindKnownBad(asked);
    case Detector::kNewAdminEdge: return FindNewAdminEdges(asked);
    case Detector::kNewPort: return FindNewPorts(asked);
    case Detector::kNewProtocol: return FindNewProtocols(asked);
    case Detector::kNewDestination: return FindNewDestinations(asked);
    case Detector::kNewCountry: return FindNewCountries(asked);
  }
  return {};
}

// A total order: how parts were added does not show.
bool Worse(const Finding& a, const Finding& b) {
  const auto own = [](const Finding& f) { return std::tuple(f.severity, -f.score); };
  if (own(a) != own(b)) return own(a) < own(b);
  if (a.actor != b.actor) return CompareAddressText(a.actor, b.actor) < 0;
  return std::tie(a.start, a.targets, a.end, a.sentence) < std::tie(b.start, b.targets, b.end, b.sentence);
}

}  // namespace
}  // namespace internal

struct Detection::Impl {
  std::mutex mutex;  // of what follows
  DetectSettings settings;
  internal::Sessions sessions;
  std::shared_ptr<const Labels> services = AwsS3();
  std::string_view services_day = AwsDay();

  absl::Status CheckMemory() const {
    if (settings.max_memory == 0 || sessions.bytes() <= settings.max_memory) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat("detect: ", sessions.size(),
                                                     " sessions take more than max_memory, ", settings.max_memory,
                                                     " bytes; detect parts of the logs"));
  }
};

Detection::Detection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Detection::Detection(Detection&&) noexcept = default;
Detection& Detection::operator=(Detection&&) noexcept = default;
Detection::~Detection() = default;

std::optional<Detector> DetectorNamed(std::string_view name) {
  const auto at = std::find(kDetectorNames.begin(), kDetectorNames.end(), name);
  if (at == kDetectorNames.end()) return std::nullopt;
  return static_cast<Detector>(at - kDetectorNames.begin());
}

absl::StatusOr<Detection> Detection::Make(DetectSettings settings) {
  auto impl = std::make_unique<Impl>();
  if (absl::Status status = impl->sessions.Init(settings); !status.ok()) return status;
  impl->settings = std::move(settings);
  return Detection(std::move(impl));
}

absl::Status Detection::Add(const Table& sessions) {
  const std::lock_guard lock(impl_->mutex);
  if (absl::Status status = impl_->sessions.Add(sessions); !status.ok()) return status;
  return impl_->CheckMemory();
}

absl::Status Detection::Merge(const Detection& other) {
  if (&other == this) return MakeError(ErrorKind::kPlan, "detect: merged with itself; sessions would count twice");
  const std::scoped_lock locks(impl_->mutex, other.impl_->mutex);  // in an order that never blocks
  impl_->sessions.Merge(other.impl_->sessions);
  return impl_->CheckMemory();
}

absl::Status Detection::AddBaseline(const Table& past) {
  const std::lock_guard lock(impl_->mutex);
  if (absl::Status status = impl_->sessions.AddPast(past); !status.ok()) return status;
  return impl_->CheckMemory();
}

void Detection::set_services(std::shared_ptr<const Labels> services) {
  const std::lock_guard lock(impl_->mutex);
  impl_->services = std::move(services);
  impl_->services_day = {};
}

std::vector<Finding> Detection::Find(Detector detector) {
  const std::lock_guard lock(impl_->mutex);
  impl_->sessions.Order();
  std::vector<Finding> out =
      internal::FindAny(detector, {impl_->sessions, impl_->settings, *impl_->services, impl_->services_day});
  for (Finding& f : out) f.confidence = internal::ConfidenceOf(detector, f.severity, f.score);
  std::sort(out.begin(), out.end(), internal::Worse);
  return out;
}

size_t Detection::sessions() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->sessions.size();
}
size_t Detection::bytes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->sessions.bytes();
}

VPCFLOW_NAMESPACE_END
