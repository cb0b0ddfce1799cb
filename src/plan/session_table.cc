// What sessions become: who was the client, what its vantage point saw, rows of a table.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "src/plan/flat_table.h"
#include "src/plan/session_state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kColumns = 20;
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

Table SessionTable() {
  Table table;
  const std::array<std::pair<const char*, ColumnType>, kColumns> all{{{"client", ColumnType::kAddress},
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
                                                                      {"counted", ColumnType::kBool}}};
  table.columns.resize(kColumns);
  for (size_t i = 0; i < kColumns; ++i) {
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
void SessionState::Look(const Run& run, size_t client, Sight* sight) const {
  const Vantage vantage = plan_->spec.sessions->vantage;
  Sight& out = *sight;
  out.sent = {};
  out.records = 0;
  out.seen.clear();
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

namespace {

// Appends an address a row to a column: address(i) of n, whose dictionary gets those that are new.
template <class Address>
void PutAddresses(size_t n, Address address, TableColumn* column) {
  struct Slot {
    uint64_t hash_value = 0;
    int32_t code = kNullCode;
    bool empty() const { return code == kNullCode; }
    uint64_t hash() const { return hash_value; }
  };
  FlatTable<Slot> codes;
  const auto hash = [&](size_t i) { return MixWords(address(i).hi, address(i).lo); };
  int32_t* out = column->i32.Extend(n);
  codes.InsertAll(
      n, hash,
      [&](const Slot& slot, size_t i) {
        return slot.hash_value == hash(i) && column->addresses[static_cast<size_t>(slot.code)] == address(i);
      },
      [&](Slot& slot, size_t i, bool added) {
        if (added) {
          slot = {hash(i), static_cast<int32_t>(column->addresses.size())};
          column->addresses.push_back(address(i));
        }
        out[i] = slot.code;
      });
}

int32_t PortOrNone(uint32_t port) {
  return port == std::numeric_limits<uint32_t>::max() ? kNullInt32 : static_cast<int32_t>(port);
}

}  // namespace

template <class Wanted>
Table SessionState::Emit(Wanted wanted) const {
  struct Row {
    const Key* key;
    const Run* run;
    size_t client;
    int32_t decided;
  };
  Array<Row> rows;
  rows.reserve(live_);
  for (uint32_t k = 0; k < keys_.size(); ++k) {
    for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) {
      if (!wanted(runs_[r])) continue;
      const auto [client, decided] = ClientOf(keys_[k], runs_[r]);
      rows.push_back({&keys_[k], &runs_[r], client, decided});
    }
  }
  Table table = SessionTable();
  table.rows = rows.size();
  std::vector<TableColumn>& columns = table.columns;
  for (const char* name : kKindNames) columns[17].texts.emplace_back(name);
  for (const char* name : kDecidedNames) columns[18].texts.emplace_back(name);
  PutAddresses(
      rows.size(), [&](size_t i) -> const Ip& { return rows[i].key->address[rows[i].client]; }, &columns[0]);
  PutAddresses(
      rows.size(), [&](size_t i) -> const Ip& { return rows[i].key->address[1 - rows[i].client]; }, &columns[2]);
  // Where the numbers of each column are to be written.
  std::array<int32_t*, kColumns> small{};
  std::array<int64_t*, kColumns> large{};
  for (const size_t c : {1, 3, 4, 13, 14, 15, 16, 17, 18, 19}) small[c] = columns[c].i32.Extend(rows.size());
  for (const size_t c : {5, 6, 7, 8, 9, 10, 11, 12}) large[c] = columns[c].i64.Extend(rows.size());
  std::unordered_map<uint64_t, int32_t> interfaces;
  Sight sight;
  for (size_t i = 0; i < rows.size(); ++i) {
    constexpr size_t kAhead = 8;
    if (i + kAhead < rows.size() && rows[i + kAhead].run->views != kNone)
      __builtin_prefetch(&views_[rows[i + kAhead].run->views]);
    const auto& [key, run, client, decided] = rows[i];
    const size_t server = 1 - client;
    Look(*run, client, &sight);
    small[1][i] = PortOrNone(key->port[client]);
    small[3][i] = PortOrNone(key->port[server]);
    small[4][i] = key->protocol < 0 ? kNullInt32 : key->protocol;
    large[5][i] = run->start * kMicrosPerSecond;
    large[6][i] = run->end * kMicrosPerSecond;
    const uint64_t numbers[] = {static_cast<uint64_t>(run->end - run->start),
                                sight.sent[client].bytes,
                                sight.sent[server].bytes,
                                sight.sent[client].packets,
                                sight.sent[server].packets,
                                sight.records};
    for (size_t c = 0; c < std::size(numbers); ++c) large[7 + c][i] = static_cast<int64_t>(numbers[c]);
    const Sent& shown = sight.sent[client].interface != 0 ? sight.sent[client] : sight.sent[server];
    small[13][i] = kNullCode;
    if (shown.interface != 0) {
      const auto [at, added] = interfaces.try_emplace(shown.interface, static_cast<int32_t>(columns[13].texts.size()));
      if (added) columns[13].texts.emplace_back(shown.name);
      small[13][i] = at->second;
    }
    small[14][i] = static_cast<int32_t>(sight.seen.size());
    small[15][i] = static_cast<int32_t>(run->flags[client]);
    small[16][i] = static_cast<int32_t>(run->flags[server]);
    small[17][i] = KindOf(*run, client);
    small[18][i] = decided;
    small[19][i] = IsSecondLeg(*key, client) ? 0 : 1;
  }
  if (!plan_->spec.sessions->ordered) return table;
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
