#include "src/detect/sessions.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/detect/gateways.h"
#include "src/detect/registry.h"
#include "src/session/kind.h"
#include "vpcflow/error/error.h"
#include "vpcflow/export/text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

absl::Status Fill(const std::vector<std::string>& prefixes, CidrSet* out) {
  for (const std::string& prefix : prefixes) {
    Cidr cidr;
    std::string meant;
    if (!ParseCidr(prefix, &cidr, &meant)) {
      return MakeError(ErrorKind::kPlan,
                       absl::StrCat("detect: '", ValidUtf8(prefix), "' is no address and no prefix",
                                    meant.empty() ? "" : "; did you mean ", meant, meant.empty() ? "" : "?"));
    }
    out->Add(cidr);
  }
  out->Build();
  return absl::OkStatus();
}

// The columns of a table by name; `missing` gets the first one that is not there, or of another type.
class Columns {
 public:
  Columns(const Table& table, std::string_view what) : table_(table), what_(what) {}
  const TableColumn* Get(std::string_view name, ColumnType type) {
    const auto at = table_.Find(name);
    if (at && table_.columns[*at].type == type) return &table_.columns[*at];
    if (status_.ok()) {
      status_ = MakeError(ErrorKind::kPlan, absl::StrCat("detect: a table of ", what_,
                                                         " is needed; this one has no column ", std::string(name)));
    }
    return nullptr;
  }
  const absl::Status& status() const { return status_; }

 private:
  const Table& table_;
  std::string what_;
  absl::Status status_;
};

// RFC 6890, RFC 5771, RFC 919, RFC 4291.
constexpr const char* kNoHosts[] = {"0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4",
                                    "240.0.0.0/4", "::/127",      "fe80::/10",      "ff00::/8"};

constexpr auto kNoKind = static_cast<SessionKind>(-1);  // of a name that is no state's, or none

SessionKind KindNamed(std::string_view name) {
  const auto at = std::find(kSessionKindNames.begin(), kSessionKindNames.end(), name);
  return at == kSessionKindNames.end() ? kNoKind : static_cast<SessionKind>(at - kSessionKindNames.begin());
}

// `answered` is 1, 0, or neither where it cannot be told.
uint8_t TraitsOf(const SessionRow& row, SessionKind kind, bool known, int32_t answered, int32_t server_flags) {
  const bool began = known || row.packets == 0 || row.answers == 0;
  const bool synced = (server_flags & static_cast<int32_t>(kSyn)) != 0;
  const bool rejected = kind == SessionKind::kRejected, unanswered = kind == SessionKind::kUnanswered;
  const bool refused = kind == SessionKind::kResetByPeer && answered == 0 && !synced;
  const bool failed = began && row.packets > 0 && (rejected || unanswered || refused);
  const bool open =
      answered == 1 || (synced && (kind == SessionKind::kResetByPeer || kind == SessionKind::kEstablished));
  const bool one_sided = began && (rejected || unanswered || (kind == SessionKind::kOneWay && answered == 0));
  return static_cast<uint8_t>((failed ? kFailed : 0) | (answered == 1 ? kAnswered : 0) | (open ? kOpen : 0) |
                              (one_sided ? kOneSided : 0) | (began ? kBegan : 0));
}

int64_t SecondsOf(int64_t micros) { return micros / kMicrosPerSecond - (micros % kMicrosPerSecond < 0 ? 1 : 0); }

}  // namespace

absl::Status Sessions::Init(const ResolvedSettings& settings) {
  for (const SettingInfo* setting : AllSettings()) {
    if (setting->type != SettingType::kPrefixes && setting->type != SettingType::kAddressList) continue;
    CidrSet& set = sets_.emplace_back(setting, CidrSet()).second;
    if (absl::Status status = Fill(settings.PrefixesOf(*setting), &set); !status.ok()) return status;
  }
  if (absl::Status status = Fill({std::begin(kNoHosts), std::end(kNoHosts)}, &no_hosts_); !status.ok()) return status;
  return sets_.size() < 8 * sizeof(AddressTrait) ? absl::OkStatus() : absl::InternalError("detect: too many lists");
}

AddressTrait Sessions::TraitOf(const SettingInfo& prefixes) const {
  const auto at = std::find_if(sets_.begin(), sets_.end(), [&](const auto& set) { return set.first == &prefixes; });
  return at == sets_.end() ? 0 : AddressTrait{1} << (at - sets_.begin());
}

uint32_t Sessions::Number(const Ip& address) {
  const auto [at, added] = numbers_.try_emplace(address, address_count());
  if (added) {
    addresses_.push_back(address);
    AddressTrait traits = no_hosts_.Contains(address) ? kNoHost : 0;
    for (size_t i = 0; i < sets_.size(); ++i) {
      if (sets_[i].second.Contains(address)) traits |= AddressTrait{1} << i;
    }
    traits_.push_back(traits);
  }
  return at->second;
}

// By code: the numbers of a column's addresses.
std::vector<uint32_t> Sessions::NumbersOf(const TableColumn& column) {
  std::vector<uint32_t> out;
  out.reserve(column.addresses.size());
  for (const Ip& address : column.addresses) out.push_back(Number(address));
  return out;
}

void Sessions::AddFolded(const Table& table, size_t row) {
  const auto column = [&](std::string_view name) -> const TableColumn& { return table.columns[*table.Find(name)]; };
  const auto number = [&](std::string_view name) { return static_cast<uint64_t>(column(name).i64[row]); };
  const TableColumn& servers = column("server");
  if (servers.i32[row] == kNullCode) {
    folded_tries_ += number("records");
    folded_sources_ += number("sources");
    return;
  }
  folded_.push_back({Number(servers.addresses[static_cast<size_t>(servers.i32[row])]), column("server_port").i32[row],
                     column("protocol").i32[row], column("client_port").i32[row], SecondsOf(column("start").i64[row]),
                     SecondsOf(column("end").i64[row]), number("sources"), number("records"),
                     number("client_packets")});
}

absl::Status Sessions::Add(const Table& table) {
  Columns columns(table, "sessions");
  const TableColumn *client = columns.Get("client", ColumnType::kAddress),
                    *server = columns.Get("server", ColumnType::kAddress),
                    *port = columns.Get("server_port", ColumnType::kInt32),
                    *client_port = columns.Get("client_port", ColumnType::kInt32),
                    *protocol = columns.Get("protocol", ColumnType::kInt32),
                    *start = columns.Get("start", ColumnType::kTime), *end = columns.Get("end", ColumnType::kTime),
                    *sent = columns.Get("client_bytes", ColumnType::kInt64),
                    *received = columns.Get("server_bytes", ColumnType::kInt64),
                    *packets = columns.Get("client_packets", ColumnType::kInt64),
                    *answers = columns.Get("server_packets", ColumnType::kInt64),
                    *flags = columns.Get("server_flags", ColumnType::kInt32),
                    *state = columns.Get("state", ColumnType::kText),
                    *counted = columns.Get("counted", ColumnType::kBool),
                    *known = columns.Get("client_known", ColumnType::kBool),
                    *answered = columns.Get("answered", ColumnType::kBool);
  const TableColumn* sources = table.Find("sources") ? columns.Get("sources", ColumnType::kInt64) : nullptr;
  const TableColumn* records = sources != nullptr ? columns.Get("records", ColumnType::kInt64) : nullptr;
  if (!columns.status().ok()) return columns.status();
  const std::vector<uint32_t> clients = NumbersOf(*client), servers = NumbersOf(*server);
  std::vector<SessionKind> kinds;
  for (const std::string& name : state->texts) kinds.push_back(KindNamed(name));
  ordered_ = false;
  rows_.reserve(rows_.size() + table.rows);
  for (size_t row = 0; row < table.rows; ++row) {
    if (records != nullptr && sources->i64[row] != kNullInt64) {
      AddFolded(table, row);
      continue;
    }
    const int32_t from = client->i32[row], to = server->i32[row], kind = state->i32[row];
    if (counted->i32[row] != 1 || from == kNullCode || to == kNullCode || start->i64[row] == kNullInt64) continue;
    const int64_t began = SecondsOf(start->i64[row]);
    SessionRow own{clients[static_cast<size_t>(from)],
                   servers[static_cast<size_t>(to)],
                   port->i32[row],
                   protocol->i32[row],
                   began,
                   end->i64[row] == kNullInt64 ? began : SecondsOf(end->i64[row]),
                   static_cast<uint64_t>(sent->i64[row]),
                   static_cast<uint64_t>(received->i64[row]),
                   static_cast<uint64_t>(packets->i64[row]),
                   static_cast<uint64_t>(answers->i64[row]),
                   client_port->i32[row],
                   0};
    const SessionKind became = kind == kNullCode ? kNoKind : kinds[static_cast<size_t>(kind)];
    own.traits = TraitsOf(own, became, known->i32[row] == 1, answered->i32[row], flags->i32[row]);
    if (!own.Is(kBegan) && Is(own.server, kInside) && !Is(own.client, kInside)) own.Swap();
    rows_.push_back(own);
  }
  return absl::OkStatus();
}

absl::Status Sessions::AddPast(const Table& table) {
  Columns columns(table, "past talks");
  const TableColumn *client = columns.Get("srcaddr", ColumnType::kAddress),
                    *server = columns.Get("dstaddr", ColumnType::kAddress),
                    *port = columns.Get("dstport", ColumnType::kInt32),
                    *protocol = table.Find("protocol") ? columns.Get("protocol", ColumnType::kInt32) : nullptr,
                    *counts = table.Find("n") ? columns.Get("n", ColumnType::kInt64) : nullptr;
  if (!columns.status().ok()) return columns.status();
  has_past_ = true;
  const std::vector<uint32_t> clients = NumbersOf(*client), servers = NumbersOf(*server);
  for (size_t row = 0; row < table.rows; ++row) {
    const int32_t from = client->i32[row], to = server->i32[row];
    if (from == kNullCode || to == kNullCode) continue;
    uint32_t source = clients[static_cast<size_t>(from)], target = servers[static_cast<size_t>(to)];
    // Without ports, which AWS writes as 0, nobody is known to have begun.
    if (!HasPort(port->i32[row]) && Is(target, kInside) && !Is(source, kInside)) std::swap(source, target);
    past_.push_back({source, target, port->i32[row], protocol == nullptr ? kNullInt32 : protocol->i32[row],
                     counts == nullptr ? 1 : static_cast<uint64_t>(std::max<int64_t>(counts->i64[row], 1))});
  }
  ordered_ = false;  // there may be more addresses
  return absl::OkStatus();
}

void Sessions::Merge(const Sessions& other) {
  std::vector<uint32_t> numbers;
  numbers.reserve(other.addresses_.size());
  for (const Ip& address : other.addresses_) numbers.push_back(Number(address));
  for (SessionRow row : other.rows_) {
    row.client = numbers[row.client];
    row.server = numbers[row.server];
    rows_.push_back(row);
  }
  for (const PastEdge& edge : other.past_)
    past_.push_back({numbers[edge.client], numbers[edge.server], edge.port, edge.protocol, edge.sessions});
  for (FoldedTries folded : other.folded_) {
    folded.server = numbers[folded.server];
    folded_.push_back(folded);
  }
  folded_tries_ += other.folded_tries_;
  folded_sources_ += other.folded_sources_;
  for (const auto& [gateway, repeated] : other.gateways_) gateways_[numbers[gateway]] += repeated;
  has_past_ |= other.has_past_;
  ordered_ = false;
}

void Sessions::Order() {
  if (ordered_) return;
  for (const auto& [gateway, repeated] : DropRepeated(*this, &rows_)) gateways_[gateway] += repeated;
  heads_.assign(addresses_.size() + 1, 0);
  for (const SessionRow& row : rows_) ++heads_[row.client + 1];
  for (size_t i = 1; i < heads_.size(); ++i) heads_[i] += heads_[i - 1];
  Array<SessionRow> ordered;
  ordered.Extend(rows_.size());
  std::vector<size_t> next(heads_.begin(), heads_.end());
  for (const SessionRow& row : rows_) ordered[next[row.client]++] = row;
  rows_ = std::move(ordered);
  for (size_t i = 0; i + 1 < heads_.size(); ++i) {
    if (heads_[i + 1] - heads_[i] < 2) continue;
    std::sort(rows_.begin() + heads_[i], rows_.begin() + heads_[i + 1], [](const SessionRow& a, const SessionRow& b) {
      return std::tie(a.server, a.port, a.protocol, a.start) < std::tie(b.server, b.port, b.protocol, b.start);
    });
  }
  ordered_ = true;
}

size_t Sessions::bytes() const {
  return rows_.size() * sizeof(SessionRow) + heads_.capacity() * sizeof(size_t) +
         addresses_.capacity() * (sizeof(Ip) + sizeof(AddressTrait)) +
         numbers_.capacity() * (sizeof(Ip) + sizeof(uint32_t) + 1) + past_.capacity() * sizeof(PastEdge) +
         folded_.capacity() * sizeof(FoldedTries);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
