// collection: an inside host that reads much from several inside stores.
#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/novelty.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kCollectionBytes = {
    "collection_bytes", 100'000'000, "bytes",
    "bytes that an inside host reads from one inside store within a day; a hundredth of it of a store that it never "
    "read "
    "before by its baseline; from 100 times as many of all stores together on the severity is `high`"};
constexpr Setting<int64_t> kCollectionStores = {"collection_stores", 3, "hosts",
                                                "stores of which it reads so much within a day"};
constexpr const SettingInfo* kSettings[] = {&kCollectionBytes, &kCollectionStores, &kCommonCallers, &kNewChance};

constexpr uint64_t kOneWay = 5;    // times what it sent
constexpr uint64_t kEveryDay = 4;  // days: what a host does as often is its habit
constexpr uint64_t kHabit = 2;     // times as many sessions in the past: so is that

// What one client read of one store within the day in which it read most.
struct Read {
  int64_t start = 0;
  uint32_t store = 0;
  uint128 received = 0, sent = 0;
  uint64_t sessions = 0;
  ServicePorts services{};
  Span span{};
  std::vector<SessionRow> rows{};  // of all days, by start
};

std::optional<Read> ReadOf(std::span<const SessionRow> all, uint128 least) {
  Read out;
  uint128 total = 0;
  for (const SessionRow& row : all) total += row.received;
  if (total == 0 || total < least) return {};
  for (const SessionRow& row : all) {
    if (row.Is(kAnswered) && IsStorePort(row.port)) out.rows.push_back(row);
  }
  std::sort(out.rows.begin(), out.rows.end(), [](const SessionRow& a, const SessionRow& b) {
    return std::tie(a.start, a.received, a.sent, a.end) < std::tie(b.start, b.received, b.sent, b.end);
  });
  const auto received = [](const SessionRow& row) { return row.received; };
  const auto day = BusiestOf(std::span<const SessionRow>(out.rows), kDay, received);
  for (const SessionRow& row : day) {
    out.received += row.received;
    out.sent += row.sent;
    ++out.sessions;
    out.services.Add(row);
    out.span.Add(row);
  }
  if (day.empty() || out.received < std::max<uint128>(least, 1) || out.received < kOneWay * out.sent) return {};
  out.start = day[0].start;
  out.store = day[0].server;
  return out;
}

// `collectors`: how many inside hosts collect from half of these stores or more.
Finding ToFinding(const DetectorContext& context, uint32_t source, std::span<const Read> reads, int64_t collectors) {
  uint128 received = 0, sent = 0;
  uint64_t sessions = 0;
  Counts stores;
  ServicePorts services;
  Span span;
  std::map<int64_t, uint128> by_day;
  for (const Read& read : reads) {
    received += read.received;
    sent += read.sent;
    sessions += read.sessions;
    stores.emplace_back(read.store, read.sessions);
    services.Add(read.services);
    span.first = std::min(span.first, read.span.first);
    span.last = std::max(span.last, read.span.last);
    for (const SessionRow& row : read.rows) by_day[row.start / kDay] += row.received;
  }
  uint64_t days = 0;
  for (const auto& [day, bytes] : by_day) days += 2 * bytes >= received ? 1 : 0;
  const auto much = static_cast<double>(context.Get(kCollectionBytes));
  const bool usual = days >= kEveryDay || collectors >= context.Get(kCommonCallers);
  const Severity severity = usual                                         ? Severity::kLow
                            : static_cast<double>(received) >= 100 * much ? Severity::kHigh
                                                                          : Severity::kMedium;
  Finding f = MakeFinding(severity, context.sessions.address(source), MostOf(context.sessions, stores), span,
                          ScoreOf(much, static_cast<double>(received)));
  f.sentence = absl::StrCat(context.text(source), " read ", Fixed(static_cast<double>(received) / 1e6, 1), " MB of ",
                            Counted(reads.size(), "inside store"), " at ", services.Text(), " within a day, in ",
                            Counted(sessions, "session"), ", and sent them ", Fixed(static_cast<double>(sent) / 1e6, 1),
                            " MB", days >= kEveryDay ? absl::StrCat("; likewise on ", days, " days") : "", When(span));
  f.AddEvidence("stores", Signed(reads.size()))
      .AddEvidence("received", received)
      .AddEvidence("sent", sent)
      .AddEvidence("sessions", Signed(sessions))
      .AddEvidence("collectors", collectors)
      .AddEvidence("days", Signed(days));
  services.AddTo(&f);
  return f;
}

std::vector<Finding> FindCollections(const DetectorContext& context) {
  const auto much = static_cast<uint128>(context.Get(kCollectionBytes));
  // Stores that a host reads as it did by its baseline do not count, those that surprise do with less.
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, uint64_t> known;  // sessions
  for (const PastEdge& edge : context.sessions.past()) known[{edge.client, edge.server}] += edge.sessions;
  const auto store_of = [&](const auto& row) -> std::optional<uint32_t> {
    if (!IsStorePort(row.port) || !context.inside(row.client) || !context.inside(row.server)) return {};
    return row.server;
  };
  const Habits habits(context, store_of);
  const auto surprises = habits.Unusual(store_of);
  std::map<uint32_t, std::vector<Read>> collected;    // by client, of its busiest day
  absl::flat_hash_map<uint32_t, int64_t> collectors;  // by store
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (!context.inside(source)) continue;
    std::vector<Read> reads;
    ForEachRun(context.sessions.of(source), ByServer, [&](std::span<const SessionRow> rows) {
      const uint32_t store = rows[0].server;
      if (!context.inside(store) || store == source) return;
      const bool surprising =
          context.sessions.has_past() &&
          std::any_of(rows.begin(), rows.end(), [&](const SessionRow& row) { return surprises(row); });
      std::optional<Read> read = ReadOf(rows, surprising ? much / 100 : much);
      const auto past = known.find({source, store});
      const bool usual = read && past != known.end() && past->second > kHabit * read->sessions;
      if (read && !usual) reads.push_back(*std::move(read));
    });
    std::stable_sort(reads.begin(), reads.end(), [](const Read& a, const Read& b) { return a.start < b.start; });
    const auto day = BusiestOf(std::span<const Read>(reads), kDay, [](const Read&) { return 1u; });
    if (day.empty() || Signed(day.size()) < context.Get(kCollectionStores)) continue;
    for (const Read& read : day) ++collectors[read.store];
    collected.emplace(source, std::vector<Read>(day.begin(), day.end()));
  }
  std::vector<Finding> out;
  for (const auto& [source, reads] : collected) {
    std::vector<uint64_t> like;
    for (const Read& read : reads) like.push_back(static_cast<uint64_t>(collectors[read.store]));
    out.push_back(ToFinding(context, source, reads, Signed(QuantileOf(&like, 0.5))));
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who reads is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("what is read is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there is no volume", {Field::kBytes}),
    Essential("there are no times", {Field::kStart}),
    Essential("stores cannot be told from other services", {Field::kDstPort}),
    Essential("a session that came about cannot be told from a refused one", {Field::kPackets}),
    Helpful("who reads cannot be told from who is read", {Field::kSrcPort}),
    Helpful("who opened the connection is told by ports alone", {Field::kTcpFlags}),
    Helpful("refused tries look like sessions", {Field::kAction}),
    Helpful("refused and accepted sessions look alike", {Field::kProtocol}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::collection = {
    .name = "collection",
    .technique = "T1074",
    .meaning = "an inside host that reads much from several inside stores",
    .method =
        "An inside host that reads much from each of several inside stores (databases, file shares, caches, search "
        "servers) within a day, far more than it sends, while hardly another host reads as much of them. With a "
        "baseline "
        "stores that it read before, more than twice as often, do not count, and those that surprise by its past (as "
        "`new_port`) do with a "
        "hundredth "
        "of the bytes. What a host does on four days or more is `low`.",
    .misses = "what is read from one store or two, or from a store at a port of its own",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindCollections,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
