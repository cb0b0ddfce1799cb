#include "vpcflow/detect/detection.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/detect/calibration.h"
#include "src/detect/detectors.h"
#include "src/detect/sessions.h"
#include "vpcflow/base/time.h"
#include "vpcflow/enrich/aws.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN

Finding& Finding::Note(std::string_view name, Evidence value) {
  evidence.emplace_back(name, std::move(value));
  return *this;
}

namespace internal {

std::vector<Ip> MostOf(const Sessions& sessions, Counts counts) {
  constexpr size_t kMost = 20;
  const size_t n = std::min(kMost, counts.size());
  std::partial_sort(counts.begin(), counts.begin() + static_cast<ptrdiff_t>(n), counts.end(),
                    [&](const auto& a, const auto& b) {
                      if (a.second != b.second) return a.second > b.second;
                      return CompareAddressText(sessions.address(a.first), sessions.address(b.first)) < 0;
                    });
  std::vector<Ip> out;
  for (size_t i = 0; i < n; ++i) out.push_back(sessions.address(counts[i].first));
  return out;
}

uint64_t QuantileOf(std::vector<uint64_t>* values, double q) {
  const auto n = static_cast<double>(values->size());
  const auto rank = static_cast<size_t>(std::clamp(std::ceil(q * n), 1.0, n)) - 1;
  const auto at = values->begin() + static_cast<ptrdiff_t>(rank);
  std::nth_element(values->begin(), at, values->end());
  return *at;
}

std::string Commas(uint128 n) {
  std::string digits;
  int count = 0;
  do {
    if (count != 0 && count % 3 == 0) digits.push_back(',');
    digits.push_back(static_cast<char>('0' + static_cast<int>(n % 10)));
    n /= 10;
    ++count;
  } while (n != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string Fixed(double value, int digits) {
  char text[64];
  const int n = std::snprintf(text, sizeof(text), "%.*f", digits, value);
  std::string out(text, static_cast<size_t>(std::clamp(n, 0, 63)));
  const size_t point = std::min(out.find('.'), out.size());
  for (size_t at = point; at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

double Rounded(double value, int digits) {
  char text[400];  // of the greatest double
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return std::strtod(text, nullptr);
}

double ScoreOf(double threshold, double count) {
  return count > 0 ? 1 - 0.5 * threshold / std::max(count, threshold) : 0.5;
}

std::string PortText(int32_t port) { return port == kNullInt32 ? "-" : std::to_string(port); }

Evidence NumberOrNone(int32_t value) {
  if (value == kNullInt32) return std::monostate();
  return int64_t{value};
}

std::string When(const Span& span) {
  const auto instant = [](int64_t seconds) {
    std::string text = FormatInstant(seconds);
    text.pop_back();  // Z
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text;
  };
  return absl::StrCat(", ", instant(span.first), " to ", instant(span.last));
}

Finding Made(std::string_view detector, std::string_view technique, Severity severity, const Ip& actor,
             std::vector<Ip> targets, const Span& span, double score) {
  Finding out;
  out.detector = detector;
  out.severity = severity;
  out.actor = actor;
  out.targets = std::move(targets);
  out.start = span.first;
  out.end = span.last;
  out.score = Rounded(score, 3);
  out.technique = technique;
  return out;
}

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
  if (absl::Status status = impl_->sessions.Add(sessions); !status.ok()) return status;
  return impl_->CheckMemory();
}

absl::Status Detection::Merge(const Detection& other) {
  impl_->sessions.Merge(other.impl_->sessions);
  return impl_->CheckMemory();
}

absl::Status Detection::AddBaseline(const Table& past) {
  if (absl::Status status = impl_->sessions.AddPast(past); !status.ok()) return status;
  return impl_->CheckMemory();
}

void Detection::set_services(std::shared_ptr<const Labels> services) {
  impl_->services = std::move(services);
  impl_->services_day = {};
}

std::vector<Finding> Detection::Find(Detector detector) {
  impl_->sessions.Order();
  std::vector<Finding> out =
      internal::FindAny(detector, {impl_->sessions, impl_->settings, *impl_->services, impl_->services_day});
  for (Finding& f : out) f.confidence = internal::ConfidenceOf(detector, f.severity, f.score);
  std::sort(out.begin(), out.end(), internal::Worse);
  return out;
}

size_t Detection::sessions() const { return impl_->sessions.size(); }
size_t Detection::bytes() const { return impl_->sessions.bytes(); }

VPCFLOW_NAMESPACE_END
