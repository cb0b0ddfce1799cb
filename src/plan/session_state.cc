#include "src/plan/session_state.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "src/plan/accumulate.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
constexpr uint32_t kSyn = 2, kReset = 4, kAck = 16;
constexpr uint32_t kFirstEphemeral = 32768;  // Linux's; others begin at 49152

// Ports above 1023 that are services' (IANA, and what AWS's databases and common servers listen on). In order.
constexpr uint16_t kServicePorts[] = {1433, 1521, 1883, 2049, 2181, 2375, 2376,  2379,  2380,  3000,  3128,  3306,
                                      3389, 4317, 5000, 5044, 5432, 5439, 5601,  5671,  5672,  5900,  5985,  5986,
                                      6379, 6443, 6667, 7000, 7001, 8000, 8080,  8081,  8125,  8140,  8182,  8200,
                                      8300, 8443, 8500, 8883, 8888, 9000, 9042,  9090,  9092,  9093,  9094,  9096,
                                      9098, 9100, 9200, 9300, 9418, 9999, 10250, 11211, 15672, 27017, 27018, 50000};

bool IsService(uint32_t port) {
  return port < 1024 || std::binary_search(std::begin(kServicePorts), std::end(kServicePorts), port);
}

enum Decided : int32_t { kBySyn, kByFlowDirection, kByServicePort, kByFirstSeen, kByNone };
constexpr const char* kDecidedNames[] = {"syn", "flow-direction", "service-port", "first-seen", "none"};
enum SessionKind : int32_t { kRejected, kHalf, kResetByPeer, kUnanswered, kEstablished };
constexpr const char* kKindNames[] = {"rejected", "half", "reset", "unanswered", "established"};

constexpr uint32_t kOpenMask = kSyn | kAck;

// The end that is the server's by its port, if just one is.
std::optional<size_t> ServerByPort(const std::array<uint32_t, 2>& port) {
  if (IsService(port[0]) != IsService(port[1])) return IsService(port[0]) ? 0 : 1;
  if ((port[0] < kFirstEphemeral) != (port[1] < kFirstEphemeral)) return port[0] < kFirstEphemeral ? 0 : 1;
  return std::nullopt;
}

}  // namespace

// The batch's columns by name; the plan has all of them.
struct SessionState::Columns {
  explicit Columns(const SessionState& state, const Batch& b) : batch(b) {
    const auto find = [&](Field field) -> const Column* {
      const auto& fields = state.plan_->fields;
      const auto at = std::find_if(fields.begin(), fields.end(), [&](const FieldRef& f) { return f.field == field; });
      return &batch.columns[static_cast<size_t>((*state.slots_)[static_cast<size_t>(at - fields.begin())])];
    };
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

uint64_t SessionState::Key::Hash() const {
  const uint64_t ends = MixWords(address[0].hi ^ address[1].lo, address[0].lo ^ (uint64_t{port[1]} << 32 | port[0]));
  return MixWords(ends, address[1].hi ^ static_cast<uint64_t>(protocol) << 40 ^ address[1].lo * 31);
}

SessionState::SessionState(const PlanImpl& plan, const std::vector<int>& slots)
    : plan_(&plan), slots_(&slots), idle_(plan.spec.sessions->idle) {
  intermediaries_.insert(plan.spec.sessions->intermediaries.begin(), plan.spec.sessions->intermediaries.end());
}

size_t SessionState::bytes() const {
  return ids_.bytes() + keys_.capacity() * (sizeof(Key) + sizeof(uint32_t)) + runs_.capacity() * sizeof(Run) +
         views_.capacity() * sizeof(View) + encoder_.interner().bytes() +
         (intermediaries_.size() + translations_.size()) * 96;
}

uint32_t SessionState::KeyId(const Key& key) {
  uint32_t id = 0;
  KeyIds({&key, 1}, &id);
  return id;
}

void SessionState::KeyIds(std::span<const Key> keys, uint32_t* ids) {
  hashes_.resize(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) hashes_[i] = keys[i].Hash();
  ids_.InsertAll(
      keys.size(), [&](size_t i) { return hashes_[i]; },
      [&](const KeySlot& s, size_t i) { return s.hash_value == hashes_[i] && keys_[s.id] == keys[i]; },
      [&](KeySlot& s, size_t i, bool added) {
        if (added) {
          s = {hashes_[i], static_cast<uint32_t>(keys_.size())};
          keys_.push_back(keys[i]);
          heads_.push_back(kNone);
        }
        ids[i] = s.id;
      });
}

void SessionState::AddView(Run* run, const View& view) {
  for (uint32_t v = run->views; v != kNone; v = views_[v].next) {
    View& own = views_[v];
    if (own.interface != view.interface || own.from != view.from || own.flow != view.flow) continue;
    own.packets += view.packets;
    own.bytes += view.bytes;
    own.records += view.records;
    return;
  }
  uint32_t at;
  if (free_views_.empty()) {
    at = static_cast<uint32_t>(views_.size());
    views_.push_back(view);
  } else {
    at = free_views_.back();
    free_views_.pop_back();
    views_[at] = view;
  }
  views_[at].next = std::exchange(run->views, at);
}

// All of a run but its views.
void SessionState::Absorb(Run* into, const Run& other) {
  into->start = std::min(into->start, other.start);
  into->end = std::max(into->end, other.end);
  for (size_t i = 0; i < 2; ++i) {
    into->first[i] = std::min(into->first[i], other.first[i]);
    into->first_seen[i] = std::min(into->first_seen[i], other.first_seen[i]);
    into->flags[i] |= other.flags[i];
    into->accepted[i] += other.accepted[i];
    into->rejected[i] += other.rejected[i];
  }
}

// Adds a run to a key: alone, or grown together with all of its runs that are near.
void SessionState::AddRun(uint32_t key, const Run& run, std::span<const View> views) {
  uint32_t into = kNone;
  for (uint32_t* link = &heads_[key]; *link != kNone;) {
    const uint32_t at = *link;
    const Run& candidate = runs_[at];
    const int64_t start = into == kNone ? run.start : runs_[into].start,
                  end = into == kNone ? run.end : runs_[into].end;
    if (candidate.start > end + idle_ || start > candidate.end + idle_) {
      link = &runs_[at].next;
      continue;
    }
    if (into == kNone) {
      into = at;
      Absorb(&runs_[into], run);
      link = &heads_[key];  // it has grown: look at all others again
      continue;
    }
    if (at == into) {
      link = &runs_[at].next;
      continue;
    }
    *link = candidate.next;
    Absorb(&runs_[into], candidate);
    for (uint32_t v = candidate.views; v != kNone;) {
      const uint32_t next = views_[v].next;
      const View view = views_[v];
      free_views_.push_back(v);
      AddView(&runs_[into], view);
      v = next;
    }
    free_runs_.push_back(at);
    --live_;
    link = &heads_[key];
  }
  if (into == kNone) {
    if (free_runs_.empty()) {
      into = static_cast<uint32_t>(runs_.size());
      runs_.push_back(run);
    } else {
      into = free_runs_.back();
      free_runs_.pop_back();
      runs_[into] = run;
    }
    runs_[into].views = kNone;
    runs_[into].next = std::exchange(heads_[key], into);
    ++live_;
  }
  for (const View& view : views) AddView(&runs_[into], view);
}

void SessionState::TakeRecord(const Columns& c, size_t row) {
  const auto address = [&](const Column* column) -> std::optional<Ip> {
    const AddressCode code = column->addresses[row];
    return code == kNullAddress ? std::nullopt : std::optional<Ip>(c.batch.address(code));
  };
  const auto number = [&](const Column* column, int64_t none) {
    return column->ints[row] == kNullInt ? none : column->ints[row];
  };
  const std::optional<Ip> src = address(c.src), dst = address(c.dst);
  if (!src || !dst || c.start->ints[row] == kNullInt) return;
  const Ip from = address(c.pkt_src).value_or(*src), to = address(c.pkt_dst).value_or(*dst);
  const auto protocol = static_cast<int32_t>(number(c.protocol, -1));
  const std::array<uint32_t, 2> sent_ports = {static_cast<uint32_t>(number(c.srcport, kNone)),
                                              static_cast<uint32_t>(number(c.dstport, kNone))};
  if (from != *src) translations_.insert({*src, from, sent_ports[0], protocol});
  if (to != *dst) translations_.insert({*dst, to, sent_ports[1], protocol});
  const std::string_view direction = c.text(c.direction, row), type = c.text(c.type, row);
  const uint8_t flow = direction == "ingress" ? 1 : direction == "egress" ? 2 : 0;
  if (flow != 0 && (type == "nat_gateway" || type == "regional_nat_gateway" || type == "network_load_balancer"))
    intermediaries_.insert(flow == 1 ? *dst : *src);

  std::array<Ip, 2> ends = {from, to};
  std::array<uint32_t, 2> ports = sent_ports;
  const uint8_t sender = std::pair(ends[1], ports[1]) < std::pair(ends[0], ports[0]) ? 1 : 0;
  if (sender == 1) {
    std::swap(ends[0], ends[1]);
    std::swap(ports[0], ports[1]);
  }
  Run run;
  run.start = c.start->ints[row];
  run.end = std::max(run.start, number(c.end, run.start));
  run.first = run.first_seen = {kNever, kNever};
  run.first[sender] = run.start;
  if (flow != 0) run.first_seen[sender] = run.start;
  run.flags[sender] = static_cast<uint32_t>(number(c.flags, 0));
  (c.text(c.action, row) == "REJECT" ? run.rejected : run.accepted)[sender] = 1;
  new_views_.push_back({interfaces_[row], sender, flow, static_cast<uint64_t>(number(c.packets, 0)),
                        static_cast<uint64_t>(number(c.bytes, 0)), 1, kNone});
  new_runs_.push_back(run);
  new_keys_.push_back({ends, ports, protocol});
}

void SessionState::Consume(const Batch& batch) {
  const Columns columns(*this, batch);
  const auto& fields = plan_->fields;
  const auto at =
      std::find_if(fields.begin(), fields.end(), [](const FieldRef& f) { return f.field == Field::kInterfaceId; });
  encoder_.Encode(batch, static_cast<size_t>((*slots_)[static_cast<size_t>(at - fields.begin())]), &interfaces_);
  new_keys_.clear();
  new_runs_.clear();
  new_views_.clear();
  for (size_t row = 0; row < batch.rows; ++row) TakeRecord(columns, row);
  // A batch at a time, so that the cache misses of its keys overlap; then those of what the keys have.
  new_ids_.resize(new_keys_.size());
  KeyIds(new_keys_, new_ids_.data());
  constexpr size_t kHead = 16, kRun = 8;
  const size_t n = new_ids_.size();
  for (size_t i = 0; i < n; ++i) {
    __builtin_prefetch(&heads_[new_ids_[std::min(i + kHead, n - 1)]]);
    const uint32_t run = heads_[new_ids_[std::min(i + kRun, n - 1)]];
    if (run != kNone) __builtin_prefetch(&runs_[run]);
    AddRun(new_ids_[i], new_runs_[i], {&new_views_[i], 1});
  }
}

void SessionState::Merge(const SessionState& other) {
  const CodeMap codes(other.encoder_.interner(), &encoder_.interner());
  std::vector<View> views;
  for (uint32_t k = 0; k < other.keys_.size(); ++k) {
    const uint32_t key = KeyId(other.keys_[k]);
    for (uint32_t r = other.heads_[k]; r != kNone; r = other.runs_[r].next) {
      views.clear();
      for (uint32_t v = other.runs_[r].views; v != kNone; v = other.views_[v].next) {
        views.push_back(other.views_[v]);
        views.back().interface = codes(views.back().interface, Kind::kText);
      }
      AddRun(key, other.runs_[r], views);
    }
  }
  intermediaries_.insert(other.intermediaries_.begin(), other.intermediaries_.end());
  translations_.insert(other.translations_.begin(), other.translations_.end());
}

Table SessionTable() {
  Table table;
  const std::pair<const char*, ColumnType> all[] = {{"client", ColumnType::kAddress},
                                                    {"client_port", ColumnType::kInt32},
                                                    {"server", ColumnType::kAddress},
                                                    {"server_port", ColumnType::kInt32},
                                                    {"protocol", ColumnType::kInt32},
                                                    {"start", ColumnType::kTime},
                                                    {"end", ColumnType::kTime},
                                                    {"duration", ColumnType::kInt64},
                                                    {"client_bytes", ColumnType::kInt64},
                                                    {"server_bytes", ColumnType::kInt64},
                                                    {"client_packets", ColumnType::kInt64},
                                                    {"server_packets", ColumnType::kInt64},
                                                    {"records", ColumnType::kInt64},
                                                    {"interface", ColumnType::kText},
                                                    {"interfaces", ColumnType::kInt32},
                                                    {"client_flags", ColumnType::kInt32},
                                                    {"server_flags", ColumnType::kInt32},
                                                    {"state", ColumnType::kText},
                                                    {"decided_by", ColumnType::kText},
                                                    {"counted", ColumnType::kBool}};
  table.columns.resize(std::size(all));
  for (size_t i = 0; i < std::size(all); ++i) {
    table.columns[i].name = all[i].first;
    table.columns[i].type = all[i].second;
  }
  return table;
}

// Which end is the client, and what told it.
std::pair<size_t, int32_t> SessionState::ClientOf(const Key& key, const Run& run) {
  std::array<bool, 2> is_client{};
  for (size_t i = 0; i < 2; ++i)
    is_client[i] = (run.flags[i] & kOpenMask) == kSyn || (run.flags[1 - i] & kOpenMask) == kOpenMask;
  if (is_client[0] != is_client[1]) return {is_client[0] ? 0 : 1, kBySyn};
  const auto earlier = [](const std::array<int64_t, 2>& first) { return first[0] < first[1] ? 0 : 1; };
  if (run.first_seen[0] != run.first_seen[1]) return {earlier(run.first_seen), kByFlowDirection};
  if (const std::optional<size_t> server = ServerByPort(key.port)) return {1 - *server, kByServicePort};
  if (run.first[0] != run.first[1]) return {earlier(run.first), kByFirstSeen};
  return {0, kByNone};
}

int32_t SessionState::KindOf(const Run& run, size_t client) {
  const auto half = [&](size_t let, size_t kept) {
    return run.accepted[let] > 0 && run.accepted[kept] == 0 && run.rejected[kept] > 0;
  };
  if (run.accepted[0] + run.accepted[1] == 0 && run.rejected[0] + run.rejected[1] > 0) return kRejected;
  if (half(0, 1) || half(1, 0)) return kHalf;
  if (((run.flags[0] | run.flags[1]) & kReset) != 0) return kResetByPeer;
  return run.accepted[client] == 0 || run.accepted[1 - client] == 0 ? kUnanswered : kEstablished;
}

// What each end sent, as the vantage point has it.
SessionState::Sight SessionState::SightOf(const Run& run, size_t client) const {
  const Vantage vantage = plan_->spec.sessions->vantage;
  Sight out;
  std::array<int, 2> best{-1, -1};
  for (uint32_t v = run.views; v != kNone; v = views_[v].next) {
    const View& view = views_[v];
    out.records += view.records;
    if (view.interface != 0 && std::find(out.seen.begin(), out.seen.end(), view.interface) == out.seen.end())
      out.seen.push_back(view.interface);
    Sent& own = out.sent[view.from];
    const std::string_view name =
        view.interface == 0 ? std::string_view() : DecodeText(view.interface, encoder_.interner());
    if (vantage == Vantage::kAll) {
      own.packets += view.packets;
      own.bytes += view.bytes;
      if (view.interface != 0 && (own.interface == 0 || name < own.name))
        std::tie(own.interface, own.name) = std::pair(view.interface, name);
      continue;
    }
    // At the client's side what the client sends goes out, and what the server sends comes in.
    const uint8_t wanted = (vantage == Vantage::kClient) == (view.from == client) ? 2 : 1;
    const int rank = vantage == Vantage::kMost ? 0 : view.flow == wanted ? 1 : 0;
    const Sent candidate{view.packets, view.bytes, view.interface, name};
    const auto order = [](int n, const Sent& s) { return std::tuple(n, s.bytes, s.packets, s.name); };
    if (best[view.from] >= 0 && order(rank, candidate) <= order(best[view.from], own)) continue;
    best[view.from] = rank;
    own = candidate;
  }
  return out;
}

bool SessionState::IsSecondLeg(const Key& key, size_t client) const {
  const size_t server = 1 - client;
  return intermediaries_.contains(key.address[client]) ||
         translations_.contains({key.address[client], key.address[server], key.port[server], key.protocol});
}

Table SessionState::Finish() const {
  Table table = Emit([](const Run&) { return true; });
  if (!plan_->spec.sort.empty()) SortTable(&table, plan_->spec.sort);
  if (plan_->spec.limit) SliceTable(&table, 0, *plan_->spec.limit);
  return table;
}

Table SessionState::TakeIdle(int64_t time) {
  const auto idle = [&](const Run& run) { return run.end + idle_ < time; };
  Table table = Emit(idle);
  for (uint32_t& head : heads_) {
    for (uint32_t* link = &head; *link != kNone;) {
      Run& run = runs_[*link];
      if (!idle(run)) {
        link = &run.next;
        continue;
      }
      for (uint32_t v = run.views; v != kNone; v = views_[v].next) free_views_.push_back(v);
      free_runs_.push_back(*link);
      *link = run.next;
      --live_;
    }
  }
  // Keys without sessions go when they are the most, so that memory follows what is open.
  if (keys_.size() > 1024 && live_ * 2 < keys_.size()) {
    SessionState kept(*plan_, *slots_);
    kept.Merge(*this);
    std::swap(*this, kept);
  }
  return table;
}

template <class Wanted>
Table SessionState::Emit(Wanted wanted) const {
  Table table = SessionTable();
  std::vector<TableColumn>& columns = table.columns;
  for (const char* name : kKindNames) columns[17].texts.emplace_back(name);
  for (const char* name : kDecidedNames) columns[18].texts.emplace_back(name);
  std::array<std::unordered_map<Ip, int32_t, IpHash>, 2> addresses;
  std::unordered_map<uint64_t, int32_t> interfaces;
  // Appends the number of a value in a dictionary, where it is put if it is new.
  const auto put = [](const auto& value, auto* codes, auto* dictionary, const auto& entry, TableColumn* column) {
    const auto [at, added] = codes->try_emplace(value, static_cast<int32_t>(dictionary->size()));
    if (added) dictionary->push_back(entry);
    column->i32.push_back(at->second);
  };
  const auto put_end = [&](const Key& key, size_t end, size_t at) {
    const Ip& address = key.address[end];
    put(address, &addresses[at / 2], &columns[at].addresses, address, &columns[at]);
    columns[at + 1].i32.push_back(key.port[end] == kNone ? kNullInt32 : static_cast<int32_t>(key.port[end]));
  };
  for (uint32_t k = 0; k < keys_.size(); ++k) {
    const Key& key = keys_[k];
    for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) {
      const Run& run = runs_[r];
      if (!wanted(run)) continue;
      const auto [client, decided] = ClientOf(key, run);
      const size_t server = 1 - client;
      const Sight sight = SightOf(run, client);
      put_end(key, client, 0);
      put_end(key, server, 2);
      columns[4].i32.push_back(key.protocol < 0 ? kNullInt32 : key.protocol);
      columns[5].i64.push_back(run.start * kMicrosPerSecond);
      columns[6].i64.push_back(run.end * kMicrosPerSecond);
      const uint64_t numbers[] = {static_cast<uint64_t>(run.end - run.start),
                                  sight.sent[client].bytes,
                                  sight.sent[server].bytes,
                                  sight.sent[client].packets,
                                  sight.sent[server].packets,
                                  sight.records};
      for (size_t i = 0; i < std::size(numbers); ++i) columns[7 + i].i64.push_back(static_cast<int64_t>(numbers[i]));
      const Sent& shown = sight.sent[client].interface != 0 ? sight.sent[client] : sight.sent[server];
      if (shown.interface == 0) {
        columns[13].i32.push_back(kNullCode);
      } else {
        put(shown.interface, &interfaces, &columns[13].texts, std::string(shown.name), &columns[13]);
      }
      columns[14].i32.push_back(static_cast<int32_t>(sight.seen.size()));
      columns[15].i32.push_back(static_cast<int32_t>(run.flags[client]));
      columns[16].i32.push_back(static_cast<int32_t>(run.flags[server]));
      columns[17].i32.push_back(KindOf(run, client));
      columns[18].i32.push_back(decided);
      columns[19].i32.push_back(IsSecondLeg(key, client) ? 0 : 1);
      ++table.rows;
    }
  }
  SortTable(&table, {{"start", false},
                     {"client", false},
                     {"server", false},
                     {"client_port", false},
                     {"server_port", false},
                     {"protocol", false},
                     {"end", false}});
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
