// Sessions: what detectors look at. Rows of one client stand together, by server, port, protocol and start, so that
// most of what detectors group by are runs of neighbours; what they ask of each session and each address is worked out
// once.
#ifndef VPCFLOW_SRC_DETECT_SESSIONS_H_
#define VPCFLOW_SRC_DETECT_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "src/detect/settings.h"
#include "src/keys/codes.h"
#include "vpcflow/filter/cidr_set.h"
#include "vpcflow/result/array.h"
#include "vpcflow/result/table.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Of a session. What a try, an answer and a refusal are: src/session/kind.h.
enum SessionTrait : uint8_t {
  // Nobody answered: it was rejected, is unanswered, or the port was closed: the answer was a reset without SYN. Who
  // sent nothing tried nothing: backscatter, the answers of others to packets with a made-up source.
  kFailed = 1,
  kAnswered = 2,  // the column `answered`
  // An open port: answered, or its SYN-ACK was seen.
  kOpen = 4,
  // Rejected, unanswered, or one-way in logs that show answers.
  kOneSided = 8,
  // The client began: it is known, or it alone sent. Nobody is blamed for the rest.
  kBegan = 16,
};
// Of an address: a bit for each setting that is a list of prefixes, of which the first is `inside`.
using AddressTrait = uint32_t;
inline constexpr AddressTrait kInside = 1;
// Of addresses of no single host: multicast, broadcast, link-local, loopback. They are neither inside nor outside.
inline constexpr AddressTrait kNoHost = AddressTrait{1} << 31;

// Where the client is not known, of an inside end and an outside one that both sent the inside one stands in its place.
struct SessionRow {
  uint32_t client, server;    // numbers of addresses
  int32_t port, protocol;     // the server's port; kNullInt32 for none
  int64_t start, end;         // Unix seconds
  uint64_t sent, received;    // bytes of the client and of the server
  uint64_t packets, answers;  // packets, likewise
  int32_t client_port;
  uint8_t traits;
  bool Is(SessionTrait trait) const { return (traits & trait) != 0; }
  void Swap() {
    std::swap(client, server);
    std::swap(port, client_port);
    std::swap(sent, received);
    std::swap(packets, answers);
  }
};

// Whether a server's port is one: null and 0 stand for protocols without ports.
inline bool HasPort(int32_t port) { return port != kNullInt32 && port != 0; }

// Who talked to whom before.
struct PastEdge {
  uint32_t client, server;
  int32_t port, protocol;  // kNullInt32 for none
  uint64_t sessions;
};

// Tries of hosts that were seen once or twice, as counts (SessionSpec::fold_above): what a server got of them in a
// minute.
struct FoldedTries {
  uint32_t server;
  int32_t port, protocol;  // kNullInt32 where they differ
  int32_t client_port;     // of UDP senders that may have been answering; else kNullInt32
  int64_t start, end;
  uint64_t sources, tries, packets;
  // Whether they are of one service.
  bool one_service() const { return port != kNullInt32 || (protocol != kNullInt32 && client_port == kNullInt32); }
};

class Sessions {
 public:
  // kInvalidArgument names what is no prefix.
  absl::Status Init(const ResolvedSettings& settings);
  absl::Status Add(const Table& table);
  void Merge(const Sessions& other);
  absl::Status AddPast(const Table& table);

  // Puts the rows in order; before any of the following.
  void Order();
  // The sessions of one client.
  std::span<const SessionRow> of(uint32_t client) const {
    return rows().subspan(heads_[client], heads_[client + 1] - heads_[client]);
  }
  std::span<const SessionRow> rows() const { return {rows_.data(), rows_.size()}; }
  std::span<const PastEdge> past() const { return past_; }
  uint32_t address_count() const { return static_cast<uint32_t>(addresses_.size()); }
  const Ip& address(uint32_t number) const { return addresses_[number]; }
  bool Is(uint32_t number, AddressTrait trait) const { return (traits_[number] & trait) != 0; }
  bool IsOutside(uint32_t number) const { return !Is(number, kInside | kNoHost); }
  // Returns the trait of addresses that are in the prefixes of a setting.
  AddressTrait TraitOf(const SettingInfo& prefixes) const;
  bool has_past() const { return has_past_; }
  // Returns the hosts that were taken for gateways, each with the sessions of others that it repeated.
  const std::map<uint32_t, uint64_t>& gateways() const { return gateways_; }
  std::span<const FoldedTries> folded() const { return folded_; }
  // Returns how many tries are folded, and about how many hosts sent them.
  uint64_t folded_tries() const { return folded_tries_; }
  uint64_t folded_sources() const { return folded_sources_; }
  size_t size() const { return rows_.size(); }
  size_t bytes() const;

 private:
  void AddFolded(const Table& table, size_t row);
  uint32_t Number(const Ip& address);
  std::vector<uint32_t> NumbersOf(const TableColumn& column);

  std::vector<std::pair<const SettingInfo*, CidrSet>> sets_;  // the bit of a trait is the place here
  CidrSet no_hosts_;
  absl::flat_hash_map<Ip, uint32_t, IpHash> numbers_;
  std::vector<Ip> addresses_;
  std::vector<AddressTrait> traits_;  // by address
  Array<SessionRow> rows_;
  std::vector<size_t> heads_;  // by client: its first row; one more at the end
  std::vector<PastEdge> past_;
  bool has_past_ = false;
  std::vector<FoldedTries> folded_;
  uint64_t folded_tries_ = 0, folded_sources_ = 0;
  std::map<uint32_t, uint64_t> gateways_;
  bool ordered_ = false;
};

// Calls fn(run) for each run of neighbours for which key(row) is the same.
template <class Row, class Key, class Fn>
void ForEachRun(std::span<Row> rows, Key key, Fn fn) {
  for (size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    const auto own = key(rows[begin]);
    for (end = begin + 1; end < rows.size() && key(rows[end]) == own;) ++end;
    fn(rows.subspan(begin, end - begin));
  }
}
inline auto ByServer(const SessionRow& row) { return row.server; }
inline auto ByService(const SessionRow& row) { return std::tuple(row.server, row.port); }
inline auto ByConversation(const SessionRow& row) { return std::tuple(row.server, row.port, row.protocol); }

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_DETECT_SESSIONS_H_
