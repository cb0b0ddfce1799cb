#include "src/session/rows.h"

#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "src/session/totals.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kColumns = 23;

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

int32_t PortOrNone(uint32_t port) { return port == kNoPort ? kNullInt32 : static_cast<int32_t>(port); }

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

Table SessionRows(const SessionSpec& spec, const SessionStore& store, const Interner& names, const SessionRoles& roles,
                  const SecondLegs& second_legs, const std::function<bool(const Session&)>& wanted) {
  struct Row {
    const EndpointPair* pair;
    const Session* session;
    Role role;
  };
  Array<Row> rows;
  rows.reserve(store.size());
  store.ForEach([&](uint32_t p, const Session& session) {
    const EndpointPair& pair = store.pair(p);
    if (!wanted || wanted(session)) rows.push_back({&pair, &session, roles.RoleOf(pair, session)});
  });
  const auto is_second_leg = [&](const EndpointPair& pair, const Role& role) {
    return second_legs.Contains(pair, role.client) ||
           (role.decided == DecidedBy::kNone && second_legs.Contains(pair, 1 - role.client));
  };
  Table table = SessionTable();
  table.rows = rows.size();
  std::vector<TableColumn>& columns = table.columns;
  for (const std::string_view name : kSessionKindNames) columns[17].texts.emplace_back(name);
  for (const char* name : kDecidedByNames) columns[18].texts.emplace_back(name);
  for (const std::string_view name : kConnStateNames) columns[21].texts.emplace_back(name);
  PutAddresses(
      rows.size(), [&](size_t i) -> const Ip& { return rows[i].pair->address[rows[i].role.client]; }, &columns[0]);
  PutAddresses(
      rows.size(), [&](size_t i) -> const Ip& { return rows[i].pair->address[1 - rows[i].role.client]; }, &columns[2]);
  // Where the numbers of each column are to be written.
  std::array<int32_t*, kColumns> small{};
  std::array<int64_t*, kColumns> large{};
  for (const size_t c : {1, 3, 4, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22})
    small[c] = columns[c].i32.Extend(rows.size());
  for (const size_t c : {5, 6, 7, 8, 9, 10, 11, 12}) large[c] = columns[c].i64.Extend(rows.size());
  std::unordered_map<uint64_t, int32_t> interfaces;
  SessionTotals totals;
  for (size_t i = 0; i < rows.size(); ++i) {
    constexpr size_t kAhead = 8;
    if (i + kAhead < rows.size()) store.PrefetchViews(*rows[i + kAhead].session);
    const auto& [pair, session, role] = rows[i];
    const size_t client = role.client, server = 1 - client;
    AddUpViews(store, *session, names, spec.vantage, client, &totals);
    small[1][i] = PortOrNone(pair->port[client]);
    small[3][i] = PortOrNone(pair->port[server]);
    small[4][i] = pair->protocol < 0 ? kNullInt32 : pair->protocol;
    large[5][i] = session->start * kMicrosPerSecond;
    large[6][i] = session->end * kMicrosPerSecond;
    const uint64_t numbers[] = {static_cast<uint64_t>(session->end - session->start),
                                totals.sent[client].bytes,
                                totals.sent[server].bytes,
                                totals.sent[client].packets,
                                totals.sent[server].packets,
                                totals.records};
    for (size_t c = 0; c < std::size(numbers); ++c) large[7 + c][i] = static_cast<int64_t>(numbers[c]);
    const SentTotals& shown = totals.sent[client].interface != 0 ? totals.sent[client] : totals.sent[server];
    small[13][i] = kNullCode;
    if (shown.interface != 0) {
      const auto [at, added] = interfaces.try_emplace(shown.interface, static_cast<int32_t>(columns[13].texts.size()));
      if (added) columns[13].texts.emplace_back(shown.name);
      small[13][i] = at->second;
    }
    small[14][i] = static_cast<int32_t>(totals.interfaces.size());
    SessionFacts facts = FactsOf(*pair, *session, client, totals);
    facts.one_direction = roles.one_direction();
    const SessionKind kind = KindOf(facts);
    const std::optional<ConnState> conn_state = ConnStateOf(facts, kind);
    const std::optional<bool> answered = AnsweredOf(facts, kind);
    small[15][i] = static_cast<int32_t>(facts.flags[0]);
    small[16][i] = static_cast<int32_t>(facts.flags[1]);
    small[17][i] = static_cast<int32_t>(kind);
    small[18][i] = static_cast<int32_t>(role.decided);
    small[19][i] = is_second_leg(*pair, role) ? 0 : 1;
    small[20][i] = role.decided == DecidedBy::kNone ? 0 : 1;
    small[21][i] = conn_state ? static_cast<int32_t>(*conn_state) : kNullCode;
    small[22][i] = answered ? static_cast<int32_t>(*answered) : kNullInt32;
  }
  if (!spec.ordered) return table;
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
