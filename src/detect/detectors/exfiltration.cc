// exfiltration: very many bytes from an inside host to one outside peer.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/outside_requests.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"
#include "vpcflow/enrich/aws.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kExfilBytes = {
    "exfil_bytes", 500'000'000, "bytes",
    "bytes to one outside peer within a day; from four times as many on the severity is `high`"};
constexpr Setting<double> kExfilRatio = {"exfil_ratio", 5.0, "times", "how many times what came back, at least"};
constexpr Setting<double> kExfilTypical = {"exfil_typical", 100.0, "times",
                                           "how many times the source's median session, at least"};
constexpr Setting<Prefixes> kExfilKnown = {"exfil_known",
                                           "outside prefixes that may get much, such as those of your backups"};
constexpr Setting<AddressLabels> kAwsRanges = {
    "aws_ranges",
    "AWS's ip-ranges.json, by which uploads to S3 are known where the log does not name services; without it "
    "the list that comes with vpcflow, whose day is in the evidence"};
constexpr Setting<int64_t> kExfilSmall = {
    "exfil_small", 50'000'000, "bytes",
    "bytes within a day to an outside peer to which fewer than common_callers "
    "inside hosts send a hundredth of it, in 20 sessions or more or at no port of "
    "the web, and 20 times what came back"};
constexpr const SettingInfo* kSettings[] = {&kExfilBytes, &kExfilSmall, &kExfilRatio,    &kExfilTypical,
                                            &kExfilKnown, &kAwsRanges,  &kCommonCallers, &kOpenStrangers};

// What a session took from an inside host to an outside peer, whoever began.
struct Transfer {
  int64_t start, end;
  uint64_t sent, received;
  bool asked_for;  // the peer began
  int32_t port, protocol;
};
Transfer ByTheSource(const SessionRow& row) {
  return {row.start, row.end, row.sent, row.received, false, row.port, row.protocol};
}
Transfer ByThePeer(const SessionRow& row) {
  return {row.start, row.end, row.received, row.sent, true, row.port, row.protocol};
}

// What an inside host sent to one outside peer within the day in which it sent most.
struct Upload {
  uint32_t source = 0, peer = 0;
  uint128 sent = 0, received = 0;
  uint64_t sessions = 0, asked_for = 0;  // of these the ones that the peer began
  Span span{};
  int32_t port = kNullInt32, protocol = kNullInt32;  // of the largest session
  uint64_t largest = 0;
  int64_t senders = 0;  // inside hosts that sent the peer a hundredth of exfil_small or more
  uint64_t days = 0;    // of UTC, on which it sent half as much at least

  void Add(const Transfer& own) {
    sent += own.sent;
    received += own.received;
    ++sessions;
    asked_for += own.asked_for ? 1 : 0;
    span.first = std::min(span.first, own.start);
    span.last = std::max(span.last, own.end);
    const auto order = [](uint64_t size, int32_t at, int32_t over) {
      return std::tuple(size, -int64_t{at}, -int64_t{over});
    };
    if (sessions > 1 && order(own.sent, own.port, own.protocol) <= order(largest, port, protocol)) return;
    largest = own.sent;
    port = own.port;
    protocol = own.protocol;
  }
};

Upload UploadOf(uint32_t source, uint32_t peer, std::vector<Transfer>* transfers) {
  std::sort(transfers->begin(), transfers->end(), [](const Transfer& a, const Transfer& b) {
    return std::tie(a.start, a.sent, a.received, a.end) < std::tie(b.start, b.sent, b.received, b.end);
  });
  Upload out{source, peer};
  const auto sent = [](const Transfer& own) { return own.sent; };
  for (const Transfer& own : BusiestOf(std::span<const Transfer>(*transfers), kDay, sent)) out.Add(own);
  std::map<int64_t, uint128> by_day;
  for (const Transfer& own : *transfers) by_day[own.start / kDay] += own.sent;
  for (const auto& [day, bytes] : by_day) out.days += 2 * bytes >= out.sent ? 1 : 0;
  return out;
}

// The median session of a source to all outside peers but some; 0 without any.
uint64_t TypicalSession(const DetectorContext& context, uint32_t source, const absl::flat_hash_set<uint32_t>& peers) {
  const AddressTrait may_get_much = context.sessions.TraitOf(kExfilKnown);
  std::vector<uint64_t> sizes;
  for (const SessionRow& row : context.sessions.of(source)) {
    if (!context.outside(row.server) || context.sessions.Is(row.server, may_get_much) || peers.contains(row.server))
      continue;
    sizes.push_back(row.sent);
  }
  return sizes.empty() ? 0 : QuantileOf(&sizes, 0.5);
}

// AWS's service at an address, empty for none, and the day of the list that says so, empty if it is not known.
struct AwsService {
  std::string name, day;
};

// By the list given; without one, or where it has only a part of all addresses, by the one of the library, which has S3.
AwsService AwsServiceOf(const DetectorContext& context, const Ip& address, int64_t time) {
  const auto look_up = [&](const Labels& labels, std::string day) {
    const uint32_t label = labels.OfAddress(address, time);
    return label == Labels::kNone ? AwsService() : AwsService{labels.label(label), std::move(day)};
  };
  const AddressLabels& given = context.Get(kAwsRanges);
  AwsService out;
  if (given.labels != nullptr) out = look_up(*given.labels, given.day);
  if (out.name.empty() && (given.labels == nullptr || given.partial)) out = look_up(*AwsS3(), std::string(AwsDay()));
  return out;
}

constexpr uint64_t kEveryDay = 4;  // days: what a host does as often is its habit

bool IsSmall(const DetectorContext& context, const Upload& upload) {
  return static_cast<double>(upload.sent) < static_cast<double>(context.Get(kExfilBytes));
}

// Whether so little is worth a finding.
bool Hides(const DetectorContext& context, const Upload& upload) {
  constexpr uint64_t kManySessions = 20, kOneWay = 20;
  return upload.senders < context.Get(kCommonCallers) && upload.sent >= kOneWay * upload.received &&
         (upload.sessions >= kManySessions || !IsOneOf(kWebPorts, upload.port));
}

// What inside hosts send to S3, all its addresses together: a bucket has many, and an address many buckets.
class S3Senders {
 public:
  explicit S3Senders(const DetectorContext& context) : context_(context), sent_(context.sessions.address_count()) {
    int64_t first = std::numeric_limits<int64_t>::max(), last = std::numeric_limits<int64_t>::min();
    for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
      if (!context.inside(source)) continue;
      ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
        for (const SessionRow& row : rows) {
          first = std::min(first, row.start);
          last = std::max(last, row.start);
        }
        if (IsS3(rows)) sent_[source] += SentBefore(rows, std::numeric_limits<int64_t>::max());
      });
    }
    if (first <= last) days_ = (last - first) / kDay + 1;
  }
  // How many inside hosts send a tenth as much a day.
  int64_t Like(const Upload& upload) const {
    const auto days = static_cast<uint128>(days_);
    return std::count_if(sent_.begin(), sent_.end(), [&](uint128 sent) { return sent >= upload.sent * days / 10; });
  }
  // Whether the host was there for an hour before, and sent S3 next to nothing, in these logs and by its baseline.
  bool IsFirst(const Upload& upload) const {
    uint128 before = 0;
    int64_t seen = upload.span.first;
    ForEachRun(context_.sessions.of(upload.source), ByServer, [&](std::span<const SessionRow> rows) {
      for (const SessionRow& row : rows) seen = std::min(seen, row.start);
      if (IsS3(rows)) before += SentBefore(rows, upload.span.first);
    });
    uint64_t past = 0;
    for (const PastEdge& edge : context_.sessions.past()) {
      if (edge.client == upload.source &&
          AwsServiceOf(context_, context_.sessions.address(edge.server), upload.span.first).name == "S3")
        past += edge.sessions;
    }
    return past <= 2 * upload.sessions && seen + kHour <= upload.span.first && before * 10 < upload.sent;
  }

 private:
  static uint128 SentBefore(std::span<const SessionRow> rows, int64_t time) {
    uint128 sent = 0;
    for (const SessionRow& row : rows) sent += row.start < time ? row.sent : 0;
    return sent;
  }
  bool IsS3(std::span<const SessionRow> rows) const {
    constexpr uint128 kLooked = 100'000;  // bytes: less is not looked up
    return context_.outside(rows[0].server) && SentBefore(rows, std::numeric_limits<int64_t>::max()) >= kLooked &&
           AwsServiceOf(context_, context_.sessions.address(rows[0].server), rows[0].start).name == "S3";
  }

  const DetectorContext& context_;
  std::vector<uint128> sent_;  // by source
  int64_t days_ = 1;           // of the logs
};

// Whether other inside hosts read of one: what a store sends to S3 is a backup.
bool IsStore(const DetectorContext& context, uint32_t host) {
  constexpr int64_t kUsers = 5;
  constexpr int32_t kTcp = 6;
  const auto used = [&](int32_t port) { return context.prevalence.users({host, port, kTcp}) >= kUsers; };
  return std::any_of(kDatabasePorts.begin(), kDatabasePorts.end(), used) ||
         std::any_of(kStorePorts.begin(), kStorePorts.end(), used) ||
         std::any_of(kFilePorts.begin(), kFilePorts.end(), [&](int32_t port) { return port != kSsh && used(port); });
}

// Whether an upload to S3 is none of the habits of its host or of others: a bucket can be anybody's, but backups go to S3.
bool IsStrange(const DetectorContext& context, const Upload& upload, const S3Senders& senders) {
  return !IsSmall(context, upload) && senders.Like(upload) < context.Get(kCommonCallers) &&
         !IsStore(context, upload.source) && senders.IsFirst(upload);
}

// `uploaders`: how many inside hosts sent a tenth of exfil_bytes or more to the peer.
Finding ToFinding(const DetectorContext& context, const Upload& upload, uint64_t typical, int64_t uploaders,
                  std::optional<S3Senders>* s3_senders) {
  const bool small = IsSmall(context, upload);
  const auto much = static_cast<double>(context.Get(small ? kExfilSmall : kExfilBytes));
  const auto sent = static_cast<double>(upload.sent);
  const Ip &from = context.sessions.address(upload.source), &to = context.sessions.address(upload.peer);
  const auto [service, day] = AwsServiceOf(context, to, upload.span.first);
  const bool usual = uploaders >= context.Get(kCommonCallers) || upload.days >= kEveryDay, s3 = service == "S3";
  if (s3 && !*s3_senders) s3_senders->emplace(context);
  const bool strange = s3 && !usual && IsStrange(context, upload, **s3_senders);
  const Severity severity = usual || (s3 && !strange)           ? Severity::kLow
                            : !s3 && !small && sent >= 4 * much ? Severity::kHigh
                                                                : Severity::kMedium;
  Finding f = MakeFinding(severity, from, {to}, upload.span, ScoreOf(much, sent));
  const double unit = small ? 1e6 : 1e9;
  const bool asked_for = upload.asked_for == upload.sessions;
  f.sentence = absl::StrCat(
      ToString(from), " sent ", Fixed(sent / unit, 1), small ? " MB to " : " GB to ", ToString(to), ", which sent ",
      Fixed(static_cast<double>(upload.received) / unit, 2), small ? " MB" : " GB",
      asked_for ? absl::StrCat(" and asked for it at ", ServiceText(upload.port, upload.protocol)) : "",
      service.empty() ? "" : ", an address of AWS's ", service, ", in ", Counted(upload.sessions, "session"),
      asked_for ? "" : absl::StrCat(", most at ", ServiceText(upload.port, upload.protocol)),
      uploaders > 1 ? absl::StrCat("; ", Commas(static_cast<uint64_t>(uploaders)), " inside hosts send it much") : "",
      strange ? "; before it sent S3 next to nothing, and hardly another host sends as much" : "",
      upload.days >= kEveryDay ? absl::StrCat("; likewise on ", upload.days, " days") : "", When(upload.span));
  f.AddEvidence("sent", upload.sent)
      .AddEvidence("received", upload.received)
      .AddEvidence("sessions", Signed(upload.sessions))
      .AddEvidence("typical_session", Signed(typical))
      .AddEvidence("dstport", NumberOrNone(upload.port))
      .AddEvidence("protocol", NumberOrNone(upload.protocol))
      .AddEvidence("uploaders", uploaders)
      .AddEvidence("days", Signed(upload.days));
  if (!service.empty()) f.AddEvidence("aws_service", service);
  if (s3) f.AddEvidence("s3_senders", (*s3_senders)->Like(upload));
  if (!service.empty() && !day.empty()) f.AddEvidence("aws_ranges_of", day);
  return f;
}

// Every pair of an inside host and an outside peer to which it sent a tenth of exfil_bytes, or exfil_small, or more.
std::vector<Upload> UploadsOf(const DetectorContext& context) {
  const AddressTrait may_get_much = context.sessions.TraitOf(kExfilKnown);
  const auto least = static_cast<double>(std::min(context.Get(kExfilSmall), context.Get(kExfilBytes) / 10));
  absl::flat_hash_map<HostPair, std::vector<Transfer>> asked_for;
  const OutsideRequests outsiders(context);
  for (const SessionRow& row : outsiders.rows()) {
    if (!context.sessions.Is(row.client, may_get_much)) asked_for[{row.server, row.client}].push_back(ByThePeer(row));
  }
  std::vector<Upload> out;
  std::vector<Transfer> transfers;
  absl::flat_hash_map<uint32_t, int64_t> senders;  // by peer
  const auto keep = [&](uint32_t source, uint32_t peer) {
    uint128 sent = 0;
    for (const Transfer& own : transfers) sent += own.sent;
    if (static_cast<double>(sent) * 100 >= static_cast<double>(context.Get(kExfilSmall))) ++senders[peer];
    if (static_cast<double>(sent) < least) return;
    const Upload upload = UploadOf(source, peer, &transfers);
    if (static_cast<double>(upload.sent) >= least) out.push_back(upload);
  };
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const uint32_t peer = rows[0].server;
      if (!context.outside(peer) || context.sessions.Is(peer, may_get_much)) return;
      transfers.clear();
      if (const auto found = asked_for.find({source, peer}); found != asked_for.end()) {
        transfers = std::move(found->second);
        asked_for.erase(found);
      }
      for (const SessionRow& row : rows) transfers.push_back(ByTheSource(row));
      keep(source, peer);
    });
  }
  for (auto& [pair, own] : asked_for) {
    transfers = std::move(own);
    keep(pair.first, pair.second);
  }
  for (Upload& upload : out) upload.senders = std::max<int64_t>(senders[upload.peer], 1);
  return out;
}

std::vector<Finding> FindExfiltration(const DetectorContext& context) {
  std::vector<Upload> uploads = UploadsOf(context);
  absl::flat_hash_map<uint32_t, int64_t> uploaders;  // by peer
  absl::flat_hash_set<uint32_t> peers;
  for (const Upload& own : uploads) {
    if (static_cast<double>(own.sent) * 10 >= static_cast<double>(context.Get(kExfilBytes))) ++uploaders[own.peer];
  }
  std::erase_if(uploads, [&](const Upload& own) {
    if (!IsSmall(context, own)) return false;
    return static_cast<double>(own.sent) < static_cast<double>(context.Get(kExfilSmall)) || !Hides(context, own);
  });
  for (const Upload& own : uploads) peers.insert(own.peer);
  std::sort(uploads.begin(), uploads.end(), [](const Upload& a, const Upload& b) { return a.source < b.source; });
  std::vector<Finding> out;
  std::optional<S3Senders> s3_senders;
  std::optional<std::pair<uint32_t, uint64_t>> typical;  // of the source in hand
  for (const Upload& own : uploads) {
    const auto sent = static_cast<double>(own.sent);
    if (sent < context.Get(kExfilRatio) * static_cast<double>(own.received)) continue;
    if (!typical || typical->first != own.source)
      typical.emplace(own.source, TypicalSession(context, own.source, peers));
    if (sent >= context.Get(kExfilTypical) * static_cast<double>(typical->second))
      out.push_back(ToFinding(context, own, typical->second, std::max<int64_t>(uploaders[own.peer], 1), &s3_senders));
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who sends is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("where it goes is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there is no volume", {Field::kBytes}),
    Essential("there is no baseline over time", {Field::kStart}),
    Helpful("in and out are told by addresses alone", {Field::kFlowDirection}),
    Helpful("behind a NAT gateway the destination is the gateway", {Field::kPktDstAddr}),
    Helpful("buckets of others cannot be told from any other address", {Field::kPktDstAwsService}),
    Helpful("who opened the connection is told by ports alone", {Field::kTcpFlags}),
    Helpful("what web servers answer cannot be told from uploads", {Field::kDstPort}),
    Helpful("what web servers answer cannot be told from uploads", {Field::kSrcPort}),
    Helpful("services that answer everybody cannot be told from others", {Field::kPackets}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::exfiltration = {
    .name = "exfiltration",
    .technique = "T1048",
    .meaning = "unusual volume from inside to outside",
    .method =
        "Bytes from an inside host to one outside peer within a day, in all sessions together, whoever began them: "
        "what "
        "it sends, and what the peer reads from its stores (any port but 80 and 443, unless the service is open to "
        "everybody). Much, far more than came back, far more than its usual session; or less to a peer that hardly "
        "another inside host calls. S3 is known by the log where it names services, else by `aws_ranges`; uploads to "
        "it "
        "are `low`, unless the host is no store, sent S3 next to nothing before and hardly another one sends as much. "
        "So are those that several inside hosts, or a host on four days or more, send alike.",
    .misses =
        "who owns a bucket; DNS tunnels of small volume (`tunnel`); what a stranger fetches from a web server or from "
        "a "
        "service that many use",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindExfiltration,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
