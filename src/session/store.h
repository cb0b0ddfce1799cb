// SessionStore: sessions by the pair of endpoints whose records they are.
//
// A session is a run of records of one pair, each no further than the idle time from the others. Records come in any
// order (threads, late files), so sessions are kept as intervals that grow together; what a session holds are sums,
// extremes and unions, so that neither the order nor the split of the input shows in it.
#ifndef VPCFLOW_SRC_SESSION_STORE_H_
#define VPCFLOW_SRC_SESSION_STORE_H_

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "src/keys/codes.h"
#include "src/keys/flat_table.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/result/array.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr uint32_t kNoPort = std::numeric_limits<uint32_t>::max();
inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
inline constexpr uint32_t kFlagsTold = uint32_t{1} << 31;  // beside TCP's flags: a record has the field

// The two ends of a conversation, the lower one first, and its protocol.
struct EndpointPair {
  std::array<Ip, 2> address;
  std::array<uint32_t, 2> port{};  // kNoPort for none
  int32_t protocol = 0;            // -1 for none
  friend bool operator==(const EndpointPair&, const EndpointPair&) = default;
  uint32_t Hash() const;
  bool v6() const { return !address[0].is_v4(); }
  bool has_ports() const { return port[0] != kNoPort && port[1] != kNoPort; }
};

// What one interface saw of a session in one direction.
struct InterfaceView {
  static constexpr uint8_t kIngress = 1, kEgress = 2;
  uint64_t interface = 0;  // code of its name; 0 for none
  uint64_t packets = 0, bytes = 0, records = 0;
  uint64_t rejected = 0;  // of the records
  uint32_t next = std::numeric_limits<uint32_t>::max();
  uint8_t from = 0;  // the end that sent
  uint8_t flow = 0;  // kIngress, kEgress, or 0 for unknown
};

struct Session {
  int64_t start = 0, end = 0;
  std::array<int64_t, 2> first{};       // start of the first record from each end; kNever for none
  std::array<int64_t, 2> first_seen{};  // likewise, of records that tell ingress from egress
  std::array<uint32_t, 2> flags{};      // of TCP, from each end, with kFlagsTold
  uint32_t views = std::numeric_limits<uint32_t>::max();
  uint32_t next = std::numeric_limits<uint32_t>::max();  // another session of the pair
  bool seen(size_t end_index) const { return first[end_index] != kNever; }
  bool two_way() const { return seen(0) && seen(1); }
};

class SessionStore {
 public:
  explicit SessionStore(int64_t idle) : idle_(idle) {}

  // Adds sessions of one view each, of a batch of records.
  void AddAll(std::span<const EndpointPair> pairs, std::span<const Session> sessions,
              std::span<const InterfaceView> views);
  // Adds a session of a pair: alone, or grown together with all of the pair's that are near.
  void Add(uint32_t pair, const Session& session, std::span<const InterfaceView> views);
  // The number of a pair, which is added if it is new.
  uint32_t PairId(const EndpointPair& pair);
  // Adds another's sessions. The codes of its interfaces are translated by `codes`.
  void Merge(const SessionStore& other, const CodeMap& codes);
  // Removes the sessions for which wanted(session) is true.
  template <class Wanted>
  void RemoveIf(Wanted wanted) {
    for (uint32_t p = 0; p < pairs_.size(); ++p) {
      for (uint32_t* link = &heads_[p]; *link != kNone;) {
        Session& session = sessions_[*link];
        if (!wanted(session)) {
          link = &session.next;
          continue;
        }
        for (uint32_t v = session.views; v != kNone; v = views_[v].next) free_views_.push_back(v);
        free_sessions_.push_back(*link);
        *link = session.next;
        --size_;
      }
    }
  }

  // Calls fn(pair number, session) for each session, those of a pair one after another.
  template <class Fn>
  void ForEach(Fn fn) const {
    for (uint32_t p = 0; p < pairs_.size(); ++p) ForEachOf(p, [&](const Session& session) { fn(p, session); });
  }
  template <class Fn>
  void ForEachOf(uint32_t pair, Fn fn) const {
    for (uint32_t s = heads_[pair]; s != kNone; s = sessions_[s].next) fn(sessions_[s]);
  }
  // Calls fn(view) for each view of a session, until it returns true; returns whether one did.
  template <class Fn>
  bool AnyView(const Session& session, Fn fn) const {
    for (uint32_t v = session.views; v != kNone; v = views_[v].next) {
      if (fn(views_[v])) return true;
    }
    return false;
  }
  template <class Fn>
  void ForEachView(const Session& session, Fn fn) const {
    for (uint32_t v = session.views; v != kNone; v = views_[v].next) fn(views_[v]);
  }
  void PrefetchViews(const Session& session) const {
    if (session.views != kNone) __builtin_prefetch(&views_[session.views]);
  }

  const EndpointPair& pair(uint32_t number) const { return pairs_[number]; }
  uint32_t pairs() const { return static_cast<uint32_t>(pairs_.size()); }
  size_t size() const { return size_; }
  // Memory, about.
  size_t bytes() const;

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  struct Slot {
    uint32_t hash_value = 0;  // so that a slot has 8 bytes: numbers have no more bits either
    uint32_t id = kNone;
    bool empty() const { return id == kNone; }
    uint64_t hash() const { return hash_value; }
  };

  void PairIds(std::span<const EndpointPair> pairs, uint32_t* ids);
  void AddView(Session* session, const InterfaceView& view);
  static void Absorb(Session* into, const Session& other);

  int64_t idle_;
  FlatTable<Slot> ids_;
  Array<EndpointPair> pairs_;
  Array<uint32_t> heads_;  // by pair: its first session
  Array<Session> sessions_;
  std::vector<uint32_t> free_sessions_;
  Array<InterfaceView> views_;
  std::vector<uint32_t> free_views_;
  size_t size_ = 0;
  std::vector<uint32_t> new_ids_, hashes_;  // scratch
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_STORE_H_
