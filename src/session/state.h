// SessionState: the sessions of one worker. What sessions mean: vpcflow/session/sessions.h.
#ifndef VPCFLOW_SRC_SESSION_STATE_H_
#define VPCFLOW_SRC_SESSION_STATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "src/keys/codes.h"
#include "src/session/directions.h"
#include "src/session/packed_tries.h"
#include "src/session/roles.h"
#include "src/session/rows.h"
#include "src/session/second_legs.h"
#include "src/session/shown_fields.h"
#include "src/session/starts.h"
#include "src/session/store.h"
#include "vpcflow/filter/cidr_set.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/result/table.h"
#include "vpcflow/session/sessions.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class SessionState {
 public:
  // `filtered` tells that a filter stands before it, for the words of Warning.
  SessionState(const SessionSpec& spec, const SessionColumns& columns, bool filtered);

  const SessionColumns& columns() const { return columns_; }
  // Takes the records of a batch, whose format has the fields `named`.
  void Consume(const Batch& batch, ShownFields::Bits named);
  void Merge(const SessionState& other);
  // Sources of further records are others than those so far.
  void EndScan() { shown_.EndScan(); }
  // Returns what the sources show, as Report::shown.
  std::map<std::string, uint64_t> Shown() const { return shown_.Texts(); }
  // One row for each session, sorted if the specification says so, and what is folded. `warning` gets what Warning says.
  Table Finish(std::string* warning = nullptr);
  // How many of them began at each interface, in the spans between `cuts`.
  Table Starts(const std::vector<int64_t>& cuts) {
    UnpackAll();
    return SessionStarts(store_, names(), Roles(), cuts);
  }
  // What the logs cannot show, for the report; empty for nothing.
  std::string Warning() const { return WarningOf(Roles()); }
  // The sessions that no record from `time` on can belong to, as Finish; they are taken out.
  Table TakeIdle(int64_t time);
  // Saving, as of GroupState. States of version 1 have no rejections by interface, those before 3 no shown fields.
  static constexpr uint8_t kSavedVersion = 3;
  void Write(StateWriter* out);
  bool Read(StateReader* in, uint8_t version);
  size_t sessions() const { return store_.size() + tries_.size(); }
  size_t bytes() const { return store_.bytes() + tries_.bytes() + second_legs_.bytes() + names().bytes(); }

 private:
  static constexpr uint8_t kSeenOften = 3;
  struct Columns;
  size_t ColumnOf(Field field) const;
  // Appends the pair, session and view of a record to the new ones.
  void AppendRecord(const Columns& columns, size_t row);
  // Whether a session may be folded, if its client is seen by no more than that.
  bool IsFoldable(const EndpointPair& pair, const Session& session) const;
  // Returns how many of the sessions in the store may be folded.
  size_t Foldable() const;
  // Packs these.
  void Pack();
  // Packs them if there are many.
  void PackMany();
  // Joins packed tries with what else there is of their endpoints: what is packed then is what may be folded, whatever
  // order the records had.
  void JoinTries();
  // Unpacks the tries that stay sessions: all of them if there are no more than the limit, else those of hosts that are
  // seen three times, or by another session.
  void Settle();
  template <class Wanted>
  void Unpack(Wanted wanted) {
    tries_.TakeIf(wanted, [&](const Try& one) { store_.Add(store_.PairId(one.pair), one.session, {&one.view, 1}); });
  }
  void UnpackAll() {
    Unpack([](size_t) { return true; });
  }
  SessionRoles Roles() const;
  std::string WarningOf(const SessionRoles& roles) const;
  const Interner& names() const { return encoder_.interner(); }  // of interfaces

  SessionSpec spec_;
  SessionColumns columns_;
  bool filtered_;
  Encoder encoder_;
  CidrSet fold_not_;
  SessionStore store_;
  PackedTries tries_;
  size_t pack_from_;  // sessions in the store
  SecondLegs second_legs_;
  DirectionCounts ended_;  // of sessions that were taken out
  FlowBits flows_;         // of accepted records
  ShownFields shown_;
  // Scratch: of the records of a batch.
  std::vector<uint64_t> interfaces_;  // codes, by row
  std::vector<EndpointPair> new_pairs_;
  std::vector<Session> new_sessions_;
  std::vector<InterfaceView> new_views_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_STATE_H_
