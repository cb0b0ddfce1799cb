// What sessions become: who was the client, what its vantage point saw, rows of a table.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "src/keys/flat_table.h"
#include "src/session/state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kColumns = 23;
constexpr const char* kDecidedNames[] = {"syn", "flow-direction", "service-port", "first-seen", "none"};

}  // namespace

std::span<const std::string_view> SessionStates() { return kSessionKindNames; }

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
                                                                      {"counted", ColumnType::kBool},
                                                                      {"client_known", ColumnType::kBool},
                                                                      {"conn_state", ColumnType::kText},
                                                                      {"answered", ColumnType::kBool}}};
  table.columns.resize(kColumns);
  for (size_t i = 0; i < kColumns; ++i) {
    table.columns[i].name = all[i].first;
    table.columns[i].type = all[i].second;
  }
  return table;
}

// What each end sent, as the vantage point has it.
void SessionState::Look(const Run& run, size_t client, Sight* sight) const {
  const Vantage vantage = spec_.vantage;
  Sight& out = *sight;
  out.sent = {};
  out.most_packets = out.most_bytes = {};
  out.passage = {};
  out.records = 0;
  out.seen.clear();
  std::array<int, 2> best{-1, -1};
  bool blocked = false;
  for (uint32_t v = run.views; v != kNone; v = views_[v].next) {
    const View& view = views_[v];
    out.records += view.records;
    if (view.interface != 0 && std::find(out.seen.begin(), out.seen.end(), view.interface) == out.seen.end())
      out.seen.push_back(view.interface);
    uint64_t &most_bytes = out.most_bytes[view.from], &most_packets = out.most_packets[view.from];
    std::tie(most_bytes, most_packets) = std::max(std::pair(most_bytes, most_packets), {view.bytes, view.packets});
    out.passage[view.from] = Passage::kPassed;
    blocked |= view.rejected > 0 && view.rejected == view.records;
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
  if (blocked) FindPassages(run, &out);
}

// An end's records are blocked if an interface let none of them through, but for one whose records came in behind it.
void SessionState::FindPassages(const Run& run, Sight* sight) const {
  for (uint32_t v = run.views; v != kNone; v = views_[v].next) {
    const View& at = views_[v];
    if (at.rejected == 0 || at.rejected < at.records) continue;
    bool passed = false;
    for (uint32_t w = run.views; w != kNone && !passed; w = views_[w].next) {
      const View& other = views_[w];
      if (other.from != at.from || other.rejected == other.records) continue;
      const bool same = other.interface == at.interface, one_not_told = other.flow == 0 || at.flow == 0;
      passed = (same && one_not_told) || (at.flow == 2 && other.flow == 1 && (!same || at.interface == 0));
    }
    if (!passed) sight->passage[at.from] = Passage::kBlocked;
  }
}

SessionFacts SessionState::FactsOf(const Key& key, const Run& run, size_t client, const Sight& sight) {
  SessionFacts out;
  out.protocol = key.protocol;
  out.v6 = !key.address[0].is_v4();
  out.flags_told = ((run.flags[0] | run.flags[1]) & kFlagsTold) != 0;
  for (const size_t i : {size_t{0}, size_t{1}}) {
    const size_t end = i == 0 ? client : 1 - client;
    out.passage[i] = sight.passage[end];
    out.packets[i] = sight.most_packets[end];
    out.bytes[i] = sight.most_bytes[end];
    out.flags[i] = run.flags[end] & ~kFlagsTold;
  }
  return out;
}

bool SessionState::IsSecondLeg(const Key& key, const Role& role) const {
  const auto stands_for = [&](size_t client) {
    const size_t server = 1 - client;
    return intermediaries_.contains(key.address[client]) ||
           translations_.contains({key.address[client], key.address[server], key.port[server], key.protocol});
  };
  return stands_for(role.client) || (role.decided == kByNone && stands_for(1 - role.client));
}

Table SessionState::Finish(std::string* warning) const {
  const Evidence evidence = Weigh();
  if (warning != nullptr) *warning = WarningOf(evidence);
  return Emit([](const Run&) { return true; }, evidence);
}

Table SessionState::TakeIdle(int64_t time) {
  const auto idle = [&](const Run& run) { return run.end + spec_.idle < time; };
  Table table = Emit(idle, Weigh());
  for (uint32_t k = 0; k < keys_.size(); ++k) {
    for (uint32_t* link = &heads_[k]; *link != kNone;) {
      Run& run = runs_[*link];
      if (!idle(run)) {
        link = &run.next;
        continue;
      }
      CountDirections(keys_[k], run, &ended_);
      for (uint32_t v = run.views; v != kNone; v = views_[v].next) free_views_.push_back(v);
      free_runs_.push_back(*link);
      *link = run.next;
      --live_;
    }
  }
  // Keys without sessions go when they are the most, so that memory follows what is open.
  if (keys_.size() > 1024 && live_ * 2 < keys_.size()) {
    SessionState kept(spec_, columns_, filtered_);
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
Table SessionState::Emit(Wanted wanted, const Evidence& evidence) const {
  struct Row {
    const Key* key;
    const Run* run;
    Role role;
  };
  Array<Row> rows;
  rows.reserve(live_);
  for (uint32_t k = 0; k < keys_.size(); ++k) {
    for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) {
      if (!wanted(runs_[r])) continue;
      rows.push_back({&keys_[k], &runs_[r], RoleOf(keys_[k], runs_[r], evidence)});
    }
  }
  Table table = SessionTable();
  table.rows = rows.size();
  std::vector<TableColumn>& columns = table.columns;
  for (const std::string_view name : kSessionKindNames) columns[17].texts.emplace_back(name);
  for (const char* name : kDecidedNames) columns[18].texts.emplace_back(name);
  for (const std::string_view name : kConnStateNames) columns[21].texts.emplace_back(name);
  PutAddresses(
      rows.size(), [&](size_t i) -> const Ip& { return rows[i].key->address[rows[i].role.client]; }, &columns[0]);
  PutAddresses(
      rows.size(), [&](size_t i) -> const Ip& { return rows[i].key->address[1 - rows[i].role.client]; }, &columns[2]);
  // Where the numbers of each column are to be written.
  std::array<int32_t*, kColumns> small{};
  std::array<int64_t*, kColumns> large{};
  for (const size_t c : {1, 3, 4, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22})
    small[c] = columns[c].i32.Extend(rows.size());
  for (const size_t c : {5, 6, 7, 8, 9, 10, 11, 12}) large[c] = columns[c].i64.Extend(rows.size());
  std::unordered_map<uint64_t, int32_t> interfaces;
  Sight sight;
  for (size_t i = 0; i < rows.size(); ++i) {
    constexpr size_t kAhead = 8;
    if (i + kAhead < rows.size() && rows[i + kAhead].run->views != kNone)
      __builtin_prefetch(&views_[rows[i + kAhead].run->views]);
    const auto& [key, run, role] = rows[i];
    const size_t client = role.client, server = 1 - client;
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
    SessionFacts facts = FactsOf(*key, *run, client, sight);
    facts.one_direction = evidence.one_direction;
    const SessionKind kind = KindOf(facts);
    const std::optional<ConnState> conn_state = ConnStateOf(facts, kind);
    const std::optional<bool> answered = AnsweredOf(facts, kind);
    small[15][i] = static_cast<int32_t>(facts.flags[0]);
    small[16][i] = static_cast<int32_t>(facts.flags[1]);
    small[17][i] = static_cast<int32_t>(kind);
    small[18][i] = role.decided;
    small[19][i] = IsSecondLeg(*key, role) ? 0 : 1;
    small[20][i] = role.decided == kByNone ? 0 : 1;
    small[21][i] = conn_state ? static_cast<int32_t>(*conn_state) : kNullCode;
    small[22][i] = answered ? static_cast<int32_t>(*answered) : kNullInt32;
  }
  if (!spec_.ordered) return table;
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
