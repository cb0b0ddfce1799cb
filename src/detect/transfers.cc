// Those who send what they should not, or when: exfiltration, tunnels, beacons.
#include <cmath>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/detect/detectors.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// What an inside host sent to one outside peer.
struct Upload {
  uint32_t source, peer;
  uint128 sent = 0, received = 0;
  uint64_t sessions = 0;
  Span span;
};

// The median session of a source to all outside peers but some; 0 without any.
uint64_t TypicalSession(const Asked& asked, uint32_t source, const absl::flat_hash_set<uint32_t>& peers) {
  std::vector<uint64_t> sizes;
  for (const SessionRow& row : asked.sessions.of(source)) {
    if (asked.inside(row.server) || asked.sessions.Is(row.server, kMayGetMuch) || peers.contains(row.server)) continue;
    sizes.push_back(row.sent);
  }
  return sizes.empty() ? 0 : QuantileOf(&sizes, 0.5);
}

Finding TellUpload(const Asked& asked, const Upload& upload, uint64_t typical) {
  const auto much = static_cast<double>(asked.settings.exfil_bytes), sent = static_cast<double>(upload.sent);
  const Ip &from = asked.sessions.address(upload.source), &to = asked.sessions.address(upload.peer);
  // A bucket can be anybody's, but backups go to S3.
  const uint32_t label = asked.services.OfAddress(to, upload.span.first);
  const std::string service = label == Labels::kNone ? std::string() : asked.services.label(label);
  const Severity severity = service == "S3" ? Severity::kLow : sent >= 4 * much ? Severity::kHigh : Severity::kMedium;
  Finding f = Made("exfiltration", "T1048", severity, from, {to}, upload.span, ScoreOf(much, sent));
  f.sentence = absl::StrCat(ToString(from), " sent ", Fixed(sent / 1e9, 1), " GB to ", ToString(to), ", which sent ",
                            Fixed(static_cast<double>(upload.received) / 1e9, 2), " GB",
                            service.empty() ? "" : ", an address of AWS's ", service, When(upload.span));
  f.Note("sent", upload.sent)
      .Note("received", upload.received)
      .Note("sessions", Signed(upload.sessions))
      .Note("typical_session", Signed(typical));
  if (!service.empty()) f.Note("aws_service", service);
  if (!service.empty() && !asked.services_day.empty()) f.Note("aws_ranges_of", std::string(asked.services_day));
  return f;
}

}  // namespace

std::vector<Finding> FindExfiltration(const Asked& asked) {
  const DetectSettings& s = asked.settings;
  std::vector<Upload> uploads;
  absl::flat_hash_set<uint32_t> peers;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    if (!asked.inside(source)) continue;
    ForEachRun(asked.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const uint32_t peer = rows[0].server;
      if (asked.inside(peer) || asked.sessions.Is(peer, kMayGetMuch)) return;
      Upload own{source, peer, 0, 0, rows.size(), {}};
      for (const SessionRow& row : rows) {
        own.sent += row.sent;
        own.received += row.received;
        own.span.Add(row);
      }
      if (static_cast<double>(own.sent) < static_cast<double>(s.exfil_bytes)) return;
      uploads.push_back(own);
      peers.insert(peer);
    });
  }
  std::vector<Finding> out;
  std::optional<std::pair<uint32_t, uint64_t>> typical;  // of the source in hand
  for (const Upload& own : uploads) {
    const auto sent = static_cast<double>(own.sent);
    if (sent < s.exfil_ratio * static_cast<double>(own.received)) continue;
    if (!typical || typical->first != own.source) typical.emplace(own.source, TypicalSession(asked, own.source, peers));
    if (sent >= s.exfil_typical * static_cast<double>(typical->second))
      out.push_back(TellUpload(asked, own, typical->second));
  }
  return out;
}

std::vector<Finding> FindTunnels(const Asked& asked) {
  constexpr int32_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpV6 = 58;
  constexpr double kLargePing = 200;  // bytes a packet
  struct Kind {
    const char* name;
    int64_t limit;
    double size;
    bool (*is)(const SessionRow&);
  };
  const Kind kinds[] = {
      {"DNS", asked.settings.tunnel_bytes, 0,
       [](const SessionRow& r) { return r.port == 53 && (r.protocol == kTcp || r.protocol == kUdp); }},
      {"NTP", asked.settings.tunnel_bytes, 0, [](const SessionRow& r) { return r.port == 123 && r.protocol == kUdp; }},
      {"ICMP", asked.settings.tunnel_icmp, kLargePing,
       [](const SessionRow& r) { return r.protocol == kIcmp || r.protocol == kIcmpV6; }}};
  std::vector<Finding> out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    if (!asked.inside(source)) continue;
    ForEachRun(asked.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      if (asked.inside(rows[0].server)) return;
      for (const Kind& kind : kinds) {
        uint128 bytes = 0, packets = 0;
        Span span;
        for (const SessionRow& row : rows) {
          if (!kind.is(row)) continue;
          bytes += row.sent;
          packets += row.packets;
          span.Add(row);
        }
        const double size = packets == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(packets);
        if (bytes == 0 || static_cast<double>(bytes) < static_cast<double>(kind.limit) || size < kind.size) continue;
        const Ip &from = asked.sessions.address(source), &to = asked.sessions.address(rows[0].server);
        Finding f = Made("tunnel", "T1572", Severity::kMedium, from, {to}, span,
                         ScoreOf(static_cast<double>(kind.limit), static_cast<double>(bytes)));
        f.sentence =
            absl::StrCat(ToString(from), " sent ", Commas(bytes), " bytes of ", kind.name, " to ", ToString(to));
        f.Note("srcaddr", from).Note("dstaddr", to).Note("bytes", bytes).Note("packets", packets).Note("size", size);
        out.push_back(std::move(f));
      }
    });
  }
  return out;
}

namespace {

// Of numbers, not none; of an even number of them the mean of the two in the middle.
double Median(std::vector<double> values) {
  const size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half), values.end());
  const double upper = values[half];
  if (values.size() % 2 != 0) return upper;
  return (*std::max_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(half)) + upper) / 2;
}

}  // namespace

std::vector<Finding> FindBeacons(const Asked& asked) {
  constexpr double kShortest = 30;  // seconds: below, the resolution of start times and windows
  const DetectSettings& s = asked.settings;
  const auto least = static_cast<size_t>(std::max<int64_t>(s.beacon_sessions, 2));
  std::vector<Finding> out;
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    const std::span<const SessionRow> all = asked.sessions.of(source);
    if (!asked.inside(source) || all.size() < least) continue;
    ForEachRun(all, ByService, [&](std::span<const SessionRow> rows) {
      if (rows.size() < least || asked.inside(rows[0].server)) return;
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
      if (jitter > s.beacon_jitter) return;
      const Ip& to = asked.sessions.address(rows[0].server);
      const double of_jitter = s.beacon_jitter > 0 ? jitter / s.beacon_jitter : 0;
      const double of_calls = static_cast<double>(s.beacon_sessions) / static_cast<double>(starts.size());
      Finding f = Made("beacon", "T1071", Severity::kMedium, asked.sessions.address(source), {to}, span,
                       1 - 0.5 * (of_jitter + of_calls) / 2);
      f.sentence = absl::StrCat(asked.text(source), " called ", ToString(to), " port ", PortText(rows[0].port), " ",
                                Commas(starts.size()), " times, every ", Fixed(period, 0), " s", When(span));
      f.Note("sessions", Signed(starts.size()))
          .Note("period", period)
          .Note("jitter", Rounded(jitter, 4))
          .Note("dstport", NumberOrNone(rows[0].port))
          .Note("bytes", std::vector<int64_t>{Signed(low), Signed(high)});
      out.push_back(std::move(f));
    });
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
