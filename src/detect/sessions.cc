#include "src/detect/sessions.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "vpcflow/export/text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int32_t kTcp = 6;
constexpr int32_t kSyn = 2;
constexpr int64_t kSynPackets = 7, kSynBytes = 7 * 64;  // SYN and its six repetitions (Linux: tcp_syn_retries)

absl::Status Fill(const std::vector<std::string>& prefixes, CidrSet* out) {
  for (const std::string& prefix : prefixes) {
    Cidr cidr;
    std::string meant;
    if (!ParseCidr(prefix, &cidr, &meant)) {
      return absl::InvalidArgumentError(absl::StrCat("detect: '", ValidUtf8(prefix), "' is no address and no prefix",
                                                     meant.empty() ? "" : "; did you mean ", meant,
                                                     meant.empty() ? "" : "?"));
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
      status_ = absl::InvalidArgumentError(
          absl::StrCat("detect: a table of ", what_, " is needed; this one has no column ", std::string(name)));
    }
    return nullptr;
  }
  const absl::Status& status() const { return status_; }

 private:
  const Table& table_;
  std::string what_;
  absl::Status status_;
};

enum class State : uint8_t { kRejected, kReset, kUnanswered, kEstablished, kOther };

State StateNamed(std::string_view name) {
  if (name == "rejected") return State::kRejected;
  if (name == "reset") return State::kReset;
  if (name == "unanswered") return State::kUnanswered;
  return name == "established" ? State::kEstablished : State::kOther;
}

uint8_t TraitsOf(const SessionRow& row, State state, int32_t server_flags) {
  const bool tcp = row.protocol == kTcp, synced = (server_flags & kSyn) != 0;
  const bool refused = state == State::kReset && row.packets <= 3 && !synced;
  const bool silent =
      state == State::kUnanswered && (row.packets <= 3 || (tcp && row.packets <= kSynPackets && row.sent <= kSynBytes));
  const bool failed = row.packets > 0 && (state == State::kRejected || silent || refused);
  const bool bare = state == State::kEstablished && tcp && row.packets == 1 && row.sent <= 64;
  const bool talked = state == State::kEstablished && (!tcp || row.packets >= 3);
  const bool answered = state == State::kEstablished || state == State::kReset;
  const bool one_sided = state == State::kUnanswered || state == State::kRejected;
  return static_cast<uint8_t>((failed ? kFailed : 0) | (failed || bare ? kMissed : 0) | (talked ? kTalked : 0) |
                              (talked || (answered && synced) ? kOpen : 0) | (answered ? kAnswered : 0) |
                              (one_sided ? kOneSided : 0));
}

int64_t SecondsOf(int64_t micros) { return micros / kMicrosPerSecond - (micros % kMicrosPerSecond < 0 ? 1 : 0); }

}  // namespace

absl::Status Sessions::Init(const DetectSettings& settings) {
  absl::Status status = Fill(settings.inside, &inside_);
  status.Update(Fill(settings.bad, &listed_));
  status.Update(Fill(settings.admin_sources, &administer_));
  status.Update(Fill(settings.exfil_known, &may_get_much_));
  return status;
}

uint32_t Sessions::Number(const Ip& address) {
  const auto [at, added] = numbers_.try_emplace(address, address_count());
  if (added) {
    addresses_.push_back(address);
    traits_.push_back(static_cast<uint8_t>(
        (inside_.Contains(address) ? kInside : 0) | (listed_.Contains(address) ? kListed : 0) |
        (administer_.Contains(address) ? kAdministers : 0) | (may_get_much_.Contains(address) ? kMayGetMuch : 0)));
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

absl::Status Sessions::Add(const Table& table) {
  Columns columns(table, "sessions");
  const TableColumn *client = columns.Get("client", ColumnType::kAddress),
                    *server = columns.Get("server", ColumnType::kAddress),
                    *port = columns.Get("server_port", ColumnType::kInt32),
                    *protocol = columns.Get("protocol", ColumnType::kInt32),
                    *start = columns.Get("start", ColumnType::kTime), *end = columns.Get("end", ColumnType::kTime),
                    *sent = columns.Get("client_bytes", ColumnType::kInt64),
                    *received = columns.Get("server_bytes", ColumnType::kInt64),
                    *packets = columns.Get("client_packets", ColumnType::kInt64),
                    *flags = columns.Get("server_flags", ColumnType::kInt32),
                    *state = columns.Get("state", ColumnType::kText),
                    *counted = columns.Get("counted", ColumnType::kBool);
  if (!columns.status().ok()) return columns.status();
  const std::vector<uint32_t> clients = NumbersOf(*client), servers = NumbersOf(*server);
  std::vector<State> states;
  for (const std::string& name : state->texts) states.push_back(StateNamed(name));
  ordered_ = false;
  rows_.reserve(rows_.size() + table.rows);
  for (size_t row = 0; row < table.rows; ++row) {
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
                   0};
    own.traits = TraitsOf(own, kind == kNullCode ? State::kOther : states[static_cast<size_t>(kind)], flags->i32[row]);
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
    past_.push_back({clients[static_cast<size_t>(from)], servers[static_cast<size_t>(to)], port->i32[row],
                     protocol == nullptr ? kNullInt32 : protocol->i32[row],
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
  has_past_ |= other.has_past_;
  ordered_ = false;
}

void Sessions::Order() {
  if (ordered_) return;
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
         addresses_.capacity() * (sizeof(Ip) + 1) + numbers_.capacity() * (sizeof(Ip) + sizeof(uint32_t) + 1) +
         past_.capacity() * sizeof(PastEdge);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
