#include "src/session/folding.h"

#include <algorithm>
#include <bit>
#include <span>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "src/session/kind.h"
#include "vpcflow/sketch/distinct_sketch.h"
#include "vpcflow/sketch/hash.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int64_t kMinute = 60;
constexpr uint32_t kFirstDynamic = 49152;  // RFC 6335: from here on ports are of no service
constexpr int32_t kUdp = 17;
constexpr uint32_t kParts = 16;  // in which tries are grouped, so that only a part of them is spread out at once

// What one target got of a try within a minute.
struct Piece {
  uint32_t target;  // its number
  int32_t port, protocol;
  int32_t sender_port;  // of what may be an answer that nobody asked for; else kNullInt32
  uint64_t sender;      // by hash
  int64_t start, end;
  uint64_t packets;
  int64_t minute() const { return start / kMinute; }
};

// Rows as they are appended.
struct Group {
  Ip target;
  int32_t port, protocol, sender_port;
  int64_t start, end;
  uint64_t sources, tries, packets;
};

// Whether nobody answered a try, as far as the logs show.
bool OneSided(const Try& one, const Role& role, bool one_direction) {
  SessionFacts facts;
  const size_t sender = one.view.from == role.client ? 0 : 1;
  facts.protocol = one.pair.protocol;
  facts.v6 = one.pair.v6();
  facts.flags_told = (one.session.flags[one.view.from] & kFlagsTold) != 0;
  facts.one_direction = one_direction;
  facts.passage[sender] = one.view.rejected > 0 ? Passage::kBlocked : Passage::kPassed;
  facts.packets[sender] = one.view.packets;
  facts.bytes[sender] = one.view.bytes;
  facts.flags[sender] = one.session.flags[one.view.from] & ~kFlagsTold;
  const SessionKind kind = KindOf(facts);
  return kind == SessionKind::kRejected || kind == SessionKind::kUnanswered ||
         (kind == SessionKind::kOneWay && AnsweredOf(facts, kind) == false);
}

// Appends the pieces of a try that are of a part: one for each minute that it lasted, as long as there are packets.
void AddPieces(const PackedTries& tries, size_t i, uint32_t part, const SessionRoles& roles, std::vector<Piece>* out) {
  const uint32_t target = tries.TargetOf(i);
  const Try one = tries.Get(i);
  const int64_t lasted = one.session.end - one.session.start;
  const auto pieces = std::min(static_cast<int64_t>(one.view.packets), lasted / kMinute + 1);
  const auto part_of = [&](int64_t start) {
    return static_cast<uint32_t>(SketchHash(static_cast<uint64_t>(start / kMinute) << 32 | target) % kParts);
  };
  bool mine = false;
  for (int64_t n = 0; n < pieces; ++n) mine |= part_of(one.session.start + lasted * n / pieces) == part;
  if (!mine) return;
  const Role role = roles.RoleOf(one.pair, one.session);
  if (!OneSided(one, role, roles.one_direction())) return;
  const uint32_t sent = one.pair.port[one.view.from], got = one.pair.port[1 - one.view.from];
  const bool answer = one.view.from != role.client;
  const bool reflected =
      one.pair.protocol == kUdp && sent != kNoPort && sent != 0 && sent < kFirstDynamic && (answer || sent != got);
  for (int64_t n = 0; n < pieces; ++n) {
    const int64_t start = one.session.start + lasted * n / pieces;
    if (part_of(start) != part) continue;
    const auto packets = static_cast<int64_t>(one.view.packets);
    out->push_back({target, got == kNoPort ? kNullInt32 : static_cast<int32_t>(got),
                    one.pair.protocol < 0 ? kNullInt32 : one.pair.protocol,
                    reflected ? static_cast<int32_t>(sent) : kNullInt32, SketchHash(one.sender()), start,
                    one.session.start + lasted * (n + 1) / pieces,
                    static_cast<uint64_t>(packets / pieces + (n < packets % pieces ? 1 : 0))});
  }
}

// What the pieces of a group share beside target and minute: the sender's port, port and protocol, or nothing.
enum class Share : uint8_t { kSenderPort, kService, kNothing };

std::tuple<int32_t, int32_t> KeyOf(const Piece& piece, Share share) {
  if (share == Share::kNothing) return {0, 0};
  return share == Share::kSenderPort ? std::tuple(piece.sender_port, 0) : std::tuple(piece.port, piece.protocol);
}

Group GroupOf(const PackedTries& tries, std::span<const Piece> pieces, Share share) {
  const Piece& first = pieces[0];
  Group out{
      tries.target(first.target), kNullInt32, kNullInt32, kNullInt32, first.start, first.end, 0, pieces.size(), 0};
  const auto same_port = [&](const Piece& piece) { return piece.port == first.port; };
  if (share != Share::kNothing) {
    out.protocol = first.protocol;
    if (std::all_of(pieces.begin(), pieces.end(), same_port)) out.port = first.port;
  }
  if (share == Share::kSenderPort) out.sender_port = first.sender_port;
  for (size_t i = 0; i < pieces.size(); ++i) {
    out.sources += i == 0 || pieces[i].sender != pieces[i - 1].sender ? 1 : 0;
    out.packets += pieces[i].packets;
    out.start = std::min(out.start, pieces[i].start);
    out.end = std::max(out.end, pieces[i].end);
  }
  return out;
}

// Moves the pieces that are in groups of kLeastTries and more to `out`.
void TakeGroups(const PackedTries& tries, Share share, std::vector<Piece>* pieces, std::vector<Group>* out) {
  const auto group_of = [&](const Piece& p) { return std::tuple(p.target, p.minute(), KeyOf(p, share)); };
  std::sort(pieces->begin(), pieces->end(), [&](const Piece& a, const Piece& b) {
    return std::tuple(group_of(a), a.sender) < std::tuple(group_of(b), b.sender);
  });
  size_t left = 0;
  for (size_t begin = 0, end = 0; begin < pieces->size(); begin = end) {
    const auto own = group_of((*pieces)[begin]);
    for (end = begin + 1; end < pieces->size() && group_of((*pieces)[end]) == own;) ++end;
    const bool answers = (*pieces)[begin].sender_port != kNullInt32;
    if (end - begin >= kLeastTries && (share != Share::kSenderPort || answers)) {
      out->push_back(GroupOf(tries, std::span(*pieces).subspan(begin, end - begin), share));
    } else {
      for (size_t i = begin; i < end; ++i) (*pieces)[left++] = (*pieces)[i];
    }
  }
  pieces->resize(left);
}

std::vector<Group> GroupsOf(const PackedTries& tries, const SessionRoles& roles) {
  std::vector<Group> out;
  std::vector<Piece> pieces;
  for (uint32_t part = 0; part < kParts; ++part) {
    pieces.clear();
    for (size_t i = 0; i < tries.size(); ++i) AddPieces(tries, i, part, roles, &pieces);
    for (const Share share : {Share::kSenderPort, Share::kService, Share::kNothing})
      TakeGroups(tries, share, &pieces, &out);
  }
  return out;
}

// By number of a target its code in the dictionary of a column, which gets those that it lacks.
absl::flat_hash_map<Ip, int32_t, IpHash> CodesOf(const std::vector<Group>& groups, TableColumn* column) {
  absl::flat_hash_map<Ip, int32_t, IpHash> codes;
  for (const Group& group : groups) codes.try_emplace(group.target, kNullCode);
  for (size_t i = 0; i < column->addresses.size(); ++i) {
    const auto at = codes.find(column->addresses[i]);
    if (at != codes.end()) at->second = static_cast<int32_t>(i);
  }
  for (const Group& group : groups) {
    int32_t& code = codes[group.target];
    if (code != kNullCode) continue;
    code = static_cast<int32_t>(column->addresses.size());
    column->addresses.push_back(group.target);
  }
  return codes;
}

}  // namespace

SeenCounts::SeenCounts(size_t things)
    : counts_(std::bit_ceil(std::max<size_t>(things, 256) * 4)), mask_(counts_.size() - 1) {}

void SeenCounts::Add(uint64_t hash, uint8_t times) {
  for (const uint64_t at : {hash & mask_, std::rotl(hash, 32) & mask_})
    counts_[at] = static_cast<uint8_t>(std::min<int>(counts_[at] + times, kMost));
}

uint8_t SeenCounts::Of(uint64_t hash) const {
  return std::min(counts_[hash & mask_], counts_[std::rotl(hash, 32) & mask_]);
}

void AppendFolded(const PackedTries& tries, const SessionRoles& roles, Table* table) {
  if (tries.empty()) return;
  const std::vector<Group> groups = GroupsOf(tries, roles);
  DistinctSketch sources;
  for (size_t i = 0; i < tries.size(); ++i) sources.Add(SketchHash(tries.SenderOf(i)));
  const auto column = [&](std::string_view name) { return &table->columns[*table->Find(name)]; };
  absl::flat_hash_map<Ip, int32_t, IpHash> codes = CodesOf(groups, column("server"));
  const size_t before = table->rows;
  table->rows += groups.size() + 1;
  for (TableColumn& own : table->columns) {
    const bool small = own.type != ColumnType::kInt64 && own.type != ColumnType::kTime;
    const bool coded = own.type == ColumnType::kAddress || own.type == ColumnType::kText;
    if (small) {
      own.i32.append(groups.size() + 1, coded ? kNullCode : kNullInt32);
    } else {
      own.i64.append(groups.size() + 1, kNullInt64);
    }
  }
  const auto put = [&](size_t row, const Group& group) {
    column("client_port")->i32[row] = group.sender_port;
    column("server_port")->i32[row] = group.port;
    column("protocol")->i32[row] = group.protocol;
    column("client_packets")->i64[row] = static_cast<int64_t>(group.packets);
    column("records")->i64[row] = static_cast<int64_t>(group.tries);
    column("counted")->i32[row] = 0;
    column("sources")->i64[row] = static_cast<int64_t>(group.sources);
  };
  for (size_t i = 0; i < groups.size(); ++i) {
    put(before + i, groups[i]);
    column("server")->i32[before + i] = codes[groups[i].target];
    column("start")->i64[before + i] = groups[i].start * kMicrosPerSecond;
    column("end")->i64[before + i] = groups[i].end * kMicrosPerSecond;
  }
  uint64_t packets = 0;
  for (size_t i = 0; i < tries.size(); ++i) packets += tries.Get(i).view.packets;
  put(before + groups.size(),
      {{}, kNullInt32, kNullInt32, kNullInt32, 0, 0, sources.Estimate(), tries.size(), packets});
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
