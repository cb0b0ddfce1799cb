// exfiltration: very many bytes from an inside host to one outside peer.
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/outside_requests.h"
#include "src/detect/registry.h"
#include "vpcflow/enrich/aws.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kExfilBytes = {
    "exfil_bytes", 500'000'000, "bytes",
    "bytes to one outside peer; from four times as many on the severity is `high`"};
constexpr Setting<double> kExfilRatio = {"exfil_ratio", 5.0, "times", "how many times what came back, at least"};
constexpr Setting<double> kExfilTypical = {"exfil_typical", 100.0, "times",
                                           "how many times the source's median session, at least"};
constexpr Setting<Prefixes> kExfilKnown = {"exfil_known",
                                           "outside prefixes that may get much, such as those of your backups"};
constexpr Setting<AddressLabels> kAwsRanges = {
    "aws_ranges",
    "AWS's ip-ranges.json, by which uploads to S3 are known where the log does not name services; without it "
    "the list that comes with vpcflow, whose day is in the evidence"};
constexpr const SettingInfo* kSettings[] = {&kExfilBytes, &kExfilRatio, &kExfilTypical, &kExfilKnown, &kAwsRanges};

// What an inside host sent to one outside peer, whoever began.
struct Upload {
  uint32_t source = 0, peer = 0;
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

// The median session of a source to all outside peers but some; 0 without any.
uint64_t TypicalSession(const DetectorContext& context, uint32_t source, const absl::flat_hash_set<uint32_t>& peers) {
  const AddressTrait may_get_much = context.sessions.TraitOf(kExfilKnown);
  std::vector<uint64_t> sizes;
  for (const SessionRow& row : context.sessions.of(source)) {
    if (context.inside(row.server) || context.sessions.Is(row.server, may_get_much) || peers.contains(row.server))
      continue;
    sizes.push_back(row.sent);
  }
  return sizes.empty() ? 0 : QuantileOf(&sizes, 0.5);
}

// Returns AWS's services by address: of the list given, else the one that comes with the library, which has S3.
AddressLabels ServicesOf(const DetectorContext& context) {
  const AddressLabels& given = context.Get(kAwsRanges);
  return given.labels != nullptr ? given : AddressLabels{AwsS3(), std::string(AwsDay()), false};
}

Finding ToFinding(const DetectorContext& context, const Upload& upload, uint64_t typical) {
  const auto much = static_cast<double>(context.Get(kExfilBytes)), sent = static_cast<double>(upload.sent);
  const Ip &from = context.sessions.address(upload.source), &to = context.sessions.address(upload.peer);
  // A bucket can be anybody's, but backups go to S3.
  const AddressLabels services = ServicesOf(context);
  const uint32_t label = services.labels->OfAddress(to, upload.span.first);
  const std::string service = label == Labels::kNone ? std::string() : services.labels->label(label);
  const Severity severity = service == "S3" ? Severity::kLow : sent >= 4 * much ? Severity::kHigh : Severity::kMedium;
  Finding f = MakeFinding(severity, from, {to}, upload.span, ScoreOf(much, sent));
  f.sentence = absl::StrCat(
      ToString(from), " sent ", Fixed(sent / 1e9, 1), " GB to ", ToString(to), ", which sent ",
      Fixed(static_cast<double>(upload.received) / 1e9, 2), " GB", service.empty() ? "" : ", an address of AWS's ",
      service,
      upload.asked_for == upload.sessions ? absl::StrCat(", which asked for it at port ", PortText(upload.port)) : "",
      When(upload.span));
  f.AddEvidence("sent", upload.sent)
      .AddEvidence("received", upload.received)
      .AddEvidence("sessions", Signed(upload.sessions))
      .AddEvidence("typical_session", Signed(typical));
  if (upload.asked_for == upload.sessions) f.AddEvidence("dstport", NumberOrNone(upload.port));
  if (!service.empty()) f.AddEvidence("aws_service", service);
  if (!service.empty() && !services.day.empty()) f.AddEvidence("aws_ranges_of", services.day);
  return f;
}

std::vector<Finding> FindExfiltration(const DetectorContext& context) {
  const AddressTrait may_get_much = context.sessions.TraitOf(kExfilKnown);
  absl::flat_hash_map<HostPair, Upload> asked_for;
  const OutsideRequests outsiders(context);
  for (const SessionRow& row : outsiders.rows()) {
    if (context.sessions.Is(row.client, may_get_much)) continue;
    asked_for.try_emplace({row.server, row.client}, Upload{row.server, row.client}).first->second.AddAskedFor(row);
  }
  std::vector<Upload> uploads;
  absl::flat_hash_set<uint32_t> peers;
  const auto keep = [&](const Upload& own) {
    if (static_cast<double>(own.sent) < static_cast<double>(context.Get(kExfilBytes))) return;
    uploads.push_back(own);
    peers.insert(own.peer);
  };
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const uint32_t peer = rows[0].server;
      if (context.inside(peer) || context.sessions.Is(peer, may_get_much)) return;
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
    if (sent < context.Get(kExfilRatio) * static_cast<double>(own.received)) continue;
    if (!typical || typical->first != own.source)
      typical.emplace(own.source, TypicalSession(context, own.source, peers));
    if (sent >= context.Get(kExfilTypical) * static_cast<double>(typical->second))
      out.push_back(ToFinding(context, own, typical->second));
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
    Helpful("the way out (internet, peering, endpoint) is unknown", {Field::kTrafficPath}),
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
        "Bytes from an inside host to one outside peer, in all sessions together, whoever began them: what it sends, "
        "and "
        "what the peer reads from its stores (any port but 80 and 443, unless ten outside hosts got an answer there: "
        "everybody may). Much, far more than came back, far more than its usual session. S3 is known by the log where "
        "it "
        "names services, else by `aws_ranges`; uploads to it are `low`.",
    .misses =
        "who owns a bucket; DNS tunnels of small volume; what a stranger fetches from a web server or from a service "
        "that "
        "many use",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindExfiltration,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
