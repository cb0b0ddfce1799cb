// beacon: sessions from inside to one outside service at regular times with like sizes.
#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kBeaconSessions = {"beacon_sessions", 6, "sessions", "sessions with one outside service"};
constexpr Setting<double> kBeaconJitter = {
    "beacon_jitter", 0.1, "share", "how much the time between them may vary: median deviation by median, at most"};
constexpr const SettingInfo* kSettings[] = {&kBeaconSessions, &kBeaconJitter};

// Returns the median of values that are not empty; of an even number of them the mean of the two in the middle.
double Median(std::vector<double> values) {
  const size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half), values.end());
  const double upper = values[half];
  if (values.size() % 2 != 0) return upper;
  return (*std::max_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half)) + upper) / 2;
}

std::vector<Finding> FindBeacons(const DetectorContext& context) {
  constexpr double kShortest = 30;  // seconds: below, the resolution of start times and windows
  const auto least = static_cast<size_t>(std::max<int64_t>(context.Get(kBeaconSessions), 2));
  std::vector<Finding> out;
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    const std::span<const SessionRow> all = context.sessions.of(source);
    if (!context.inside(source) || all.size() < least) continue;
    ForEachRun(all, ByService, [&](std::span<const SessionRow> rows) {
      if (rows.size() < least || context.inside(rows[0].server)) return;
      std::vector<uint64_t> sizes;
      std::vector<int64_t> starts;
      Span span;
      for (const SessionRow& row : rows) {
        if ((row.traits & kFailed) != 0) continue;
        sizes.push_back(row.sent);
        starts.push_back(row.start);
        span.Add(row);
      }
      if (sizes.size() < least) return;
      const uint64_t low = QuantileOf(&sizes, 0.25), high = QuantileOf(&sizes, 0.75);
      if (static_cast<double>(high - low) > 0.2 * static_cast<double>(std::max<uint64_t>(high, 1))) return;
      std::sort(starts.begin(), starts.end());
      std::vector<double> gaps;
      for (size_t i = 1; i < starts.size(); ++i) gaps.push_back(static_cast<double>(starts[i] - starts[i - 1]));
      const double period = Median(gaps);
      if (period < kShortest) return;
      for (double& gap : gaps) gap = std::abs(gap - period);
      const double jitter = Median(std::move(gaps)) / period;
      if (jitter > context.Get(kBeaconJitter)) return;
      const Ip& to = context.sessions.address(rows[0].server);
      const double of_jitter = context.Get(kBeaconJitter) > 0 ? jitter / context.Get(kBeaconJitter) : 0;
      const double of_calls = static_cast<double>(context.Get(kBeaconSessions)) / static_cast<double>(starts.size());
      Finding f = MakeFinding(Severity::kMedium, context.sessions.address(source), {to}, span,
                              1 - 0.5 * (of_jitter + of_calls) / 2);
      f.sentence = absl::StrCat(context.text(source), " called ", ToString(to), " port ", PortText(rows[0].port), " ",
                                Commas(starts.size()), " times, every ", Fixed(period, 0), " s", When(span));
      f.AddEvidence("sessions", Signed(starts.size()))
          .AddEvidence("period", period)
          .AddEvidence("jitter", Rounded(jitter, 4))
          .AddEvidence("dstport", NumberOrNone(rows[0].port))
          .AddEvidence("bytes", std::vector<int64_t>{Signed(low), Signed(high)});
      out.push_back(std::move(f));
    });
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who calls is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who is called is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Helpful("starts of connections are guessed from gaps", {Field::kTcpFlags}),
    Helpful("where a connection goes on over several windows is guessed", {Field::kEnd}),
    Helpful("different services of a host are mixed", {Field::kDstPort}),
    Helpful("connections are told apart by time alone", {Field::kSrcPort}),
    Helpful("calls of the same size cannot be seen", {Field::kBytes}),
    Helpful("calls that failed look like calls", {Field::kPackets}),
    Helpful("calls that were refused look like calls", {Field::kAction}),
};

}  // namespace

constinit const DetectorInfo detectors::beacon = {
    .name = "beacon",
    .technique = "T1071",
    .meaning = "connections that come back at regular times",
    .method = "Sessions from inside to one outside service at regular times with like sizes.",
    .misses = "periods within a window, and what one long connection hides",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindBeacons,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
