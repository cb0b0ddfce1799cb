#include "src/session/state.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "src/session/folding.h"
#include "src/session/kind.h"
#include "vpcflow/sketch/hash.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The columns of a batch by name.
struct SessionState::Columns {
  explicit Columns(const SessionState& state, const Batch& b) : batch(b) {
    const auto find = [&](Field field) { return &batch.columns[state.ColumnOf(field)]; };
    src = find(Field::kSrcAddr);
    dst = find(Field::kDstAddr);
    pkt_src = find(Field::kPktSrcAddr);
    pkt_dst = find(Field::kPktDstAddr);
    srcport = find(Field::kSrcPort);
    dstport = find(Field::kDstPort);
    protocol = find(Field::kProtocol);
    packets = find(Field::kPackets);
    bytes = find(Field::kBytes);
    start = find(Field::kStart);
    end = find(Field::kEnd);
    flags = find(Field::kTcpFlags);
    action = find(Field::kAction);
    direction = find(Field::kFlowDirection);
    type = find(Field::kInterfaceType);
  }
  std::string_view text(const Column* column, size_t row) const {
    const uint32_t code = column->texts[row];
    return code == kNullText ? std::string_view() : column->dictionary->text(code);
  }
  const Batch& batch;
  const Column *src, *dst, *pkt_src, *pkt_dst, *srcport, *dstport, *protocol, *packets, *bytes, *start, *end, *flags,
      *action, *direction, *type;
};

SessionState::SessionState(const SessionSpec& spec, const SessionColumns& columns, bool filtered)
    : spec_(spec),
      columns_(columns),
      filtered_(filtered),
      store_(spec.idle),
      pack_from_(spec.fold_above == 0 ? std::numeric_limits<size_t>::max() : spec.fold_above),
      second_legs_(spec.intermediaries) {
  for (const std::string& prefix : spec.fold_not) {
    Cidr cidr;
    if (ParseCidr(prefix, &cidr)) fold_not_.Add(cidr);
  }
  fold_not_.Build();
}

size_t SessionState::ColumnOf(Field field) const {
  return columns_[static_cast<size_t>(std::find(kSessionFields.begin(), kSessionFields.end(), field) -
                                      kSessionFields.begin())];
}

void SessionState::AppendRecord(const Columns& c, size_t row) {
  const auto address = [&](const Column* column) -> std::optional<Ip> {
    const AddressCode code = column->addresses[row];
    return code == kNullAddress ? std::nullopt : std::optional<Ip>(c.batch.address(code));
  };
  const auto number = [&](const Column* column, int64_t none) {
    return column->ints[row] == kNullInt ? none : column->ints[row];
  };
  const std::optional<Ip> pkt_src = address(c.pkt_src), pkt_dst = address(c.pkt_dst);
  std::optional<Ip> src = address(c.src), dst = address(c.dst);
  if (!src) src = pkt_src;
  if (!dst) dst = pkt_dst;
  if (!src || !dst || c.start->ints[row] == kNullInt) return;
  const Ip from = pkt_src.value_or(*src), to = pkt_dst.value_or(*dst);
  const auto protocol = static_cast<int32_t>(number(c.protocol, -1));
  const std::array<uint32_t, 2> sent_ports = {static_cast<uint32_t>(number(c.srcport, kNoPort)),
                                              static_cast<uint32_t>(number(c.dstport, kNoPort))};
  if (from != *src) second_legs_.AddTranslation(*src, from, sent_ports[0], protocol);
  if (to != *dst) second_legs_.AddTranslation(*dst, to, sent_ports[1], protocol);
  const std::string_view direction = c.text(c.direction, row), type = c.text(c.type, row);
  const uint8_t flow = direction == "ingress"  ? InterfaceView::kIngress
                       : direction == "egress" ? InterfaceView::kEgress
                                               : uint8_t{0};
  if (flow != 0 && (type == "nat_gateway" || type == "regional_nat_gateway" || type == "network_load_balancer"))
    second_legs_.AddIntermediary(flow == InterfaceView::kIngress ? *dst : *src);

  std::array<Ip, 2> ends = {from, to};
  std::array<uint32_t, 2> ports = sent_ports;
  const uint8_t sender = std::pair(ends[1], ports[1]) < std::pair(ends[0], ports[0]) ? 1 : 0;
  if (sender == 1) {
    std::swap(ends[0], ends[1]);
    std::swap(ports[0], ports[1]);
  }
  Session session;
  session.start = c.start->ints[row];
  session.end = std::max(session.start, number(c.end, session.start));
  session.first = session.first_seen = {kNever, kNever};
  session.first[sender] = session.start;
  if (flow != 0) session.first_seen[sender] = session.start;
  if (const int64_t flags = number(c.flags, -1); flags >= 0)
    session.flags[sender] = (static_cast<uint32_t>(flags) & ~kFlagsTold) | kFlagsTold;
  const bool rejected = c.text(c.action, row) == "REJECT";
  if (!rejected) flows_.Add(flow);
  new_views_.push_back({interfaces_[row], static_cast<uint64_t>(number(c.packets, 0)),
                        static_cast<uint64_t>(number(c.bytes, 0)), 1, rejected ? uint64_t{1} : 0, InterfaceView().next,
                        sender, flow});
  new_sessions_.push_back(session);
  new_pairs_.push_back({ends, ports, protocol});
}

void SessionState::Consume(const Batch& batch, ShownFields::Bits named) {
  const Columns columns(*this, batch);
  shown_.Add(batch, columns_, named);
  encoder_.Encode(batch, ColumnOf(Field::kInterfaceId), &interfaces_);
  new_pairs_.clear();
  new_sessions_.clear();
  new_views_.clear();
  for (size_t row = 0; row < batch.rows; ++row) AppendRecord(columns, row);
  store_.AddAll(new_pairs_, new_sessions_, new_views_);
  PackMany();
}

bool SessionState::IsFoldable(const EndpointPair& pair, const Session& session) const {
  return session.next == Session().next && store_.AnyView(session, [&](const InterfaceView& view) {
    return PackedTries::Packs(pair, session, view) && !fold_not_.Contains(pair.address[view.from]);
  });
}

size_t SessionState::Foldable() const {
  size_t out = 0;
  store_.ForEach([&](uint32_t p, const Session& session) { out += IsFoldable(store_.pair(p), session) ? 1 : 0; });
  return out;
}

void SessionState::Pack() {
  SessionStore rest(spec_.idle);
  std::vector<InterfaceView> views;
  store_.ForEach([&](uint32_t p, const Session& session) {
    const EndpointPair& pair = store_.pair(p);
    views.clear();
    store_.ForEachView(session, [&](const InterfaceView& view) { views.push_back(view); });
    if (IsFoldable(pair, session)) {
      tries_.Add({pair, session, views[0]});
    } else {
      rest.Add(rest.PairId(pair), session, views);
    }
  });
  store_ = std::move(rest);
}

void SessionState::PackMany() {
  if (store_.size() < pack_from_) return;
  if (Foldable() >= store_.size() / 2) Pack();
  pack_from_ = std::max(spec_.fold_above / 2, store_.size() * 2);
}

void SessionState::Settle() {
  if (spec_.fold_above == 0) return UnpackAll();
  if (sessions() <= spec_.fold_above || tries_.size() + Foldable() <= spec_.fold_above) return UnpackAll();
  Pack();
  JoinTries();
  if (tries_.size() <= spec_.fold_above) return UnpackAll();
  SeenCounts hosts(sessions());
  for (size_t i = 0; i < tries_.size(); ++i) hosts.Add(SketchHash(tries_.SenderOf(i)), 1);
  for (uint32_t p = 0; p < store_.pairs(); ++p) {
    for (const Ip& address : store_.pair(p).address) hosts.Add(SketchHash(address), kSeenOften);
  }
  Unpack([&](size_t i) { return hosts.Of(SketchHash(tries_.SenderOf(i))) >= kSeenOften; });
}

void SessionState::JoinTries() {
  SeenCounts pairs(sessions());
  const auto hash_of = [](const EndpointPair& pair) { return SketchHash(uint64_t{pair.Hash()}); };
  for (size_t i = 0; i < tries_.size(); ++i) pairs.Add(hash_of(tries_.Get(i).pair), 1);
  for (uint32_t p = 0; p < store_.pairs(); ++p) pairs.Add(hash_of(store_.pair(p)), 1);
  Unpack([&](size_t i) { return pairs.Of(hash_of(tries_.Get(i).pair)) > 1; });
  Pack();
}

SessionRoles SessionState::Roles() const {
  DirectionCounts more = ended_;
  more.one_way += tries_.size();
  for (size_t i = 0; i < tries_.size(); ++i) {
    const Try one = tries_.Get(i);
    more.tcp += one.pair.protocol == kTcp && one.view.rejected == 0 ? 1 : 0;
  }
  return {store_, names(), more, flows_};
}

void SessionState::Merge(const SessionState& other) {
  const CodeMap codes(other.names(), &encoder_.interner());
  store_.Merge(other.store_, codes);
  tries_.Merge(other.tries_, codes);
  PackMany();
  second_legs_.Merge(other.second_legs_);
  ended_.Merge(other.ended_);
  flows_.bits |= other.flows_.bits;
  shown_.Merge(other.shown_);
  filtered_ |= other.filtered_;
}

std::string SessionState::WarningOf(const SessionRoles& roles) const {
  return roles.one_direction() ? OneDirectionWarning(roles.directions(), flows_, filtered_) : std::string();
}

Table SessionState::Finish(std::string* warning) {
  Settle();
  const SessionRoles roles = Roles();
  if (warning != nullptr) *warning = WarningOf(roles);
  Table table = SessionRows(spec_, store_, names(), roles, second_legs_, nullptr);
  if (spec_.fold_above == 0) return table;
  TableColumn& sources = table.columns.emplace_back();
  sources.name = "sources";
  sources.i64.append(table.rows, kNullInt64);
  AppendFolded(tries_, roles, &table);
  return table;
}

Table SessionState::TakeIdle(int64_t time) {
  const auto idle = [&](const Session& session) { return session.end + spec_.idle < time; };
  Unpack([&](size_t i) { return idle(tries_.Get(i).session); });
  Table table = SessionRows(spec_, store_, names(), Roles(), second_legs_, idle);
  store_.ForEach([&](uint32_t p, const Session& session) {
    if (idle(session)) ended_.Add(store_, names(), store_.pair(p), session);
  });
  store_.RemoveIf(idle);
  // Pairs without sessions go when they are the most, so that memory follows what is open.
  if (store_.pairs() > 1024 && store_.size() * 2 < store_.pairs()) {
    SessionState kept(spec_, columns_, filtered_);
    kept.Merge(*this);
    std::swap(*this, kept);
  }
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
