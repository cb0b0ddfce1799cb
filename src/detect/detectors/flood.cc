// flood: minutes in which one port left very many sources without answer, or one host very many packets.
#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/detect/busiest.h"
#include "src/detect/context.h"
#include "src/detect/ports.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<int64_t> kFloodSources = {
    "flood_sources", 500, "sources a minute",
    "sources that one port left without answer in a minute (public playbooks: 500)"};
constexpr Setting<int64_t> kFloodPackets = {"flood_packets", 1'000'000, "packets a minute",
                                            "packets that one host got without answer in a minute"};
constexpr Setting<int64_t> kFloodReflectors = {
    "flood_reflectors", 100, "sources a minute",
    "servers of one UDP port that answer a host in a minute without having been asked"};
constexpr Setting<int64_t> kFloodSlow = {
    "flood_slow", 300, "sessions",
    "sessions of one outside host with one service that begin within ten minutes, last five and say next to nothing"};
constexpr const SettingInfo* kSettings[] = {&kFloodSources, &kFloodPackets, &kFloodReflectors, &kFloodSlow};

constexpr int64_t kMinute = 60;

// What a target got in a minute of one session, or of folded tries.
struct Piece : SessionRow {
  explicit Piece(const SessionRow& row) : SessionRow(row) {}
  uint64_t sources = 0, tries = 1;  // of folded tries, whose client is not known: how many sent them, and their number
  bool one_service = true;
};

int64_t MinuteOf(const SessionRow& row) { return row.start - ((row.start % kMinute) + kMinute) % kMinute; }

// What one target got in a minute without answering.
struct Minute {
  int64_t time = 0;
  uint64_t tries = 0, sources = 0, folded = 0;  // tries that were folded
  uint128 packets = 0;
  uint32_t most = 0;  // the source that sent most, if one is known
  uint128 most_packets = 0;
  Span span;
};

// The minutes of pieces that stand in the order of time.
std::vector<Minute> MinutesOf(const DetectorContext& context, std::span<const Piece> pieces) {
  std::vector<Minute> out;
  ForEachRun(pieces, MinuteOf, [&](std::span<const Piece> own) {
    Minute minute;
    minute.time = MinuteOf(own[0]);
    absl::flat_hash_map<uint32_t, uint128> sources;
    for (const Piece& piece : own) {
      minute.tries += piece.tries;
      minute.packets += piece.packets;
      minute.span.Add(piece);
      if (piece.sources == 0) {
        sources[piece.client] += piece.packets;
      } else {
        minute.sources += piece.sources;
        minute.folded += piece.tries;
      }
    }
    minute.sources += sources.size();
    if (!sources.empty()) minute.most = sources.begin()->first;
    for (const auto& [source, packets] : sources) {
      const bool before =
          packets == minute.most_packets &&
          CompareAddressText(context.sessions.address(source), context.sessions.address(minute.most)) < 0;
      if (packets > minute.most_packets || before) minute.most = source;
      minute.most_packets = std::max(minute.most_packets, packets);
    }
    out.push_back(minute);
  });
  return out;
}

// Calls fn(worst minute, span, minutes) for each run of minutes that follow each other and for which is(minute) holds;
// the worst one is the first with the most by size(minute).
template <class Is, class Size, class Fn>
void ForEachFlood(const std::vector<Minute>& minutes, Is is, Size size, Fn fn) {
  for (size_t i = 0; i < minutes.size();) {
    if (!is(minutes[i])) {
      ++i;
      continue;
    }
    size_t end = i + 1, worst = i;
    Span span = minutes[i].span;
    for (; end < minutes.size() && is(minutes[end]) && minutes[end].time - minutes[end - 1].time <= kMinute; ++end) {
      if (size(minutes[end]) > size(minutes[worst])) worst = end;
      span.first = std::min(span.first, minutes[end].span.first);
      span.last = std::max(span.last, minutes[end].span.last);
    }
    fn(minutes[worst], span, end - i);
    i = end;
  }
}

Finding ToFinding(const DetectorContext& context, uint32_t host, const Span& span, size_t minutes, const Minute& worst,
                  double score, const std::string& sentence, const SessionRow* port = nullptr) {
  Finding f = MakeFinding(Severity::kHigh, context.sessions.address(host), {}, span, score);
  f.sentence = absl::StrCat(sentence, When(span));
  f.AddEvidence("dstaddr", context.sessions.address(host));
  if (port != nullptr)
    f.AddEvidence("dstport", NumberOrNone(port->port)).AddEvidence("protocol", NumberOrNone(port->protocol));
  f.AddEvidence("time", worst.time);
  f.AddEvidence("sources", Signed(worst.sources));
  f.AddEvidence("packets", worst.packets);
  f.AddEvidence("tries", Signed(worst.tries));
  if (worst.folded > 0) f.AddEvidence("folded", Signed(worst.folded));
  if (minutes > 1) f.AddEvidence("bins", Signed(minutes));
  return f;
}

int64_t TriesIn(std::span<const Piece> pieces) {
  uint64_t tries = 0;
  for (const Piece& piece : pieces) tries += piece.tries;
  return Signed(tries);
}

// A record of a server that somebody asked in the host's name has the port of a service as the sender's. `answers`: the
// port served by what other records show, too.
bool MayBeReflected(const DetectorContext& context, const SessionRow& row, bool answers) {
  constexpr int32_t kUdp = 17;
  return row.protocol == kUdp && HasPort(row.client_port) && row.client_port < kDynamicPorts &&
         (answers || (context.outside(row.client) && row.client_port != row.port));
}

// Answers that nobody asked for: servers of one port to whom somebody wrote in the host's name. Takes them out of `rows`.
void Reflections(const DetectorContext& context, std::vector<Piece>* rows, std::vector<Finding>* out) {
  std::stable_sort(rows->begin(), rows->end(), [](const Piece& a, const Piece& b) {
    return std::tie(a.client_port, a.start) < std::tie(b.client_port, b.start);
  });
  const auto many = [&](const Minute& m) { return Signed(m.sources) >= context.Get(kFloodReflectors); };
  const auto by_port = [](const Piece& piece) { return piece.client_port; };
  std::set<int32_t> told;
  ForEachRun(std::span<const Piece>(*rows), by_port, [&](std::span<const Piece> own) {
    if (TriesIn(own) < context.Get(kFloodReflectors)) return;
    ForEachFlood(
        MinutesOf(context, own), many, [](const Minute& m) { return m.sources; },
        [&](const Minute& worst, const Span& span, size_t minutes) {
          out->push_back(
              ToFinding(context, own[0].server, span, minutes, worst,
                        ScoreOf(static_cast<double>(context.Get(kFloodReflectors)), static_cast<double>(worst.sources)),
                        absl::StrCat(Counted(worst.sources, "server"), " of UDP port ", own[0].client_port, " sent ",
                                     context.text(own[0].server), " ", Counted(worst.packets, "packet"),
                                     " in a minute that it did not ask for")));
          out->back()
              .AddEvidence("srcport", int64_t{own[0].client_port})
              .AddEvidence("protocol", int64_t{own[0].protocol});
          told.insert(own[0].client_port);
        });
  });
  std::erase_if(*rows, [&](const Piece& piece) { return told.contains(piece.client_port); });
}

// Many sessions of one outside host that stay open and say nothing, so that a server has none left (slow HTTP).
void SlowFloods(const DetectorContext& context, uint32_t source, std::vector<Finding>* out) {
  constexpr uint64_t kLasting = 5 * kMinute, kFewBytes = 20;  // a second: less than one packet in two
  constexpr int64_t kBeginning = 10 * kMinute;
  ForEachRun(context.sessions.of(source), ByConversation, [&](std::span<const SessionRow> all) {
    if (!context.inside(all[0].server) || Signed(all.size()) < context.Get(kFloodSlow)) return;
    const auto slow = [](const SessionRow& row) {
      const auto seconds = static_cast<uint64_t>(std::max<int64_t>(row.end - row.start, 0));
      return row.Is(kAnswered) && seconds >= kLasting && row.sent + row.received <= kFewBytes * seconds ? 1u : 0u;
    };
    const std::span<const SessionRow> worst = BusiestOf(all, kBeginning, slow);
    int64_t sessions = 0;
    Span span;
    for (const SessionRow& row : worst) {
      if (slow(row) == 0) continue;
      ++sessions;
      span.Add(row);
    }
    if (worst.empty() || sessions < context.Get(kFloodSlow)) return;
    const Ip& host = context.sessions.address(all[0].server);
    Finding f = MakeFinding(Severity::kMedium, context.sessions.address(source), {host}, span,
                            ScoreOf(static_cast<double>(context.Get(kFloodSlow)), static_cast<double>(sessions)));
    f.sentence = absl::StrCat(context.text(source), " opened ", Counted(static_cast<uint64_t>(sessions), "session"),
                              " to ", ToString(host), " ", ServiceText(all[0]), " within ", kBeginning / kMinute,
                              " minutes that stayed open and said nothing", When(span));
    f.AddEvidence("sessions", sessions)
        .AddEvidence("seconds", kBeginning)
        .AddEvidence("dstaddr", host)
        .AddEvidence("dstport", NumberOrNone(all[0].port))
        .AddEvidence("protocol", NumberOrNone(all[0].protocol));
    out->push_back(std::move(f));
  });
}

// Floods of one host; `rows` are what it did not answer.
void FloodsOf(const DetectorContext& context, std::vector<Piece> rows, std::vector<Finding>* out) {
  const uint32_t host = rows[0].server;
  std::sort(rows.begin(), rows.end(), [](const Piece& a, const Piece& b) { return a.start < b.start; });
  const auto much = [&](const Minute& m) {
    return static_cast<double>(m.packets) >= static_cast<double>(context.Get(kFloodPackets));
  };
  ForEachFlood(
      MinutesOf(context, rows), much, [](const Minute& m) { return m.packets; },
      [&](const Minute& worst, const Span& span, size_t minutes) {
        const double score =
            ScoreOf(static_cast<double>(context.Get(kFloodPackets)), static_cast<double>(worst.packets));
        const std::string to = context.text(host), packets = Counted(worst.packets, "packet") + " in a minute";
        // One flooder is who does it.
        if (worst.most_packets * 10 >= worst.packets * 9) {
          Finding f = ToFinding(context, host, span, minutes, worst, score,
                                absl::StrCat(context.text(worst.most), " sent ", to, " nearly all of ", packets,
                                             " from ", Counted(worst.sources, "source"), " without answer"));
          f.actor = context.sessions.address(worst.most);
          f.targets = {context.sessions.address(host)};
          f.AddEvidence("srcaddr", f.actor).AddEvidence("srcaddr_packets", worst.most_packets);
          out->push_back(std::move(f));
          return;
        }
        out->push_back(ToFinding(
            context, host, span, minutes, worst, score,
            absl::StrCat(to, " got ", packets, " from ", Counted(worst.sources, "source"), " without answer")));
      });
  std::erase_if(rows, [](const Piece& piece) { return !piece.one_service; });
  std::stable_sort(rows.begin(), rows.end(), [](const Piece& a, const Piece& b) {
    return std::tie(a.port, a.protocol) < std::tie(b.port, b.protocol);
  });
  const auto by_port = [](const Piece& piece) { return std::tuple(piece.port, piece.protocol); };
  const auto many = [&](const Minute& m) { return Signed(m.sources) >= context.Get(kFloodSources); };
  ForEachRun(std::span<const Piece>(rows), by_port, [&](std::span<const Piece> own) {
    if (TriesIn(own) < context.Get(kFloodSources)) return;
    ForEachFlood(
        MinutesOf(context, own), many, [](const Minute& m) { return m.sources; },
        [&](const Minute& worst, const Span& span, size_t minutes) {
          out->push_back(
              ToFinding(context, host, span, minutes, worst,
                        ScoreOf(static_cast<double>(context.Get(kFloodSources)), static_cast<double>(worst.sources)),
                        absl::StrCat(ServiceText(own[0]), " of ", context.text(host), " left ",
                                     Counted(worst.sources, "source"), " in a minute without answer"),
                        &own[0]));
        });
  });
}

// Pieces of a session, one for each minute that it lasted, with its packets shared out; a day of pieces at most.
void AddPieces(const SessionRow& row, std::vector<Piece>* out) {
  const auto minutes = std::clamp<int64_t>((row.end - row.start) / kMinute + 1, 1, kDay / kMinute);
  const auto pieces = static_cast<uint64_t>(
      std::clamp<int64_t>(static_cast<int64_t>(std::min<uint64_t>(row.packets, 1 << 20)), 1, minutes));
  for (uint64_t i = 0; i < pieces; ++i) {
    Piece& piece = out->emplace_back(row);
    const auto at = [&](uint64_t n) {
      return row.start + static_cast<int64_t>(static_cast<uint128>(row.end - row.start) * n / pieces);
    };
    piece.start = at(i);
    piece.end = at(i + 1);
    piece.packets = row.packets / pieces + (i < row.packets % pieces ? 1 : 0);
  }
}

std::vector<Finding> FindFloods(const DetectorContext& context) {
  struct Got {
    uint64_t tries = 0;
    uint128 packets = 0;
  };
  // Who got the packets is the target: of answers that nobody asked for, the client.
  const auto target_of = [](const SessionRow& row) { return row.packets < row.answers ? row.client : row.server; };
  std::vector<Got> got(context.sessions.address_count());
  for (const SessionRow& row : context.sessions.rows()) {
    if (!row.Is(kOneSided)) continue;
    Got& own = got[target_of(row)];
    ++own.tries;
    own.packets += std::max(row.packets, row.answers);
  }
  for (const FoldedTries& folded : context.sessions.folded()) {
    got[folded.server].tries += folded.tries;
    got[folded.server].packets += folded.packets;
  }
  struct Lost {
    std::vector<Piece> reflected, others;  // what may be answers that nobody asked for, and the rest
  };
  const auto few = [&](uint32_t target) {
    const Got& own = got[target];
    return Signed(own.tries) < std::min(context.Get(kFloodSources), context.Get(kFloodReflectors)) &&
           static_cast<double>(own.packets) < static_cast<double>(context.Get(kFloodPackets));
  };
  std::map<uint32_t, Lost> hosts;
  for (const SessionRow& row : context.sessions.rows()) {
    if (!row.Is(kOneSided) || few(target_of(row))) continue;
    SessionRow tried = row;
    const bool answers = tried.packets < tried.answers;
    if (answers) tried.Swap();
    Lost& lost = hosts[tried.server];
    AddPieces(tried, MayBeReflected(context, tried, answers) ? &lost.reflected : &lost.others);
  }
  for (const FoldedTries& folded : context.sessions.folded()) {
    if (few(folded.server)) continue;
    Lost& lost = hosts[folded.server];
    std::vector<Piece>& into = folded.client_port != kNullInt32 ? lost.reflected : lost.others;
    Piece& piece = into.emplace_back(SessionRow{0, folded.server, folded.port, folded.protocol, folded.start,
                                                folded.end, 0, 0, folded.packets, 0, folded.client_port, 0});
    piece.sources = folded.sources;
    piece.tries = folded.tries;
    piece.one_service = folded.one_service();
  }
  std::vector<Finding> out;
  for (auto& [host, lost] : hosts) {
    Reflections(context, &lost.reflected, &out);
    lost.others.insert(lost.others.end(), lost.reflected.begin(), lost.reflected.end());
    if (!lost.others.empty()) FloodsOf(context, std::move(lost.others), &out);
  }
  for (uint32_t source = 0; source < context.sessions.address_count(); ++source) {
    if (context.outside(source)) SlowFloods(context, source, &out);
  }
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who sends is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("who is flooded is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("minutes cannot be told apart", {Field::kStart}),
    Helpful("floods of few sources, which many packets show, are not seen", {Field::kPackets}),
    Helpful("which port is flooded is unknown", {Field::kDstPort}),
    Helpful("what was refused looks like what nobody answered", {Field::kAction}),
    Helpful("many tries of one source look like one", {Field::kSrcPort}),
    Helpful("TCP and UDP look alike", {Field::kProtocol}),
    Helpful("long tries look like answered ones", {Field::kBytes}),
    Helpful("packets of many minutes count in the first", {Field::kEnd}),
};

}  // namespace

constinit const DetectorInfo detectors::flood = {
    .name = "flood",
    .technique = "T1498",
    .meaning = "very many sources or packets in a minute that get no answer",
    .method =
        "A minute in which very many sources got no answer from one port, or one host got very many packets without "
        "answering (of one source the actor is that source, else the host); in which many servers of one port answered "
        "a host that had not asked (reflection); and hundreds of "
        "sessions of one outside host that stay open and say nothing. Minutes that follow each other are one finding. "
        "Packets of a session are shared out over the minutes that it lasted.",
    .misses = "floods that are answered, and what AWS's own protection takes away",
    .needs = kNeeds,
    .settings = kSettings,
    .find = FindFloods,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
