#include "src/session/starts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "src/session/totals.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Of the values of `action` that of records which an interface blocked in part.
constexpr std::array<std::string_view, 3> kActions = {"ACCEPT", "REJECT", "MIXED"};
constexpr std::array<std::string_view, 2> kDirections = {"ingress", "egress"};

struct Key {
  uint64_t interface = 0;  // code
  Ip client, server;
  int32_t server_port = kNullInt32, protocol = kNullInt32;
  int32_t span = 0, direction = kNullCode, action = 0;
  int32_t client_known = 0, syn = kNullInt32, state = 0, answered = kNullInt32;

  friend bool operator==(const Key&, const Key&) = default;
  template <class H>
  friend H AbslHashValue(H h, const Key& k) {
    return H::combine(std::move(h), k.interface, k.client.hi, k.client.lo, k.server.hi, k.server.lo, k.server_port,
                      k.protocol, k.span, k.direction, k.action, k.client_known, k.syn, k.state, k.answered);
  }
};

struct Sums {
  int64_t sessions = 0, first = kNever, last = 0;
  uint64_t bytes = 0;
};

using Counted = absl::flat_hash_map<Key, Sums>;

// Counts a session at each interface that saw packets of its client.
class Counting {
 public:
  Counting(const SessionStore& store, const Interner& names, const SessionRoles& roles,
           const std::vector<int64_t>& cuts, Counted* out)
      : store_(store), names_(names), roles_(roles), cuts_(cuts), out_(*out) {}

  void Add(const EndpointPair& pair, const Session& session) {
    const Role role = roles_.RoleOf(pair, session);
    const size_t client = role.client, server = 1 - client;
    AddUpViews(store_, session, names_, Vantage::kMost, client, &totals_);
    SessionFacts facts = FactsOf(pair, session, client, totals_);
    facts.one_direction = roles_.one_direction();
    const SessionKind kind = KindOf(facts);
    const std::optional<bool> answered = AnsweredOf(facts, kind);
    Key key;
    key.state = static_cast<int32_t>(kind);
    key.client = pair.address[client];
    key.server = pair.address[server];
    if (pair.port[server] != kNoPort) key.server_port = static_cast<int32_t>(pair.port[server]);
    if (pair.protocol >= 0) key.protocol = pair.protocol;
    key.span = static_cast<int32_t>(std::upper_bound(cuts_.begin(), cuts_.end(), session.start) - cuts_.begin());
    key.client_known =
        role.decided != DecidedBy::kNone || (!roles_.one_direction() && session.first[client] < session.first[server]);
    if (facts.flags_told && pair.protocol == kTcp) key.syn = (facts.flags[0] & kSyn) != 0 ? 1 : 0;
    if (answered) key.answered = *answered ? 1 : 0;
    store_.ForEachView(session, [&](const InterfaceView& view) {
      if (view.from != client) return;
      key.interface = view.interface;
      key.direction = view.flow == 0 ? kNullCode : view.flow == InterfaceView::kIngress ? 0 : 1;
      key.action = view.rejected == 0 ? 0 : view.rejected == view.records ? 1 : 2;
      uint64_t answer = 0;  // of what a middlebox sees twice, once
      store_.ForEachView(session, [&](const InterfaceView& other) {
        if (other.from == server && other.interface == view.interface) answer = std::max(answer, other.bytes);
      });
      Sums& sums = out_[key];
      ++sums.sessions;
      sums.bytes += view.bytes + answer;
      sums.first = std::min(sums.first, session.start);
      sums.last = std::max(sums.last, session.end);
    });
  }

 private:
  const SessionStore& store_;
  const Interner& names_;
  const SessionRoles& roles_;
  const std::vector<int64_t>& cuts_;
  Counted& out_;
  SessionTotals totals_;  // scratch
};

// Appends an address, whose number `codes` has if it is not new.
int32_t CodeOf(const Ip& address, absl::flat_hash_map<std::pair<uint64_t, uint64_t>, int32_t>* codes,
               TableColumn* column) {
  const auto [at, added] = codes->try_emplace({address.hi, address.lo}, static_cast<int32_t>(column->addresses.size()));
  if (added) column->addresses.push_back(address);
  return at->second;
}

TableColumn ColumnOf(const char* name, ColumnType type) {
  TableColumn column;
  column.name = name;
  column.type = type;
  return column;
}

}  // namespace

Table SessionStarts(const SessionStore& store, const Interner& names, const SessionRoles& roles,
                    const std::vector<int64_t>& cuts) {
  Counted counted;
  Counting counting(store, names, roles, cuts, &counted);
  store.ForEach([&](uint32_t p, const Session& session) { counting.Add(store.pair(p), session); });

  const auto name_of = [&](const Key& k) {
    return k.interface == 0 ? std::string_view() : DecodeText(k.interface, names);
  };
  std::vector<std::pair<std::string_view, const Counted::value_type*>> rows;
  rows.reserve(counted.size());
  for (const Counted::value_type& row : counted) rows.emplace_back(name_of(row.first), &row);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    const auto order = [](const auto& row) {
      const Key& k = row.second->first;
      return std::tie(row.first, k.direction, k.protocol, k.server_port, k.client, k.server, k.span, k.action,
                      k.client_known, k.syn, k.state, k.answered);
    };
    return order(a) < order(b);
  });

  Table table;
  table.rows = rows.size();
  table.columns = {ColumnOf("interface", ColumnType::kText),    ColumnOf("direction", ColumnType::kText),
                   ColumnOf("client", ColumnType::kAddress),    ColumnOf("server", ColumnType::kAddress),
                   ColumnOf("server_port", ColumnType::kInt32), ColumnOf("protocol", ColumnType::kInt32),
                   ColumnOf("span", ColumnType::kInt32),        ColumnOf("action", ColumnType::kText),
                   ColumnOf("client_known", ColumnType::kBool), ColumnOf("syn", ColumnType::kBool),
                   ColumnOf("state", ColumnType::kText),        ColumnOf("answered", ColumnType::kBool),
                   ColumnOf("sessions", ColumnType::kInt64),    ColumnOf("bytes", ColumnType::kInt64),
                   ColumnOf("first", ColumnType::kTime),        ColumnOf("last", ColumnType::kTime)};
  std::vector<TableColumn>& columns = table.columns;
  for (const std::string_view text : kDirections) columns[1].texts.emplace_back(text);
  for (const std::string_view text : kActions) columns[7].texts.emplace_back(text);
  for (const std::string_view text : kSessionKindNames) columns[10].texts.emplace_back(text);
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, int32_t> clients, servers;
  for (const auto& [name, row] : rows) {
    const auto& [key, sums] = *row;
    std::vector<std::string>& texts = columns[0].texts;
    if (!name.empty() && (texts.empty() || texts.back() != name)) texts.emplace_back(name);
    const int32_t small[] = {name.empty() ? kNullCode : static_cast<int32_t>(texts.size() - 1),
                             key.direction,
                             CodeOf(key.client, &clients, &columns[2]),
                             CodeOf(key.server, &servers, &columns[3]),
                             key.server_port,
                             key.protocol,
                             key.span,
                             key.action,
                             key.client_known,
                             key.syn,
                             key.state,
                             key.answered};
    for (size_t c = 0; c < std::size(small); ++c) columns[c].i32.push_back(small[c]);
    const int64_t large[] = {sums.sessions, static_cast<int64_t>(sums.bytes), sums.first * kMicrosPerSecond,
                             sums.last * kMicrosPerSecond};
    for (size_t c = 0; c < std::size(large); ++c) columns[std::size(small) + c].i64.push_back(large[c]);
  }
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
