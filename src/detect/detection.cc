#include "vpcflow/detect/detection.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/coverage.h"
#include "src/detect/prevalence.h"
#include "src/detect/registry.h"
#include "vpcflow/error/error.h"
#include "vpcflow/export/text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

// A total order: how parts were added does not show.
bool Worse(const Finding& a, const Finding& b) {
  const auto own = [](const Finding& f) { return std::tuple(f.severity, -f.score); };
  if (own(a) != own(b)) return own(a) < own(b);
  if (a.actor != b.actor) return CompareAddressText(a.actor, b.actor) < 0;
  return std::tie(a.start, a.targets, a.end, a.sentence) < std::tie(b.start, b.targets, b.end, b.sentence);
}

absl::Status NoDetector(std::string_view name) {
  std::vector<std::string_view> names;
  for (const DetectorInfo* detector : Detectors()) names.push_back(detector->name);
  const std::string nearest = Nearest(name, names);
  return MakeError(ErrorKind::kPlan,
                   absl::StrCat("no detector '", ValidUtf8(name), "'", nearest.empty() ? "" : "; did you mean '",
                                nearest, nearest.empty() ? "" : "'?"));
}

}  // namespace

struct Detection::Impl {
  std::mutex mutex;  // of what follows
  size_t max_memory = 0;
  internal::ResolvedSettings settings;
  internal::Sessions sessions;
  std::optional<internal::Prevalence> prevalence;  // of the sessions, once they are asked for
  std::map<std::string, uint64_t> formats, shown;  // as of Report

  absl::Status Add(const Table& table) {
    prevalence.reset();
    if (absl::Status status = sessions.Add(table); !status.ok()) return status;
    return CheckMemory();
  }
  void AddFormats(const std::map<std::string, uint64_t>& more, const std::map<std::string, uint64_t>& more_shown) {
    for (const auto& [format, sources] : more) formats[format] += sources;
    for (const auto& [fields, sources] : more_shown) shown[fields] += sources;
  }
  absl::Status CheckMemory() const {
    if (max_memory == 0 || sessions.bytes() <= max_memory) return absl::OkStatus();
    return MakeError(ErrorKind::kMemory,
                     absl::StrCat("detect: ", sessions.size(), " sessions take more than max_memory, ", max_memory,
                                  " bytes; detect parts of the logs"));
  }
};

Detection::Detection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Detection::Detection(Detection&&) noexcept = default;
Detection& Detection::operator=(Detection&&) noexcept = default;
Detection::~Detection() = default;

absl::StatusOr<Detection> Detection::Make(const DetectSettings& settings) {
  absl::StatusOr<internal::ResolvedSettings> resolved = internal::ResolvedSettings::Make(settings);
  if (!resolved.ok()) return resolved.status();
  auto impl = std::make_unique<Impl>();
  impl->settings = *std::move(resolved);
  if (absl::Status status = impl->sessions.Init(impl->settings); !status.ok()) return status;
  impl->max_memory = settings.max_memory;
  return Detection(std::move(impl));
}

absl::Status Detection::Add(const Result& sessions) {
  const std::lock_guard lock(impl_->mutex);
  if (absl::Status status = impl_->Add(sessions.table); !status.ok()) return status;
  impl_->AddFormats(sessions.report.formats, sessions.report.shown);
  return absl::OkStatus();
}

absl::Status Detection::Add(const Table& sessions) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->Add(sessions);
}

void Detection::AddFormats(const std::map<std::string, uint64_t>& formats,
                           const std::map<std::string, uint64_t>& shown) {
  const std::lock_guard lock(impl_->mutex);
  impl_->AddFormats(formats, shown);
}

absl::Status Detection::Merge(const Detection& other) {
  if (&other == this) return MakeError(ErrorKind::kPlan, "detect: merged with itself; sessions would count twice");
  const std::scoped_lock locks(impl_->mutex, other.impl_->mutex);  // in an order that never blocks
  impl_->prevalence.reset();
  impl_->sessions.Merge(other.impl_->sessions);
  impl_->AddFormats(other.impl_->formats, other.impl_->shown);
  return impl_->CheckMemory();
}

absl::Status Detection::AddBaseline(const Table& past) {
  const std::lock_guard lock(impl_->mutex);
  impl_->prevalence.reset();  // there may be more addresses
  if (absl::Status status = impl_->sessions.AddPast(past); !status.ok()) return status;
  return impl_->CheckMemory();
}

absl::Status Detection::SetLabels(std::string_view setting, AddressLabels labels) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->settings.SetLabels(setting, std::move(labels));
}

absl::StatusOr<std::vector<Finding>> Detection::Find(std::string_view detector) {
  const DetectorInfo* info = DetectorNamed(detector);
  if (info == nullptr) return NoDetector(detector);
  return Find(*info);
}

std::vector<Finding> Detection::Find(const DetectorInfo& detector) {
  const std::lock_guard lock(impl_->mutex);
  impl_->sessions.Order();
  if (!impl_->prevalence) impl_->prevalence.emplace(impl_->sessions);
  std::vector<Finding> out = detector.find({impl_->sessions, impl_->settings, *impl_->prevalence});
  for (Finding& f : out) {
    f.detector = detector.name;
    f.technique = detector.technique;
  }
  std::sort(out.begin(), out.end(), Worse);
  return out;
}

std::vector<DetectorCoverage> Detection::Coverage() const {
  const std::lock_guard lock(impl_->mutex);
  return internal::CoverageOf(impl_->formats, impl_->shown);
}

std::vector<Gateway> Detection::Gateways() {
  const std::lock_guard lock(impl_->mutex);
  impl_->sessions.Order();
  std::vector<Gateway> out;
  for (const auto& [number, repeated] : impl_->sessions.gateways())
    out.push_back({impl_->sessions.address(number), repeated});
  std::sort(out.begin(), out.end(),
            [](const Gateway& a, const Gateway& b) { return CompareAddressText(a.address, b.address) < 0; });
  return out;
}

FoldedCounts Detection::Folded() const {
  const std::lock_guard lock(impl_->mutex);
  return {impl_->sessions.folded_tries(), impl_->sessions.folded_sources()};
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
