// SessionState: the conversations of one worker. What sessions mean: vpcflow/session/sessions.h.
//
// A session is a run of records of one pair of endpoints, each no further than the idle time from the others. Records
// come in any order (threads, late files), so runs are kept as intervals that grow together; what a run holds are sums,
// extremes and unions, so that neither the order nor the split of the input shows in the result.
#ifndef VPCFLOW_SRC_SESSION_STATE_H_
#define VPCFLOW_SRC_SESSION_STATE_H_

#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "src/keys/codes.h"
#include "src/session/kind.h"
#include "vpcflow/result/array.h"
#include "vpcflow/result/table.h"
#include "vpcflow/session/sessions.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The columns of sessions, without rows.
Table SessionTable();
// The values of their column `state`.
std::span<const std::string_view> SessionStates();

// The fields that sessions are made of. The first kNeededSessionFields of them must be in some source.
inline constexpr std::array kSessionFields = {
    Field::kSrcAddr,       Field::kDstAddr,    Field::kStart,      Field::kEnd,
    Field::kSrcPort,       Field::kDstPort,    Field::kProtocol,   Field::kInterfaceId,
    Field::kPackets,       Field::kBytes,      Field::kAction,     Field::kTcpFlags,
    Field::kFlowDirection, Field::kPktSrcAddr, Field::kPktDstAddr, Field::kInterfaceType};
inline constexpr size_t kNeededSessionFields = 4;

// By kSessionFields: the column of a batch that has the field.
using SessionColumns = std::array<size_t, kSessionFields.size()>;

class SessionState {
 public:
  // `filtered` tells that a filter stands before it, for the words of Warning.
  SessionState(const SessionSpec& spec, const SessionColumns& columns, bool filtered);

  void Consume(const Batch& batch);
  void Merge(const SessionState& other);
  // One row for each session, sorted by start, client, server if the specification says so.
  // `warning` gets what Warning says.
  Table Finish(std::string* warning = nullptr) const;
  // What the logs cannot show, for the report; empty for none.
  std::string Warning() const { return WarningOf(Weigh()); }
  // The sessions that no record from `time` on can belong to, as Finish; they are taken out.
  Table TakeIdle(int64_t time);
  // Saving, as of GroupState. States of version 1 have no rejections by interface.
  static constexpr uint8_t kSavedVersion = 2;
  void Write(StateWriter* out) const;
  bool Read(StateReader* in, uint8_t version);
  size_t sessions() const { return live_; }
  size_t bytes() const;

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  static constexpr uint32_t kFlagsTold = uint32_t{1} << 31;  // beside TCP's: a record has tcp-flags

  // The two ends, the lower one first, and the protocol.
  struct Key {
    std::array<Ip, 2> address;
    std::array<uint32_t, 2> port{};  // kNone for none
    int32_t protocol = 0;
    friend bool operator==(const Key&, const Key&) = default;
    uint32_t Hash() const;
  };
  struct KeySlot {
    uint32_t hash_value = 0;  // so that a slot has 8 bytes: ids have no more bits either
    uint32_t id = kNone;
    bool empty() const { return id == kNone; }
    uint64_t hash() const { return hash_value; }
  };
  // What one interface saw in one direction.
  struct View {
    uint64_t interface = 0;  // code of its name; 0 for none
    uint64_t packets = 0, bytes = 0, records = 0;
    uint64_t rejected = 0;  // of the records
    uint32_t next = kNone;
    uint8_t from = 0;  // the end that sent
    uint8_t flow = 0;  // 0 unknown, 1 ingress, 2 egress
  };
  struct Run {
    int64_t start = 0, end = 0;
    std::array<int64_t, 2> first{};       // start of the first record from each end, kNever for none
    std::array<int64_t, 2> first_seen{};  // the same, of records that tell ingress from egress
    std::array<uint32_t, 2> flags{};      // of TCP, from each end, and kFlagsTold
    uint32_t views = kNone;
    uint32_t next = kNone;  // another run of the key
    bool seen(size_t side) const { return first[side] != kNever; }
    bool two_way() const { return seen(0) && seen(1); }
  };

  // What one end sent, as a vantage point has it.
  struct Sent {
    uint64_t packets = 0, bytes = 0;
    uint64_t interface = 0;  // code
    std::string_view name;
  };
  struct Sight {
    std::array<Sent, 2> sent{};
    std::array<uint64_t, 2> most_packets{}, most_bytes{};  // whatever the vantage point
    std::array<Passage, 2> passage{};
    uint64_t records = 0;
    std::vector<uint64_t> seen;  // interfaces
  };

  // Who is the client, and what told it.
  enum Decided : int32_t { kBySyn, kByFlowDirection, kByServicePort, kByFirstSeen, kByNone };
  struct Role {
    size_t client;
    Decided decided;
  };
  struct Endpoint {
    Ip address;
    uint32_t port;
    int32_t protocol;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
    template <class H>
    friend H AbslHashValue(H h, const Endpoint& e) {
      return H::combine(std::move(h), e.address.hi, e.address.lo, e.port, e.protocol);
    }
  };
  // The ports that talk with an endpoint: a client's has one peer or a few, a server's as many as come.
  struct Peers {
    std::array<uint32_t, 4> ports{};
    uint8_t count = 0;
    bool accepted = false;  // it sent SYN-ACK
    bool serves() const { return accepted || count == ports.size(); }
    void Add(uint32_t port);
  };
  // Sessions whose records hold both ends or one, and of those of TCP the ones that must have been answered.
  struct Directions {
    uint64_t two_way = 0, one_way = 0, tcp = 0, unheard = 0;
    void Add(const Directions& other);
  };
  // What all sessions together tell.
  struct Evidence {
    absl::flat_hash_map<Endpoint, Peers> peers;  // of sessions that their own records do not decide
    Directions directions;
    bool one_direction = false;
  };
  Evidence Weigh() const;
  std::string WarningOf(const Evidence& evidence) const;
  bool OneFlow() const { return flows_ == 2 || flows_ == 4; }
  void CountDirections(const Key& key, const Run& run, Directions* out) const;
  Role RoleOf(const Key& key, const Run& run, const Evidence& evidence) const;
  size_t AheadOf(const Key& key, const Run& run) const;
  bool CameAbout(const Key& key, const Run& run) const;

  template <class Wanted>
  Table Emit(Wanted wanted, const Evidence& evidence) const;
  void Look(const Run& run, size_t client, Sight* sight) const;
  void FindPassages(const Run& run, Sight* sight) const;
  static SessionFacts FactsOf(const Key& key, const Run& run, size_t client, const Sight& sight);
  bool IsSecondLeg(const Key& key, const Role& role) const;

  struct Columns;
  size_t ColumnOf(Field field) const;
  // Puts the key, run and view of a record behind the new ones.
  void TakeRecord(const Columns& columns, size_t row);
  void AddRun(uint32_t key, const Run& run, std::span<const View> views);
  void AddView(Run* run, const View& view);
  void Absorb(Run* into, const Run& other);
  uint32_t KeyId(const Key& key);
  void KeyIds(std::span<const Key> keys, uint32_t* ids);

  SessionSpec spec_;
  SessionColumns columns_;
  bool filtered_;
  Encoder encoder_;
  FlatTable<KeySlot> ids_;
  Array<Key> keys_;
  Array<uint32_t> heads_;  // by key: its first run
  Array<Run> runs_;
  std::vector<uint32_t> free_runs_;
  Array<View> views_;
  std::vector<uint32_t> free_views_;
  std::set<Ip> intermediaries_;  // NAT gateways and load balancers, as options and interface types tell
  // Address, and the endpoint that it stood for: its own sessions with that endpoint are second legs.
  using Translation = std::tuple<Ip, Ip, uint32_t, int32_t>;
  struct TranslationHash {
    size_t operator()(const Translation& t) const {
      const auto& [address, end, port, protocol] = t;
      return MixWords(MixWords(address.hi, address.lo) ^ port,
                      MixWords(end.hi, end.lo) ^ static_cast<uint32_t>(protocol));
    }
  };
  std::unordered_set<Translation, TranslationHash> translations_;
  size_t live_ = 0;
  Directions ended_;                  // of sessions that were taken out
  uint8_t flows_ = 0;                 // of accepted records: bits of View::flow
  std::vector<uint64_t> interfaces_;  // scratch: codes by row
  // Scratch: of the records of a batch.
  std::vector<Key> new_keys_;
  std::vector<Run> new_runs_;
  std::vector<View> new_views_;
  std::vector<uint32_t> new_ids_;
  std::vector<uint32_t> hashes_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_STATE_H_
