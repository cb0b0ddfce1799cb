#include "src/detect/context.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "vpcflow/base/time.h"
#include "vpcflow/result/table.h"
#include "vpcflow/sketch/log_histogram.h"

VPCFLOW_NAMESPACE_BEGIN

Finding& Finding::AddEvidence(std::string_view name, Evidence value) {
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
  const auto at = values->begin() + static_cast<ptrdiff_t>(LogHistogram::RankOf(q, values->size()) - 1);
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

std::string Counted(uint128 n, std::string_view what) {
  return absl::StrCat(Commas(n), " ", std::string(what), n == 1 ? "" : "s");
}

namespace {

// "" for TCP, "UDP ", "protocol 132 ".
std::string ProtocolText(int32_t protocol) {
  constexpr int32_t kTcp = 6, kUdp = 17;
  if (protocol == kNullInt32 || protocol == kTcp) return "";
  return protocol == kUdp ? "UDP " : absl::StrCat("protocol ", protocol, " ");
}

}  // namespace

std::string ServiceText(int32_t port, int32_t protocol) {
  const std::string prefix = ProtocolText(protocol);
  if (HasPort(port) || prefix.empty()) return absl::StrCat(prefix, "port ", PortText(port));
  return absl::StrCat("protocol ", protocol);
}

std::string PortsText(int32_t protocol, uint64_t ports) { return Counted(ports, ProtocolText(protocol) + "port"); }

std::vector<int64_t> ProtocolsOf(const std::set<int32_t>& protocols) {
  std::vector<int64_t> out(protocols.begin(), protocols.end());
  std::erase(out, int64_t{kNullInt32});
  return out;
}

std::string ServicePorts::Text() const {
  std::vector<std::string> parts;
  size_t shown = 0;
  for (auto at = services_.begin(); at != services_.end() && shown < kShown;) {
    const int32_t protocol = at->first;
    std::vector<std::string> ports;
    for (; at != services_.end() && at->first == protocol && shown < kShown; ++at, ++shown)
      ports.push_back(PortText(at->second));
    if (ports.size() == 1 && ports[0] == "-" && !ProtocolText(protocol).empty()) {
      parts.push_back(absl::StrCat("protocol ", protocol));
    } else {
      parts.push_back(
          absl::StrCat(ProtocolText(protocol), ports.size() == 1 ? "port " : "ports ", absl::StrJoin(ports, ", ")));
    }
  }
  return absl::StrJoin(parts, " and ");
}

void ServicePorts::AddTo(Finding* finding, std::string_view name) const {
  std::vector<int64_t> ports;
  std::set<int32_t> protocols;
  for (const auto& [protocol, port] : services_) {
    if (ports.size() == kShown) break;
    if (port != kNullInt32) ports.push_back(port);
    protocols.insert(protocol);
  }
  finding->AddEvidence(name, ports).AddEvidence("protocols", ProtocolsOf(protocols));
}

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
  return absl::StrCat(", ", instant(span.first), " to ", instant(span.last), " UTC");
}

Finding MakeFinding(Severity severity, const Ip& actor, std::vector<Ip> targets, const Span& span, double score) {
  Finding out;
  out.severity = severity;
  out.actor = actor;
  out.targets = std::move(targets);
  out.start = span.first;
  out.end = span.last;
  out.score = Rounded(score, 3);
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
