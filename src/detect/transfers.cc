// Those who send what they should not, or when: exfiltration, tunnels, beacons.
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/detect/detectors.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// What an inside host sent to one outside peer, whoever began.
struct Upload {
  uint32_t source, peer;
  uint128 sent = 0, received = 0;
  uint64_t sessions = 0, asked_for = 0;  // of these the ones that the peer began
  Span span{};
  int32_t port = kNullInt32;  // of the largest session that the peer began
  uint64_t largest = 0;

  // A session that the source began, or nobody knows who.
  void Add(const SessionRow& row) {
    sent += row.sent;
    received += row.received;
    ++sessions;
    span.Add(row);
  }
  // A session that the peer began.
  void AddAskedFor(const SessionRow& row) {
    sent += row.received;
    received += row.sent;
    ++sessions;
    ++asked_for;
    span.Add(row);
    if (asked_for > 1 && std::pair(row.received, -int64_t{row.port}) <= std::pair(largest, -int64_t{port})) return;
    largest = row.received;
    port = row.port;
  }
};

using Pair = std::pair<uint32_t, uint32_t>;
using Service = std::tuple<uint32_t, int32_t, int32_t>;  // host, port, protocol

// Sessions that outside hosts began and in which inside ones sent something, but at services that everybody may use:
// web servers', and those that answered so many outside hosts.
class AskedFor {
 public:
  explicit AskedFor(const Asked& asked) {
    absl::flat_hash_map<Service, std::vector<uint32_t>> clients;
    for (const SessionRow& row : asked.sessions.rows()) {
      if (!IsOutsiders(asked, row)) continue;
      rows_.push_back(row);
      if (!row.Is(kAnswered)) continue;
      std::vector<uint32_t>& known = clients[ServiceOf(row)];
      if (known.size() < kEverybody && std::find(known.begin(), known.end(), row.client) == known.end())
        known.push_back(row.client);
    }
    const auto is_public = [&](const SessionRow& row) {
      const auto found = clients.find(ServiceOf(row));
      return found != clients.end() && found->second.size() == kEverybody;
    };
    rows_.erase(std::remove_if(rows_.begin(), rows_.end(), is_public), rows_.end());
  }
  std::span<const SessionRow> rows() const { return rows_; }

 private:
  static constexpr size_t kEverybody = 10;
  static constexpr std::array<int32_t, 2> kWebPorts = {80, 443};
  static Service ServiceOf(const SessionRow& row) { return {row.server, row.port, row.protocol}; }
  static bool IsOutsiders(const Asked& asked, const SessionRow& row) {
    return row.received > 0 && asked.inside(row.server) && !asked.inside(row.client) && !IsOneOf(kWebPorts, row.port);
  }

  std::vector<SessionRow> rows_;
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
  f.sentence = absl::StrCat(
      ToString(from), " sent ", Fixed(sent / 1e9, 1), " GB to ", ToString(to), ", which sent ",
      Fixed(static_cast<double>(upload.received) / 1e9, 2), " GB", service.empty() ? "" : ", an address of AWS's ",
      service,
      upload.asked_for == upload.sessions ? absl::StrCat(", which asked for it at port ", PortText(upload.port)) : "",
      When(upload.span));
  f.Note("sent", upload.sent)
      .Note("received", upload.received)
      .Note("sessions", Signed(upload.sessions))
      .Note("typical_session", Signed(typical));
  if (upload.asked_for == upload.sessions) f.Note("dstport", NumberOrNone(upload.port));
  if (!service.empty()) f.Note("aws_service", service);
  if (!service.empty() && !asked.services_day.empty()) f.Note("aws_ranges_of", std::string(asked.services_day));
  return f;
}

}  // namespace

std::vector<Finding> FindExfiltration(const Asked& asked) {
  const DetectSettings& s = asked.settings;
  absl::flat_hash_map<Pair, Upload> asked_for;
  const AskedFor outsiders(asked);
  for (const SessionRow& row : outsiders.rows()) {
    if (asked.sessions.Is(row.client, kMayGetMuch)) continue;
    asked_for.try_emplace({row.server, row.client}, Upload{row.server, row.client}).first->second.AddAskedFor(row);
  }
  std::vector<Upload> uploads;
  absl::flat_hash_set<uint32_t> peers;
  const auto keep = [&](const Upload& own) {
    if (static_cast<double>(own.sent) < static_cast<double>(s.exfil_bytes)) return;
    uploads.push_back(own);
    peers.insert(own.peer);
  };
  for (uint32_t source = 0; source < asked.sessions.address_count(); ++source) {
    if (!asked.inside(source)) continue;
    ForEachRun(asked.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const uint32_t peer = rows[0].server;
      if (asked.inside(peer) || asked.sessions.Is(peer, kMayGetMuch)) return;
      Upload own{source, peer};
      if (const auto found = asked_for.find({source, peer}); found != asked_for.end()) {
        own = found->second;
        asked_for.erase(found);
      }
      for (const SessionRow& row : rows) own.Add(row);
      keep(own);
    });
  }
  for (const auto& [pair, own] : asked_for) keep(own);
  std::sort(uploads.begin(), uploads.end(), [](const Upload& a, const Upload& b) { return a.source < b.source; });
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
  struct Sum {
    uint128 bytes = 0, packets = 0, back = 0;
    Span span;
  };
  std::vector<Finding> out;
  const AskedFor outsiders(asked);
  for (const Kind& kind : kinds) {
    absl::flat_hash_map<Pair, Sum> sums;
    const auto add = [&](SessionRow row) {
      if (!kind.is(row)) return;
      if (asked.inside(row.server)) row.Swap();  // that an outside host began
      Sum& own = sums[{row.client, row.server}];
      own.bytes += row.sent;
      own.packets += row.packets;
      own.back += row.received;
      own.span.Add(row);
    };
    for (const SessionRow& row : asked.sessions.rows()) {
      if (asked.inside(row.client) && !asked.inside(row.server)) add(row);
    }
    for (const SessionRow& row : outsiders.rows()) add(row);
    for (const auto& [pair, own] : sums) {
      const double size = own.packets == 0 ? 0 : static_cast<double>(own.bytes) / static_cast<double>(own.packets);
      if (own.bytes == 0 || static_cast<double>(own.bytes) < static_cast<double>(kind.limit) || size < kind.size)
        continue;
      const Ip &from = asked.sessions.address(pair.first), &to = asked.sessions.address(pair.second);
      Finding f = Made("tunnel", "T1572", Severity::kMedium, from, {to}, own.span,
                       ScoreOf(static_cast<double>(kind.limit), static_cast<double>(own.bytes)));
      f.sentence = absl::StrCat(ToString(from), " sent ", Commas(own.bytes), " bytes of ", kind.name, " to ",
                                ToString(to), ", which sent ", Commas(own.back));
      f.Note("srcaddr", from).Note("dstaddr", to).Note("bytes", own.bytes).Note("received", own.back);
      f.Note("packets", own.packets).Note("size", size);
      out.push_back(std::move(f));
    }
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
